//! `jepsen synthetic`.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::history::Writer;
use crate::synthetic::{Config, Synthetic};

/// Make a correct history that no cluster made.
///
/// The same flags give the same bytes. `jepsen synthetic --operations 10000000 FILE && time jepsen check FILE` shows
/// how fast histories are checked.
#[derive(Debug, Args)]
pub(super) struct Make {
    /// Where to write it; an existing file is replaced.
    file: PathBuf,
    /// Calls, reads included.
    #[arg(long, default_value_t = 10_000)]
    operations: u64,
    /// Every choice follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls under way at a time.
    #[arg(long, default_value_t = 64)]
    processes: u64,
    /// Accounts.
    #[arg(long, default_value_t = 1000)]
    accounts: u64,
    /// Nodes whose complete state stands at the end.
    #[arg(long, default_value_t = 1)]
    nodes_read: u64,
    /// Nodes that only give their digest at the end.
    #[arg(long, default_value_t = 2)]
    nodes_digest: u64,
    /// Only single-phase transfers and reads of accounts: for `jepsen export --edn append` and `--porcupine`.
    #[arg(long)]
    plain: bool,
}

impl Make {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let config = Config {
            operations: self.operations,
            seed: self.seed,
            processes: self.processes.max(1),
            accounts: self.accounts,
            nodes_read: self.nodes_read,
            nodes_digest: self.nodes_digest,
            plain: self.plain,
            ..Config::default()
        };
        let file = File::create(&self.file).with_context(|| self.file.display().to_string())?;
        let mut writer = Writer::new(BufWriter::with_capacity(1 << 20, file));
        for event in Synthetic::new(config) {
            writer.write_lazily(&event)?;
        }
        writer.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
