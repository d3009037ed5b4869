//! `jepsen check`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::check::{Report, Verdict, check};

/// Judge a history.
///
/// Prints one verdict and what led to it. Exit code: 0 ok, 1 fail, 2 could not read the history or wrong usage,
/// 3 unknown, 4 rejected, 5 harness failure.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The history: JSON lines, as a run writes them.
    history: PathBuf,
    /// How to print the judgement.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let began = Instant::now();
        let report = check(&self.history).with_context(|| self.history.display().to_string())?;
        let mut out = io::stdout().lock();
        match self.output {
            Output::Json => {
                serde_json::to_writer_pretty(&mut out, &report)?;
                writeln!(out)?;
            }
            Output::Text => {
                text(&report, &mut out)?;
                writeln!(out, "checked in {:.1} s", began.elapsed().as_secs_f64())?;
            }
        }
        Ok(ExitCode::from(code(report.verdict)))
    }
}

pub(super) fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Ok => 0,
        Verdict::Fail => 1,
        Verdict::Unknown => 3,
        Verdict::Rejected => 4,
        Verdict::HarnessFailure => 5,
    }
}

fn text(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let word = match report.verdict {
        Verdict::Ok => "ok",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::Rejected => "rejected",
        Verdict::HarnessFailure => "harness-failure",
    };
    writeln!(out, "{word}: {}", report.reason)?;
    let counts = &report.counts;
    writeln!(
        out,
        "{} events, {} calls: {} ok, {} fail, {} info ({} happened, {} did not, {} unresolved)",
        counts.events,
        counts.operations,
        counts.ok,
        counts.fail,
        counts.info,
        counts.info_happened,
        counts.info_did_not_happen,
        counts.info_unresolved
    )?;
    writeln!(
        out,
        "{} items replayed, {} rows of reads compared, {} nodes read completely, {} faults",
        counts.items, counts.rows_read, counts.nodes_read, counts.faults
    )?;
    for violation in &report.violations {
        let sure = if violation.certain {
            ""
        } else {
            " (not certain)"
        };
        let events: Vec<String> = violation
            .events
            .iter()
            .take(8)
            .map(u64::to_string)
            .collect();
        writeln!(
            out,
            "{:?}{sure}, events {}: {}",
            violation.checker,
            events.join(" "),
            violation.message
        )?;
    }
    for (checker, count) in &report.violation_counts {
        writeln!(out, "{checker:?}: {count} in all")?;
    }
    for open in &report.unresolved {
        writeln!(out, "open: {open}")?;
    }
    for window in report.windows.iter().filter(|window| window.to_ms != 0) {
        writeln!(
            out,
            "{:>20} {:>8} to {:>8} ms: {} ok, {} fail, {} info, longest gap {} ms, p50 {:.1} ms, p99 {:.1} ms",
            window.fault,
            window.from_ms,
            window.to_ms,
            window.ok_count,
            window.fail_count,
            window.info_count,
            window.gap_ms_max,
            window.latency_ms_p50,
            window.latency_ms_p99
        )?;
    }
    Ok(())
}
