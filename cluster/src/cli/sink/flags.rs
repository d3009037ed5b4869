//! Flags that every sink has.

use std::time::Duration;

use clap::Args;
use farthing_sinks::Options;

use super::super::values::duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(super) struct RunFlags {
    /// The last sequence, after which it ends [default: it follows the ledger until it is stopped].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "SEQUENCE")]
    pub(super) until: Option<u64>,
    /// Events of one batch, at most [default: 2000; webhook: 500].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "COUNT")]
    batch_events: Option<u32>,
    /// Bytes of one batch, exceeded by one event at most; a sink holds about three times as much in memory [default: 4194304;
    /// webhook: 1048576].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_024..=67_108_864), value_name = "BYTES")]
    batch_bytes: Option<u32>,
    /// How long a batch may wait for more events.
    #[arg(long, default_value = "10ms", value_parser = duration, value_name = "TIME")]
    linger: Duration,
    /// How long delivering may fail before the sink ends with an error [default: it keeps trying].
    #[arg(long, value_parser = duration, value_name = "TIME")]
    patience: Option<Duration>,
    /// Between two lines of progress: on standard error, or with `-o json` one object a line on standard output.
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    progress: Duration,
}

impl RunFlags {
    /// With the sizes of batches that suit the sink unless others are given.
    pub(super) fn options(&self, events: u32, bytes: u32) -> Options {
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Options {
            events_max: whole(self.batch_events.unwrap_or(events)),
            bytes_max: whole(self.batch_bytes.unwrap_or(bytes)),
            linger: self.linger,
            patience: self.patience,
            report_every: self.progress,
        }
    }
}

/// A name under which the ledger keeps a sink's place.
pub(super) fn place_name(text: &str) -> Result<String, String> {
    match text.len() {
        1..=52 => Ok(text.to_owned()),
        _ => Err("a name has 1 to 52 bytes".to_owned()),
    }
}
