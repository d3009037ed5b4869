//! Logs of the process: where they go and in which form. Called by every layer through `tracing`.

mod lines;

use std::io::IsTerminal as _;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use lines::{Line, Lines};

/// Form of a log line.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    clap::ValueEnum,
    serde::Deserialize,
    serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged when `RUST_LOG` and the configuration say nothing. openraft reports every step at `info`; its
/// warnings are what a person may act on.
pub const FILTER_DEFAULT: &str =
    "info,openraft=warn,openraft::core::heartbeat=error,h2=warn,hyper=warn,tower=warn";

/// How long an end waits for the last lines to be taken.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// Sends logs to stderr, without ever waiting for whoever reads them. A second call changes nothing.
pub fn start(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_from_default_env()
        .or_else(|_| EnvFilter::try_new(filter))
        .unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    Lines::of_process();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Line::new)
        // A line that cannot be written is lost. The complaint about it would go to the same place, and panic there:
        // a full disk under the log file would end a node whose data is well.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Writes a line to stderr that must not depend on the log's filter. Without anyone to read it, it is lost.
pub fn tell(line: impl std::fmt::Display) {
    use std::io::Write as _;
    match Lines::begun() {
        Some(lines) => lines.take(format!("{line}\n").as_bytes()),
        None => {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// Waits a moment until the lines taken so far are written: call it before the process ends.
pub fn flush() {
    if let Some(lines) = Lines::begun() {
        lines.flush(FLUSH_MAX);
    }
}

/// Log lines dropped since the start because nobody took them.
pub fn dropped_lines() -> u64 {
    Lines::begun().map_or(0, Lines::dropped)
}
