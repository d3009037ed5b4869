//! `jepsen planted`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;

use crate::planted::{self, BUGS, Bug, Line, VARIABLE};

/// Run nodes with bugs planted on purpose until a checker notices each.
///
/// Needs a node built with `cargo build --release -p farthing-node --features planted`. Exit code: 0 when every bug was
/// caught, else 1.
#[derive(Debug, Args)]
pub(super) struct Planted {
    /// Only these bugs; `none` runs everything with nothing planted, which must pass; `list` only says what there is.
    names: Vec<String>,
    /// The node program with planted bugs.
    #[arg(long, env = "FARTHING_NODE_BIN")]
    node_bin: PathBuf,
    /// Seconds of load in one run.
    #[arg(short, long, default_value_t = 10)]
    time: u64,
    /// Runs until a bug counts as not caught.
    #[arg(long, default_value_t = 6)]
    runs: u64,
    /// Seed of the first run of each bug; the next has the next.
    #[arg(short, long, default_value_t = 1)]
    seed: u64,
    /// File of results: one JSON object a line, appended.
    #[arg(long, default_value = "jepsen/results/planted.jsonl")]
    results: PathBuf,
    /// Folder for what the runs leave behind.
    #[arg(short, long, default_value = "jepsen-runs")]
    dir: PathBuf,
}

impl Planted {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut out = io::stdout().lock();
        let asked = |name: &str| self.names.iter().any(|asked| asked == name);
        if asked("list") {
            for bug in BUGS {
                writeln!(out, "{:34} {}", bug.name, bug.what)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(unknown) = self
            .names
            .iter()
            .find(|name| *name != "none" && BUGS.iter().all(|bug| bug.name != name.as_str()))
        {
            bail!("no bug is called {unknown:?}; `jepsen planted list` says what there is");
        }
        let nothing = asked("none");
        let wanted = BUGS
            .iter()
            .filter(|bug| self.names.is_empty() || nothing || asked(bug.name));
        let (mut caught, mut times, mut total) = (0, Vec::new(), 0);
        for bug in wanted {
            let line = self.hunt(bug, if nothing { "" } else { bug.name })?;
            let checkers = line.checkers.join(" ");
            let word = if line.caught { "caught" } else { "not caught" };
            writeln!(
                out,
                "{word}: {} after {} s in {} runs {checkers}\n  {}",
                bug.name, line.took_s, line.runs, line.command
            )?;
            out.flush()?;
            total += 1;
            if line.caught {
                caught += 1;
                times.push(line.took_s);
            }
            if !nothing {
                planted::add(&self.results, &line)?;
            }
        }
        let median = planted::median(times).map_or_else(String::new, |s| format!(", median {s} s"));
        writeln!(out, "{caught} of {total} caught{median}")?;
        let expected = if nothing { 0 } else { total };
        Ok(ExitCode::from(u8::from(caught != expected)))
    }

    /// Runs with one seed after another until a checker says `fail`. With nothing planted one run is enough.
    fn hunt(&self, bug: &Bug, planted: &str) -> anyhow::Result<Line> {
        let began = Instant::now();
        let mut line = Line {
            name: bug.name.to_owned(),
            caught: false,
            took_s: 0,
            runs: 0,
            checkers: Vec::new(),
            command: String::new(),
        };
        let runs = if planted.is_empty() { 1 } else { self.runs };
        for seed in (self.seed..).take(usize::try_from(runs)?) {
            let flags = format!(
                "run --workload {} --nemesis {} --time {} --seed {seed}",
                bug.workload, bug.nemesis, self.time
            );
            line.command = format!("{VARIABLE}={planted} jepsen {flags}");
            line.runs += 1;
            let dir = self.dir.join(format!("planted-{}-{seed}", bug.name));
            let code = self.one(&flags, planted, &dir)?;
            if code == Some(1) {
                line.caught = true;
                line.checkers = found_by(&dir)?;
            }
            if code != Some(2) {
                // What a bug does to the data is of no use to anybody; the same name is used again.
                std::fs::remove_dir_all(&dir).with_context(|| dir.display().to_string())?;
            }
            if line.caught {
                break;
            }
        }
        line.took_s = began.elapsed().as_secs();
        Ok(line)
    }

    /// One run in a process of its own, because nodes take the bug's name from their environment.
    fn one(&self, flags: &str, planted: &str, dir: &Path) -> anyhow::Result<Option<i32>> {
        let status = Command::new(std::env::current_exe()?)
            .args(flags.split(' '))
            .arg("--node-bin")
            .arg(&self.node_bin)
            .arg("--dir")
            .arg(dir)
            .env(VARIABLE, planted)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(status.code())
    }
}

/// The checkers that found something in the run of a folder.
fn found_by(dir: &Path) -> anyhow::Result<Vec<String>> {
    let path = dir.join("verdict.json");
    let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let verdict: serde_json::Value = serde_json::from_slice(&text)?;
    let counts = verdict["violation_counts"].as_object();
    Ok(counts
        .into_iter()
        .flat_map(|counts| counts.keys().cloned())
        .collect())
}
