//! What the apply thread keeps of each window that is not committed yet, beside the window itself: changes of the
//! expiry queue, and timestamps. Dropped when the window's run is committed, for then the disk says the same.

use std::collections::{BTreeMap, BTreeSet};

use farthing_ledger::{Changes, EventBody, Pending, PendingStatus};

use super::id_ranges::IdRanges;

/// Ranges kept of a window's ids: enough for a few time-ordered clients and a few odd ids.
const ID_RANGES_MAX: usize = 24;

/// A place in the expiry queue: (expires_at, timestamp) in ns.
pub(crate) type Place = (u64, u64);

/// See the module.
#[derive(Default)]
pub(crate) struct Recent {
    /// Number of the window.
    pub(crate) number: u64,
    added: BTreeMap<Place, u128>,
    removed: BTreeSet<Place>,
    /// Ascending, as accounts are created.
    account_times: Vec<u64>,
    /// First transfer timestamp and chunk number of each chunk with transfers, ascending.
    transfer_times: Vec<(u64, u32)>,
    /// Hold every transfer id of the window, so that new time-ordered ids need no look at its index.
    ids: IdRanges,
}

impl Recent {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// Takes note of an entry whose chunk is number `chunk` of the window.
    pub(crate) fn absorb(&mut self, changes: &Changes, chunk: usize) {
        for change in &changes.pendings {
            match (queue_place(&change.after), change.after.status) {
                (Some(place), PendingStatus::Pending) => {
                    self.added.insert(place, change.after.transfer.id.0);
                }
                (Some(place), _) if self.added.remove(&place).is_none() => {
                    self.removed.insert(place);
                }
                _ => {}
            }
        }
        let created = changes
            .events
            .iter()
            .filter(|event| matches!(event.body, EventBody::AccountCreated(_)));
        self.account_times
            .extend(created.map(|event| event.timestamp));
        let transfers = changes.transfers.iter().map(|row| row.transfer.id.0);
        let mut ids: Vec<u128> = transfers
            .chain(changes.refused.iter().map(|id| id.0))
            .collect();
        ids.sort_unstable();
        self.ids = self.ids.with_run(ids.iter().copied(), ID_RANGES_MAX);
        if let Some(row) = changes.transfers.first() {
            self.transfer_times
                .push((row.transfer.timestamp, chunk as u32));
        }
    }

    /// Pendings that entered the queue in this window and are still in it, from `from` on.
    pub(crate) fn added_from(&self, from: Place) -> impl Iterator<Item = (Place, u128)> + '_ {
        self.added.range(from..).map(|(&place, &id)| (place, id))
    }

    /// True when the place was in the queue before this window and no longer is.
    pub(crate) fn is_removed(&self, place: &Place) -> bool {
        self.removed.contains(place)
    }

    /// True when the window may hold this transfer id.
    #[inline]
    pub(crate) fn may_have_id(&self, id: u128) -> bool {
        self.ids.may_contain(id)
    }

    pub(crate) fn has_account_at(&self, timestamp: u64) -> bool {
        self.account_times.binary_search(&timestamp).is_ok()
    }

    /// The chunk in which a transfer of this timestamp would be.
    pub(crate) fn chunk_of_transfer_at(&self, timestamp: u64) -> Option<usize> {
        let after = self
            .transfer_times
            .partition_point(|&(first, _)| first <= timestamp);
        Some(self.transfer_times.get(after.checked_sub(1)?)?.1 as usize)
    }

    /// Memory it takes, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.added.len() * 48
            + self.removed.len() * 24
            + self.account_times.len() * 8
            + self.transfer_times.len() * 16
    }
}

/// The queue place a pending had or has: unlike [`Pending::due_at`] whatever its status.
pub(crate) fn queue_place(pending: &Pending) -> Option<Place> {
    Some((pending.transfer.expires_at()?, pending.transfer.timestamp))
}
