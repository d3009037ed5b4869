//! `jepsen matrix`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::run::{Shape, carry_out, say};
use crate::check::Verdict;
use crate::matrix::{Cell, Results};
use crate::nemesis::Name as Nemesis;
use crate::run::{Summary, accompanied};
use crate::workload::Name as Workload;

/// Run every workload under every nemesis, each in a cluster of its own.
///
/// Cells that have a verdict `ok` in the file of results are left out, so that it can be interrupted and goes on.
/// Exit code: 0 when every cell that ran is ok, else 1.
#[derive(Debug, Args)]
pub(super) struct Matrix {
    /// Only these workloads.
    #[arg(short, long, value_enum, value_delimiter = ',')]
    workload: Vec<Workload>,
    /// Only these nemeses.
    #[arg(short, long, value_enum, value_delimiter = ',')]
    nemesis: Vec<Nemesis>,
    /// File of results: one JSON object a line, appended.
    #[arg(long, default_value = "jepsen/results/matrix.jsonl")]
    results: PathBuf,
    /// Folder for what the runs leave behind.
    #[arg(short, long, default_value = "jepsen-runs")]
    dir: PathBuf,
    /// Seed of the first cell; the next has the next.
    #[arg(short, long)]
    seed: Option<u64>,
    /// Also cells that are ok already.
    #[arg(long)]
    again: bool,
    /// One workload for each nemesis, in turn, instead of all of them.
    #[arg(long)]
    diagonal: bool,
    /// All nemeses at once in every cell, instead of one in each.
    #[arg(long)]
    together: bool,
    /// Go on with cells that have run least until the file of results holds so many faults.
    #[arg(long)]
    until_faults: Option<u64>,
    /// Print the sums over the file of results and run nothing.
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    shape: Shape,
}

impl Matrix {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut results = Results::open(&self.results)?;
        let mut out = io::stdout().lock();
        if self.summary {
            serde_json::to_writer_pretty(&mut out, results.totals())?;
            writeln!(out)?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(code) = self.shape.elsewhere()? {
            return Ok(code);
        }
        let cells = self.cells();
        let mut seed = self
            .seed
            .unwrap_or_else(|| u64::from(rand::random::<u32>()));
        let mut all_ok = true;
        let mut left: Vec<&Cell> = cells.iter().collect();
        if !self.again && self.until_faults.is_none() {
            left.retain(|cell| results.verdict(cell) != Some("ok"));
        }
        // The next one is popped.
        left.reverse();
        loop {
            let next = match self.until_faults {
                Some(goal) if results.faults_total() >= goal => None,
                Some(_) => cells.iter().min_by_key(|cell| results.runs(cell)),
                None => left.pop(),
            };
            let Some(cell) = next else { break };
            match self.one(cell, seed) {
                Ok(summary) => {
                    say(&summary, &mut out)?;
                    if summary.was_interrupted {
                        return Ok(ExitCode::from(3));
                    }
                    all_ok &= summary.report.verdict == Verdict::Ok;
                    results.add(&summary)?;
                }
                // The harness could not do its work: that is no verdict on the system, and the next cell may do.
                Err(error) if self.until_faults.is_none() => {
                    all_ok = false;
                    writeln!(out, "harness-failure: seed {seed}: {error:#}")?;
                }
                Err(error) => return Err(error),
            }
            seed += 1;
            out.flush()?;
        }
        writeln!(
            out,
            "{} s a cell, {} faults in all",
            self.shape.time(),
            results.faults_total()
        )?;
        Ok(ExitCode::from(u8::from(!all_ok)))
    }

    fn one(&self, cell: &Cell, seed: u64) -> anyhow::Result<Summary> {
        let nemeses = cell.nemesis_text().replace(',', "+");
        let name = format!("{}-{nemeses}-{seed}", cell.workload.text());
        let dir = self.dir.join(name);
        let options = self
            .shape
            .options(&[cell.workload], &cell.nemeses, seed, &dir)?;
        carry_out(&options)
    }

    fn cells(&self) -> Vec<Cell> {
        let workloads = match self.workload.as_slice() {
            [] => Workload::value_variants().to_vec(),
            wanted => wanted.to_vec(),
        };
        let nemeses = match self.nemesis.as_slice() {
            [] => Nemesis::value_variants().to_vec(),
            wanted => wanted.to_vec(),
        };
        let nemeses: Vec<Vec<Nemesis>> = if self.together {
            vec![nemeses]
        } else {
            nemeses.into_iter().map(|name| vec![name]).collect()
        };
        let mut cells = Vec::new();
        for (number, nemeses) in nemeses.into_iter().enumerate() {
            let workloads = if self.diagonal {
                vec![workloads[number % workloads.len()]]
            } else {
                workloads.clone()
            };
            for workload in workloads {
                let nemeses = accompanied(&[workload], &nemeses);
                let cell = Cell { workload, nemeses };
                if !cells.contains(&cell) {
                    cells.push(cell);
                }
            }
        }
        cells
    }
}
