//! `farthing explain`: what a status or a code means.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::explain::{self, Entry, Kind};
use crate::failure::{Code, Failure};
use crate::output::{self, Align, Format, Printer, Report, Table};

/// Tells what a status or a code means, why it happens and what to do.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A name or number: a status of an item, a reason of a refused call, a failure of this program, an exit status.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    status: Option<String>,
    /// Only of this kind.
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// Every status and code.
    #[arg(long)]
    all: bool,
    /// Write the reference page.
    #[arg(long, requires = "all", conflicts_with = "kind")]
    markdown: bool,
}

impl ExplainArgs {
    pub(super) fn run(self, printer: Printer) -> Result<ExitCode, Failure> {
        if self.markdown {
            output::write_stdout(explain::page().as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(status) = &self.status else {
            let mut entries = explain::all();
            entries.retain(|entry| self.kind.is_none_or(|kind| entry.kind == kind));
            printer.print(&Explained {
                entries,
                prose: false,
            })?;
            return Ok(ExitCode::SUCCESS);
        };
        let entries = explain::find(status, self.kind);
        if entries.is_empty() {
            return Err(unknown(status, self.kind));
        }
        printer.print(&Explained {
            entries,
            prose: printer.format() == Format::Table,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn unknown(status: &str, kind: Option<Kind>) -> Failure {
    let failure = Failure::new(
        Code::NotFound,
        format!("no status and no code is called {status}"),
    );
    let similar = explain::similar(status, kind);
    if similar.is_empty() {
        failure.advise("`farthing explain --all` lists them")
    } else {
        failure.advise(format!("perhaps {}", similar.join(", ")))
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Explained {
    entries: Vec<Entry>,
    #[serde(skip)]
    prose: bool,
}

impl Report for Explained {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("kind", Align::Left),
            ("number", Align::Right),
            ("name", Align::Left),
            ("meaning", Align::Left),
        ]);
        for entry in &self.entries {
            table.row(vec![
                entry.kind.noun().to_owned(),
                entry.number.map(|n| n.to_string()).unwrap_or_default(),
                entry.name.to_owned(),
                entry.meaning.to_owned(),
            ]);
        }
        table
    }

    fn prose(&self) -> Option<String> {
        self.prose.then(|| {
            let texts: Vec<String> = self.entries.iter().map(paragraph).collect();
            texts.join("\n")
        })
    }
}

fn paragraph(entry: &Entry) -> String {
    let number = match (entry.kind, entry.number) {
        (Kind::Failure, Some(status)) => format!(", exit status {status}"),
        (_, Some(number)) => format!(" ({number})"),
        (_, None) => String::new(),
    };
    let mut text = format!("{}{number}: {}\n", entry.name, entry.kind.noun());
    for (title, words) in [
        ("means", entry.meaning),
        ("why", entry.why),
        ("do", &entry.advice),
    ] {
        let _ = writeln!(text, "  {title:<6}{words}");
    }
    text
}
