//! `farthing-sim`: runs seeds, replays one, and shows that planted mistakes are found.

mod campaign;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use farthing_sim::run;

/// Mistakes of the simulator's own nodes, beside those of `farthing_node::planted`.
const OWN_MISTAKES: [&str; 1] = ["apply-twice"];

#[derive(Debug, Parser)]
#[command(about = "Deterministic simulation of a Farthing cluster", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run many seeds, shared among processes; fails on the first kind of trouble, or when points are not reached.
    Run {
        /// How many seeds.
        #[arg(long, default_value_t = 100)]
        seeds: u64,
        /// The first of them.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Processes.
        #[arg(long, default_value_t = 2)]
        jobs: u64,
    },
    /// Run one seed again, with its whole trace.
    Replay {
        /// The seed.
        seed: u64,
        /// Where to write the trace; nowhere by default.
        #[arg(long)]
        trace: Option<PathBuf>,
        /// A mistake to switch on.
        #[arg(long, default_value = "")]
        planted: String,
    },
    /// Run every planted mistake until it is found; fails when one is not.
    Planted {
        /// Seeds to try for each.
        #[arg(long, default_value_t = 400)]
        seeds: u64,
        /// Only this one.
        #[arg(long)]
        only: Option<String>,
    },
    /// Run every `step`th seed and print a line for each; what `run` starts.
    #[command(hide = true)]
    Worker { from: u64, end: u64, step: u64 },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::builder()
                .with_env_var("FARTHING_LOG")
                .with_default_directive(tracing_subscriber::filter::LevelFilter::OFF.into())
                .from_env_lossy(),
        )
        .with_writer(std::io::stderr)
        .without_time()
        .init();
    let result = match Arguments::parse().command {
        Command::Run { seeds, from, jobs } => campaign::run(from, seeds, jobs.max(1)),
        Command::Replay {
            seed,
            trace,
            planted,
        } => replay(seed, trace, &planted),
        Command::Planted { seeds, only } => find_planted(seeds, only.as_deref()),
        Command::Worker { from, end, step } => campaign::work(from, end, step),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            campaign::say(format_args!("farthing-sim: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn mistakes() -> impl Iterator<Item = &'static str> {
    farthing_node::planted::NAMES
        .into_iter()
        .chain(OWN_MISTAKES)
}

fn replay(seed: u64, trace: Option<PathBuf>, planted: &str) -> anyhow::Result<bool> {
    let planted = match planted {
        "" => "",
        name => mistakes()
            .find(|known| *known == name)
            .ok_or_else(|| anyhow::anyhow!("no planted mistake is called {name}"))?,
    };
    let out = match &trace {
        Some(path) => Some(Box::new(BufWriter::new(File::create(path)?)) as Box<dyn Write>),
        None => None,
    };
    let outcome = run::run(seed, planted, out);
    campaign::say(format_args!(
        "seed {seed}: trace {:016x} of {} lines, {:?} of virtual time, {} answers, mended in {:?}",
        outcome.summary.hash,
        outcome.summary.lines,
        outcome.virtual_time,
        outcome.answers,
        outcome.healed_in
    ));
    for (point, count) in &outcome.summary.points {
        campaign::say(format_args!("{count:>8}  {point}"));
    }
    for violation in &outcome.violations {
        campaign::say(format_args!("VIOLATION {violation}"));
    }
    Ok(outcome.violations.is_empty())
}

/// A mistake is found when a seed fails with it that passes without.
fn find_planted(seeds: u64, only: Option<&str>) -> anyhow::Result<bool> {
    let mut all_found = true;
    for name in mistakes().filter(|name| only.is_none_or(|only| only == *name)) {
        let found = (0..seeds).find_map(|seed| {
            let first = run::run(seed, name, None).violations.into_iter().next()?;
            Some((seed, first))
        });
        match found {
            Some((seed, first)) => {
                campaign::say(format_args!("{name}: found by seed {seed}: {first}"));
            }
            None => {
                all_found = false;
                campaign::say(format_args!("{name}: NOT FOUND in {seeds} seeds"));
            }
        }
    }
    Ok(all_found)
}
