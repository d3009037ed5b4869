//! How far a worker is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farthing_ledger::PendingStatus;

use super::decision::Settlement;

/// What a worker has done since it was started, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SettlementProgress {
    /// Pending transfers done with: posted, voided, expired and left.
    pub settled: u64,
    /// Of these, posted, by whomever.
    pub posted: u64,
    /// Of these, voided, by whomever.
    pub voided: u64,
    /// Of these, expired.
    pub expired: u64,
    /// Of these, left pending because a refusal was answered so.
    pub left: u64,
    /// Of those settled, found at their end before anything was decided: after a restart, or ended by somebody else.
    pub found: u64,
    /// Of those settled, at another end than was decided. See [`Settlement::contradicts`].
    pub contradicted: u64,
    /// Refusals that were told.
    pub refused: u64,
    /// Attempts that are made again: decisions that failed, calls without an answer.
    pub retries: u64,
    /// Pending transfers that are open now.
    pub open: u64,
    /// Of these, those that wait for their time: put off, or to be tried again.
    pub waiting: u64,
    /// Most that were open at once.
    pub open_most: u64,
    /// Everything up to this sequence is done with.
    pub low_water: u64,
    /// Everything up to this sequence is saved as done with.
    pub saved: u64,
    /// The last sequence that a node has told of.
    pub newest_sequence: u64,
}

impl SettlementProgress {
    /// Sequences between what is done with and the newest one heard of. A pending transfer that was put off keeps it
    /// high; while as many are open as may be, nothing newer is heard of.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.newest_sequence.saturating_sub(self.low_water)
    }

    pub(super) fn count(&mut self, settlement: &Settlement) {
        self.settled += 1;
        match settlement.end {
            PendingStatus::Posted => self.posted += 1,
            PendingStatus::Voided => self.voided += 1,
            PendingStatus::Expired => self.expired += 1,
            PendingStatus::Pending => {}
        }
        self.found += u64::from(settlement.decision.is_none());
        self.contradicted += u64::from(settlement.contradicts());
    }
}

/// Reads a worker's progress while it runs, and after. Made by
/// [`SettlementWorker::progress`](super::SettlementWorker::progress).
#[derive(Debug, Clone, Default)]
pub struct ProgressHandle {
    shared: Arc<Mutex<SettlementProgress>>,
}

impl ProgressHandle {
    /// The progress now.
    #[must_use]
    pub fn get(&self) -> SettlementProgress {
        *self.lock()
    }

    /// A panic cannot happen while it is held: only numbers change under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, SettlementProgress> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
