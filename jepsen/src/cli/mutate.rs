//! `jepsen mutate`.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use crate::history::{Event, Reader, Writer};
use crate::synthetic::Mutation;

/// Break a history in one place, to see whether a checker notices.
///
/// The same history, mutation and seed give the same bytes.
#[derive(Debug, Args)]
pub(super) struct Mutate {
    /// The history to break; it is only read.
    history: PathBuf,
    /// Where to write the broken one; an existing file is replaced.
    out: PathBuf,
    /// What to imitate, such as `stale-read`; a wrong name lists all of them.
    #[arg(long)]
    mutation: String,
    /// Chooses the place.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Mutate {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Some(mutation) = Mutation::ALL.iter().find(|m| m.name == self.mutation) else {
            let names: Vec<_> = Mutation::ALL.iter().map(|m| m.name).collect();
            bail!(
                "no mutation {:?}; there are: {}",
                self.mutation,
                names.join(", ")
            );
        };
        let reader =
            Reader::open(&self.history).with_context(|| self.history.display().to_string())?;
        let mut events = reader
            .collect::<Result<Vec<Event>, _>>()
            .with_context(|| self.history.display().to_string())?;
        if !mutation.apply(&mut events, self.seed) {
            bail!("the history has nothing that {} could break", mutation.name);
        }
        let file = File::create(&self.out).with_context(|| self.out.display().to_string())?;
        let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, file));
        for event in &events {
            writer.write_lazily(event)?;
        }
        writer.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
