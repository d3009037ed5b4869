//! `farthing sink run file`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use farthing_sinks::file::{Config, Files};

use super::flags::RunFlags;
use super::{With, sink_failure};
use crate::failure::Failure;

/// Writes every event into files of a directory: one CloudEvent a line as JSON, each file named after its first sequence.
///
/// Events count once they are on the disk. Killed at any point it goes on behind the last whole line, so every event is
/// there once. Two sinks cannot write in one directory. Files that are complete may be moved away; keep the newest.
#[derive(Debug, Args)]
pub(in crate::cli) struct FileFlags {
    /// The directory; made if it is not there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Bytes after which another file is begun, exceeded by one batch at most.
    #[arg(long, default_value_t = 64 << 20, value_parser = clap::value_parser!(u64).range(1..), value_name = "BYTES")]
    file_bytes: u64,
    /// Events after which another file is begun, exceeded by one batch at most [default: only bytes count].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "COUNT")]
    file_events: Option<u64>,
    #[command(flatten)]
    run: RunFlags,
}

impl FileFlags {
    pub(super) async fn run(self, with: With) -> Result<ExitCode, Failure> {
        let config = Config {
            dir: self.to,
            file_bytes_max: self.file_bytes,
            file_events_max: self.file_events,
        };
        let mut sink = Files::open(config, with.origin.clone()).map_err(sink_failure)?;
        with.run(&mut sink, &self.run).await
    }
}
