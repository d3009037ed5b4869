//! Many seeds, shared among processes.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use farthing_sim::{points, run};

/// A seed that takes longer, on this machine's clock, hangs.
const SEED_MAX: Duration = Duration::from_secs(180);
/// Between two lines of progress.
const SAY_INTERVAL: Duration = Duration::from_secs(10);

/// Prints a line.
pub(crate) fn say(what: Arguments<'_>) {
    // Whoever has closed our output does not want to read.
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Runs every `step`th seed of a range; one line for each, its fields apart by tabs: seed, virtual ms, violations, and
/// points with their counts.
pub(crate) fn work(from: u64, end: u64, step: u64) -> anyhow::Result<bool> {
    for seed in (from..end).step_by(usize::try_from(step)?) {
        let outcome = run::run(seed, "", None);
        let violations = outcome.violations.join("; ").replace(['\t', '\n'], " ");
        let points: Vec<String> = outcome
            .summary
            .points
            .iter()
            .map(|(point, count)| format!("{point}={count}"))
            .collect();
        let virtual_ms = outcome.virtual_time.as_millis();
        say(format_args!(
            "{seed}\t{virtual_ms}\t{violations}\t{}",
            points.join("\t")
        ));
    }
    Ok(true)
}

#[derive(Default)]
struct Sum {
    done: u64,
    virtual_ms: u64,
    failed: Vec<(u64, String)>,
    points: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, line: &str) -> Option<()> {
        let mut fields = line.split('\t');
        let seed: u64 = fields.next()?.parse().ok()?;
        self.virtual_ms += fields.next()?.parse::<u64>().ok()?;
        let violations = fields.next()?;
        self.done += 1;
        if !violations.is_empty() {
            say(format_args!("seed {seed} FAILED: {violations}"));
            say(format_args!(
                "  replay: make sim SEED={seed}   (its trace goes to sim-{seed}.trace)"
            ));
            self.failed.push((seed, violations.to_owned()));
        }
        for point in fields {
            let (name, count) = point.split_once('=')?;
            *self.points.entry(name.to_owned()).or_default() += count.parse::<u64>().ok()?;
        }
        Some(())
    }
}

/// Runs seeds in `jobs` processes. True when all pass and, of enough seeds, every point was reached.
pub(crate) fn run(from: u64, seeds: u64, jobs: u64) -> anyhow::Result<bool> {
    let began = Instant::now();
    let (lines, arriving) = mpsc::sync_channel(1_024);
    let end = from + seeds;
    let mut workers = Vec::new();
    for job in 0..jobs {
        let first = (from + job).to_string();
        let mut worker = Command::new(std::env::current_exe()?)
            .args(["worker", &first, &end.to_string(), &jobs.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let Some(output) = worker.stdout.take() else {
            anyhow::bail!("a worker has no output");
        };
        let lines = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        workers.push(worker);
    }
    drop(lines);
    let mut sum = Sum::default();
    let mut said = Instant::now();
    let hangs = loop {
        match arriving.recv_timeout(SEED_MAX) {
            Ok(line) => {
                if sum.add(&line).is_none() {
                    say(format_args!("not understood: {line}"));
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => break true,
            Err(mpsc::RecvTimeoutError::Disconnected) => break false,
        }
        if said.elapsed() > SAY_INTERVAL {
            said = Instant::now();
            let per_s = sum.done as f64 / began.elapsed().as_secs_f64();
            say(format_args!(
                "{} of {seeds} seeds, {per_s:.1} a second, {} failed",
                sum.done,
                sum.failed.len()
            ));
        }
    };
    let mut all_ended_well = !hangs;
    for worker in &mut workers {
        if hangs {
            let _ = worker.kill();
        }
        all_ended_well &= worker.wait()?.success();
    }
    Ok(report(&sum, seeds, began.elapsed(), all_ended_well))
}

fn report(sum: &Sum, seeds: u64, took: Duration, all_ended_well: bool) -> bool {
    say(format_args!("points reached:"));
    for (point, count) in &sum.points {
        say(format_args!("{count:>10}  {point}"));
    }
    let missing = points::missing(&sum.points);
    let is_enough = seeds >= points::SEEDS_MIN;
    if !missing.is_empty() {
        let then = if is_enough {
            "FAILED"
        } else {
            "not asked of so few seeds"
        };
        say(format_args!("points not reached ({then}): {missing:?}"));
    }
    if !all_ended_well || sum.done != seeds {
        say(format_args!(
            "FAILED: a worker hung or died; {} of {seeds} seeds are known",
            sum.done
        ));
    }
    let passed = sum.failed.is_empty()
        && all_ended_well
        && sum.done == seeds
        && (missing.is_empty() || !is_enough);
    let per_s = sum.done as f64 / took.as_secs_f64();
    say(format_args!(
        "{}: {} seeds, {} failed, {:.1} a second, {:.1} hours of virtual time in {took:.0?}",
        if passed { "passed" } else { "FAILED" },
        sum.done,
        sum.failed.len(),
        per_s,
        sum.virtual_ms as f64 / 3_600_000.0
    ));
    for (seed, _) in sum.failed.iter().take(20) {
        say(format_args!("make sim SEED={seed}"));
    }
    passed
}
