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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// What clients do.
    pub workload: Workload,
    /// What is broken.
    pub nemesis: Nemesis,
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
}

/// The file of results.
#[derive(Debug)]
pub struct Results {
    file: File,
    faults_total: u64,
    done: BTreeMap<(String, String), String>,
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
        for line in BufReader::new(&file).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            faults_total = line.faults_total;
            done.insert((line.workload, line.nemesis), line.verdict);
        }
        Ok(Self {
            file,
            faults_total,
            done,
        })
    }

    /// The last verdict on a cell.
    #[must_use]
    pub fn verdict(&self, cell: Cell) -> Option<&str> {
        let key = (
            cell.workload.text().to_owned(),
            cell.nemesis.text().to_owned(),
        );
        self.done.get(&key).map(String::as_str)
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
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.done
            .insert((line.workload, line.nemesis), line.verdict);
        Ok(())
    }
}
