//! `jepsen matrix`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::run::{Shape, carry_out, say};
use crate::check::Verdict;
use crate::matrix::{Cell, Results};
use crate::nemesis::Name as Nemesis;
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
    #[command(flatten)]
    shape: Shape,
}

impl Matrix {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        if let Some(code) = self.shape.elsewhere()? {
            return Ok(code);
        }
        let all = |wanted: &[Workload]| match wanted {
            [] => Workload::value_variants().to_vec(),
            wanted => wanted.to_vec(),
        };
        let workloads = all(&self.workload);
        let nemeses = match self.nemesis.as_slice() {
            [] => Nemesis::value_variants().to_vec(),
            wanted => wanted.to_vec(),
        };
        let mut cells = Vec::new();
        for (number, nemesis) in nemeses.iter().enumerate() {
            let workloads = if self.diagonal {
                vec![workloads[number % workloads.len()]]
            } else {
                workloads.clone()
            };
            cells.extend(workloads.into_iter().map(|workload| Cell {
                workload,
                nemesis: *nemesis,
            }));
        }
        let mut results = Results::open(&self.results)?;
        let mut out = io::stdout().lock();
        let first = self
            .seed
            .unwrap_or_else(|| u64::from(rand::random::<u32>()));
        let mut all_ok = true;
        for (number, cell) in cells.iter().enumerate() {
            if !self.again && results.verdict(*cell) == Some("ok") {
                continue;
            }
            let seed = first + number as u64;
            let name = format!("{}-{}-{seed}", cell.workload.text(), cell.nemesis.text());
            let dir = self.dir.join(name);
            let options = self
                .shape
                .options(&[cell.workload], &[cell.nemesis], seed, &dir)?;
            match carry_out(&options) {
                Ok(summary) => {
                    all_ok &= summary.report.verdict == Verdict::Ok;
                    results.add(&summary)?;
                    say(&summary, &mut out)?;
                }
                // The harness could not do its work: that is no verdict on the system, and the next cell may do.
                Err(error) => {
                    all_ok = false;
                    writeln!(out, "harness-failure: {}: {error:#}", dir.display())?;
                }
            }
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
}
