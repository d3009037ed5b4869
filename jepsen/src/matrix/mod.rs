//! The matrix: every workload under every nemesis, in pieces, with results that stay.
//!
//! It knows cells and the file of their verdicts. It deliberately does not know how a run works.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::nemesis::Name as Nemesis;
use crate::run::Summary;
use crate::workload::Name as Workload;

/// One workload under one nemesis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    /// What clients do.
    pub workload: Workload,
    /// What is broken.
    pub nemeses: Vec<Nemesis>,
}

impl Cell {
    /// What is broken, as a run calls it.
    #[must_use]
    pub fn nemesis_text(&self) -> String {
        let names: Vec<&str> = self.nemeses.iter().map(|name| name.text()).collect();
        names.join(",")
    }
}

/// One line of the file of results.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// What clients did.
    pub workload: String,
    /// What was broken.
    pub nemesis: String,
    /// Seed of every choice.
    pub seed: u64,
    /// Seconds of load.
    pub time_s: u64,
    /// What was between hosts.
    pub hosts: String,
    /// One word.
    pub verdict: String,
    /// Why, in one sentence.
    pub reason: String,
    /// Calls answered.
    pub ok: u64,
    /// Calls that certainly did not happen.
    pub fail: u64,
    /// Calls nobody knows of.
    pub info: u64,
    /// Faults injected.
    pub faults: u64,
    /// How often a person would have been needed.
    pub hands: u64,
    /// Faults of this and all earlier lines.
    pub faults_total: u64,
    /// Faults by the nemesis that made them; older lines have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_nemesis: BTreeMap<String, u64>,
}

/// The file of results.
#[derive(Debug)]
pub struct Results {
    file: File,
    faults_total: u64,
    done: BTreeMap<(String, String), (String, u64)>,
    totals: Totals,
}

/// Sums over a file of results.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Totals {
    /// Runs.
    pub runs: u64,
    /// Different pairs of workloads and nemeses.
    pub cells: u64,
    /// Runs by verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// Faults injected.
    pub faults: u64,
    /// Faults by nemesis.
    pub by_nemesis: BTreeMap<String, u64>,
    /// How often a person would have been needed.
    pub hands: u64,
    /// Calls answered.
    pub ok: u64,
    /// Cells whose last run was not ok, with its verdict, seed and reason.
    pub open: BTreeMap<String, String>,
}

impl Totals {
    fn add(&mut self, line: &Line) {
        self.runs += 1;
        self.faults += line.faults;
        self.hands += line.hands;
        self.ok += line.ok;
        *self.verdicts.entry(line.verdict.clone()).or_default() += 1;
        if line.by_nemesis.is_empty() {
            *self.by_nemesis.entry(line.nemesis.clone()).or_default() += line.faults;
        }
        for (name, count) in &line.by_nemesis {
            *self.by_nemesis.entry(name.clone()).or_default() += count;
        }
        let cell = format!("{} / {}", line.workload, line.nemesis);
        if line.verdict == "ok" {
            self.open.remove(&cell);
        } else {
            let text = format!("{}, seed {}: {}", line.verdict, line.seed, line.reason);
            self.open.insert(cell, text);
        }
    }
}

/// Faults by nemesis, from the points that a run reached.
pub(crate) fn by_nemesis(coverage: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let faults = coverage.iter().filter_map(|(point, count)| {
        let name = point.strip_prefix("fault.")?;
        (name != "hand").then(|| (name.to_owned(), *count))
    });
    faults.collect()
}

impl Results {
    /// Opens the file, or begins it; a line that a crash cut is an error for a person to look at.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        let mut faults_total = 0;
        let mut done = BTreeMap::new();
        let mut totals = Totals::default();
        for line in BufReader::new(&file).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            faults_total = line.faults_total;
            totals.add(&line);
            count(&mut done, line);
        }
        totals.cells = done.len() as u64;
        Ok(Self {
            file,
            faults_total,
            done,
            totals,
        })
    }

    fn cell(&self, cell: &Cell) -> Option<&(String, u64)> {
        self.done
            .get(&(cell.workload.text().to_owned(), cell.nemesis_text()))
    }

    /// The last verdict on a cell.
    #[must_use]
    pub fn verdict(&self, cell: &Cell) -> Option<&str> {
        self.cell(cell).map(|(verdict, _)| verdict.as_str())
    }

    /// How often a cell has run.
    #[must_use]
    pub fn runs(&self, cell: &Cell) -> u64 {
        self.cell(cell).map_or(0, |(_, runs)| *runs)
    }

    /// Faults of all lines.
    #[must_use]
    pub fn faults_total(&self) -> u64 {
        self.faults_total
    }

    /// Appends a verdict.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, summary: &Summary) -> io::Result<()> {
        self.faults_total += summary.faults;
        let counts = &summary.report.counts;
        let word = serde_json::to_value(summary.report.verdict)?;
        let line = Line {
            workload: summary.workload.clone(),
            nemesis: summary.nemesis.clone(),
            seed: summary.seed,
            time_s: summary.time_s,
            hosts: summary.hosts.clone(),
            verdict: word.as_str().unwrap_or_default().to_owned(),
            reason: summary.report.reason.clone(),
            ok: counts.ok,
            fail: counts.fail,
            info: counts.info,
            faults: summary.faults,
            hands: summary.hands,
            faults_total: self.faults_total,
            by_nemesis: by_nemesis(&summary.report.coverage),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.totals.add(&line);
        count(&mut self.done, line);
        self.totals.cells = self.done.len() as u64;
        Ok(())
    }

    /// Sums over all lines.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}

fn count(done: &mut BTreeMap<(String, String), (String, u64)>, line: Line) {
    let cell = done.entry((line.workload, line.nemesis)).or_default();
    cell.0 = line.verdict;
    cell.1 += 1;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn line(nemesis: &str, verdict: &str, faults: u64, more: &str) -> String {
        format!(
            r#"{{"workload":"bank","nemesis":"{nemesis}","seed":7,"time_s":20,"hosts":"proxy","verdict":"{verdict}","reason":"why","ok":10,"fail":1,"info":1,"faults":{faults},"hands":1,"faults_total":{faults}{more}}}"#
        )
    }

    #[test]
    fn what_is_in_the_file_adds_up_and_a_mended_cell_is_open_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("matrix.jsonl");
        let lines = [
            line("kill", "fail", 3, ""),
            line("kill", "ok", 4, ""),
            line(
                "kill,pause",
                "unknown",
                5,
                r#","by_nemesis":{"kill":2,"pause":3}"#,
            ),
        ];
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let results = Results::open(&path).unwrap();
        let totals = results.totals();
        assert_eq!((totals.runs, totals.cells), (3, 2));
        assert_eq!((totals.faults, totals.hands), (12, 3));
        assert_eq!(totals.by_nemesis["kill"], 9);
        assert_eq!(totals.by_nemesis["pause"], 3);
        let open: Vec<&String> = totals.open.keys().collect();
        assert_eq!(open, ["bank / kill,pause"]);
        let cell = |nemeses: &[Nemesis]| Cell {
            workload: Workload::Bank,
            nemeses: nemeses.to_vec(),
        };
        assert_eq!(results.verdict(&cell(&[Nemesis::Kill])), Some("ok"));
        assert_eq!(results.runs(&cell(&[Nemesis::Kill])), 2);
        let both = cell(&[Nemesis::Kill, Nemesis::Pause]);
        assert_eq!(results.verdict(&both), Some("unknown"));
        assert_eq!(results.runs(&cell(&[Nemesis::Pause])), 0);
    }
}
