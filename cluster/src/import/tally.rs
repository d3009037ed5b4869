//! Answers counted.

use std::collections::BTreeMap;
use std::time::Duration;

use farthing_client::Outcome;
use farthing_ledger::CreateTransferStatus;

use super::report::Refusals;
use crate::latency::Latencies;

/// What became of the transfers sent so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) created: u64,
    pub(super) existed: u64,
    pub(super) refused: u64,
    pub(super) refusals: BTreeMap<String, Refusals>,
    pub(super) accounts_created: u64,
    pub(super) latencies: Latencies,
}

impl Tally {
    /// Counts a batch. A transfer that exists, but is younger than `begun_at` (ns of the cluster's clock), was created
    /// by an earlier attempt of this very run whose answer was lost.
    pub(super) fn batch(
        &mut self,
        lines: &[u64],
        outcomes: &[Outcome<CreateTransferStatus>],
        begun_at: u64,
        latency: Duration,
    ) {
        self.latencies.record(latency);
        for (line, outcome) in lines.iter().zip(outcomes) {
            match outcome.status {
                CreateTransferStatus::Created => self.created += 1,
                CreateTransferStatus::Exists if outcome.timestamp > begun_at => self.created += 1,
                CreateTransferStatus::Exists => self.existed += 1,
                status => {
                    self.refused += 1;
                    self.refusals
                        .entry(status.name().to_owned())
                        .or_default()
                        .add(*line);
                }
            }
        }
    }

    /// Transfers answered.
    pub(super) fn answered(&self) -> u64 {
        self.created + self.existed + self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_run_created_is_told_from_what_was_there() {
        let outcome = |status, timestamp| Outcome {
            status,
            timestamp,
            log_index: 1,
            by_earlier_attempt: false,
        };
        let mut tally = Tally::default();
        tally.batch(
            &[2, 3, 4, 5, 6],
            &[
                outcome(CreateTransferStatus::Created, 200),
                outcome(CreateTransferStatus::Exists, 150),
                outcome(CreateTransferStatus::Exists, 160),
                outcome(CreateTransferStatus::Exists, 50),
                outcome(CreateTransferStatus::ExistsWithDifferentAmount, 50),
            ],
            100,
            Duration::from_millis(1),
        );
        assert_eq!((tally.created, tally.existed, tally.refused), (3, 1, 1));
        assert_eq!(tally.refusals["exists_with_different_amount"].lines, [6]);
        assert_eq!(tally.answered(), 5);
    }
}
