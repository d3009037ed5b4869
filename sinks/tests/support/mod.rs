//! Events without a ledger.
#![allow(dead_code)] // each test uses some of it

use std::ops::Range;

use farthing_client::events::EventKind;
use farthing_sinks::{Delivery, Error, Origin, Source};
use tokio_util::sync::CancellationToken;

pub(crate) fn origin() -> Origin {
    Origin::of_cluster(7)
}

pub(crate) fn event(sequence: u64) -> Delivery {
    Delivery {
        sequence,
        timestamp: 1_795_425_930_000_000_000 + sequence,
        kind: EventKind::TransferCreated,
        subject: format!("transfer/{sequence}"),
        data: format!(
            "{{\"sequence\":{sequence},\"filler\":\"{}\"}}",
            "x".repeat(300)
        )
        .into(),
        is_cursor: false,
    }
}

pub(crate) fn events(sequences: Range<u64>) -> Vec<Delivery> {
    sequences.map(event).collect()
}

/// A ledger of made-up events.
pub(crate) struct Made {
    at: u64,
    until: u64,
    given: u64,
    stop: Option<(u64, CancellationToken)>,
}

impl Made {
    pub(crate) fn until(until: u64) -> Made {
        Made {
            at: 0,
            until,
            given: 0,
            stop: None,
        }
    }

    /// Asks the runner to end once so many events were given.
    pub(crate) fn stop_after(&mut self, count: u64, stop: &CancellationToken) {
        self.stop = Some((count, stop.clone()));
    }
}

impl Source for Made {
    fn begin(&mut self, after: u64) {
        self.at = after;
    }

    async fn next(&mut self) -> Result<Option<Vec<Delivery>>, Error> {
        if self.at >= self.until {
            return Ok(None);
        }
        let end = (self.at + 16).min(self.until);
        let part = events(self.at + 1..end + 1);
        self.given += end - self.at;
        self.at = end;
        if let Some((count, stop)) = &self.stop
            && self.given >= *count
        {
            stop.cancel();
        }
        Ok(Some(part))
    }

    fn newest(&self) -> u64 {
        self.until
    }
}
