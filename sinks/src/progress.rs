//! How far a sink is, for people and for programs.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

/// How far a sink is.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    /// The sink's kind.
    pub sink: &'static str,
    /// Events delivered since the start, dead letters among them.
    pub delivered: u64,
    /// Everything up to here is in the sink.
    pub last_sequence: u64,
    /// The last sequence that is known to exist.
    pub newest_sequence: u64,
    /// Sequences between the two.
    pub lag: u64,
    /// Attempts that failed and were made again.
    pub retries: u64,
    /// Events that were put aside because the other side does not take them.
    pub dead_letters: u64,
    /// Events delivered per second since the report before this one.
    pub rate_per_s: u64,
    /// Why the last attempt failed, while it is being made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
    #[serde(skip)]
    reported: Instant,
    #[serde(skip)]
    reported_delivered: u64,
}

impl Progress {
    pub(crate) fn new(sink: &'static str) -> Progress {
        Progress {
            sink,
            delivered: 0,
            last_sequence: 0,
            newest_sequence: 0,
            lag: 0,
            retries: 0,
            dead_letters: 0,
            rate_per_s: 0,
            waiting_for: None,
            reported: Instant::now(),
            reported_delivered: 0,
        }
    }

    /// Brings what is derived up to date, for a report that is made now.
    pub(crate) fn settle(&mut self, newest: u64) {
        self.newest_sequence = newest.max(self.last_sequence);
        self.lag = self.newest_sequence - self.last_sequence;
        let elapsed_ms = u64::try_from(self.reported.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since = self.delivered - self.reported_delivered;
        self.rate_per_s = since.saturating_mul(1_000) / elapsed_ms.max(1);
        self.reported = Instant::now();
        self.reported_delivered = self.delivered;
    }

    pub(crate) fn since_reported(&self) -> std::time::Duration {
        self.reported.elapsed()
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: at {}, {} behind, {} delivered, {}/s, {} retries, {} dead letters",
            self.sink,
            self.last_sequence,
            self.lag,
            self.delivered,
            self.rate_per_s,
            self.retries,
            self.dead_letters
        )?;
        match &self.waiting_for {
            Some(what) => write!(f, "; trying again: {what}"),
            None => Ok(()),
        }
    }
}
