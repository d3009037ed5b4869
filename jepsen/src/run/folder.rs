//! What a run leaves behind, beside its history and the nodes' logs.

use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use serde::Serialize;

use super::options::Options;
use crate::check::{Report, Verdict};

/// The history's name.
pub(super) const HISTORY: &str = "history.jsonl";
const VERDICT: &str = "verdict.json";

/// A run in one object: one line of a matrix, and `verdict.json`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Summary {
    /// What clients did.
    pub workload: String,
    /// What was broken.
    pub nemesis: String,
    /// Seed of every choice.
    pub seed: u64,
    /// Seconds of load.
    pub time_s: u64,
    /// Number of nodes.
    pub nodes: u64,
    /// What was between hosts.
    pub hosts: String,
    /// Seconds it took in all, checks included.
    pub took_s: u64,
    /// Faults injected.
    pub faults: u64,
    /// How often a person would have been needed.
    pub hands: u64,
    /// It did not come to its end: somebody stopped it.
    pub was_interrupted: bool,
    /// The command that repeats it.
    pub command: String,
    /// The judgement.
    #[serde(flatten)]
    pub report: Report,
}

/// A run and its judgement.
#[must_use]
pub fn summary_of(options: &Options, report: Report, took: Duration) -> Summary {
    let count = |name: &str| report.coverage.get(name).copied().unwrap_or(0);
    let hands = count("fault.hand");
    let faults = report
        .coverage
        .iter()
        .filter(|(point, _)| point.starts_with("fault.") && *point != "fault.hand")
        .map(|(_, count)| count)
        .sum();
    Summary {
        workload: options.workload_names(),
        nemesis: options.nemesis_names(),
        seed: options.seed,
        time_s: options.time_s,
        nodes: options.nodes,
        hosts: format!("{:?}", options.hosts).to_lowercase(),
        took_s: took.as_secs(),
        faults,
        hands,
        was_interrupted: false,
        command: options.command(),
        report,
    }
}

/// Writes the verdict; of a run that went well the nodes' data goes, their logs stay.
pub(super) fn save(options: &Options, summary: &Summary) -> anyhow::Result<()> {
    let file = BufWriter::new(File::create(options.dir.join(VERDICT))?);
    serde_json::to_writer_pretty(file, summary)?;
    if summary.report.verdict == Verdict::Ok {
        for entry in std::fs::read_dir(&options.dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
    }
    Ok(())
}
