//! A node's configuration as its program sees it: every setting, where it comes from, what is wrong.

use serde::{Deserialize, Serialize};

use crate::output::{Align, Report, Table};

/// The answer of `farthing-node settings`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The file.
    pub file: Option<String>,
    /// True when a node would start with it.
    pub ok: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The settings.
    pub settings: Vec<Setting>,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// The key, when it is one.
    pub key: Option<String>,
    /// Line of the file, from 1.
    pub line: Option<usize>,
    /// What is wrong, and what is allowed.
    pub what: String,
}

/// One setting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setting {
    /// Its key in the file, sections with a dot.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// What no value means.
    pub without: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// What it is.
    pub about: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// The file.
    File {
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag.
    Flag {
        /// Its name.
        flag: String,
    },
}

impl Settings {
    fn place(&self, line: Option<usize>) -> String {
        let file = self.file.as_deref().unwrap_or("configuration");
        line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
    }

    fn origin(&self, origin: &Origin) -> String {
        match origin {
            Origin::Default => "default".to_owned(),
            // Which folder it is in was said by whoever asked.
            Origin::File { line } => {
                let place = self.place(Some(*line));
                place.rsplit('/').next().unwrap_or(&place).to_owned()
            }
            Origin::Environment { variable } => variable.clone(),
            Origin::Flag { flag } => flag.clone(),
        }
    }
}

/// Every setting with its value.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// What was found.
    #[serde(flatten)]
    pub settings: Settings,
    /// Whether people see where each value comes from.
    #[serde(skip)]
    pub origin: bool,
}

impl Report for Shown {
    fn table(&self) -> Table {
        let mut columns = vec![("setting", Align::Left), ("value", Align::Left)];
        if self.origin {
            columns.push(("from", Align::Left));
        }
        let mut table = Table::new(&columns);
        for setting in &self.settings.settings {
            let value = match setting.value.as_deref() {
                // Their addresses would make every line as long; JSON has them.
                Some(members) if setting.key == "members" => {
                    let ids = members
                        .split("; ")
                        .filter_map(|member| member.split('=').next());
                    ids.collect::<Vec<_>>().join(", ")
                }
                Some(value) => value.to_owned(),
                None => format!("({})", setting.without),
            };
            let mut row = vec![setting.key.clone(), value];
            if self.origin {
                row.push(self.settings.origin(&setting.origin));
            }
            table.row(row);
        }
        table
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Checked(pub Settings);

impl Report for Checked {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("place", Align::Left),
            ("setting", Align::Left),
            ("problem", Align::Left),
        ]);
        for problem in &self.0.problems {
            table.row(vec![
                self.0.place(problem.line),
                problem.key.clone().unwrap_or_default(),
                problem.what.clone(),
            ]);
        }
        table
    }

    fn prose(&self) -> Option<String> {
        if self.0.ok {
            return Some(format!(
                "{}: a node would start with it.\n",
                self.0.place(None)
            ));
        }
        let line = |problem: &Problem| {
            let key = problem.key.as_deref();
            let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
            format!("{}: {key}{}\n", self.0.place(problem.line), problem.what)
        };
        Some(self.0.problems.iter().map(line).collect())
    }
}
