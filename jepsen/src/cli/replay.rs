//! `jepsen replay`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::Args;

use crate::check::check;
use crate::history::{Reader, Value};

/// Judge a run again, and repeat it with the same seed and flags.
///
/// The plan of faults and the requests of each worker are the same; when they meet is up to the machine.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Folder of a run.
    folder: PathBuf,
    /// Folder for what the repeated run leaves behind; beside the first when it is left out.
    #[arg(short, long)]
    dir: Option<PathBuf>,
    /// Only judge again.
    #[arg(long)]
    check_only: bool,
}

impl Replay {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let history = self.folder.join("history.jsonl");
        let report = check(&history).with_context(|| history.display().to_string())?;
        let mut out = io::stdout().lock();
        writeln!(out, "as recorded: {:?}: {}", report.verdict, report.reason)?;
        if self.check_only {
            return Ok(ExitCode::from(super::check::code(report.verdict)));
        }
        let first = Reader::open(&history)?
            .next()
            .context("an empty history")??;
        let Value::Run(facts) = first.value else {
            bail!("the history does not begin with its run");
        };
        let mut words = facts.command.split_whitespace();
        if words.next() != Some("jepsen") {
            bail!("the history does not say how to repeat it");
        }
        let dir = match &self.dir {
            Some(dir) => dir.clone(),
            None => free_beside(&self.folder)?,
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words).arg("--dir").arg(dir);
        let status = command.status()?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(ExitCode::from(code.unwrap_or(2)))
    }
}

fn free_beside(folder: &std::path::Path) -> anyhow::Result<PathBuf> {
    let name = folder.file_name().context("a folder without a name")?;
    let name = name.to_string_lossy();
    (2..1000)
        .map(|number| folder.with_file_name(format!("{name}.{number}")))
        .find(|path| !path.exists())
        .context("a thousand repetitions are there already")
}
