//! What all items have in common: the checks before the command itself, one shape of answer.

use crate::TIMESTAMP_MAX;
use crate::result::ItemResult;

use super::{Broken, Overlay, View};

/// The same number in every kind of status that can be part of a chain.
pub(super) const LINKED_EVENT_FAILED: u32 = 1;
/// The same number in every kind of status that can be part of a chain.
pub(super) const LINKED_EVENT_CHAIN_OPEN: u32 = 2;

/// An item that can be part of a chain.
pub(super) trait Command {
    /// True when it stands or falls with the next item.
    fn linked(&self) -> bool;

    /// The imported flag; `None` for kinds that have none and take no part in the imported mode.
    fn imported(&self) -> Option<bool>;

    /// Refuses or applies the item. `now` (ns) is its own tick of the clock, `mode` the imported mode of its request.
    fn execute<V: View>(
        &self,
        overlay: &mut Overlay<'_, V>,
        mode: bool,
        now: u64,
    ) -> Result<ItemResult, Broken>;
}

/// The statuses of one kind for what is wrong with the imported flag or the timestamp.
pub(super) struct TimeStatuses<S> {
    pub(super) expected: S,
    pub(super) not_expected: S,
    pub(super) must_be_zero: S,
    pub(super) out_of_range: S,
    pub(super) must_not_advance: S,
}

/// The timestamp an item gets: the clock's, or its own past one if it is imported.
#[inline]
pub(super) fn item_timestamp<S>(
    imported: bool,
    mode: bool,
    timestamp: u64,
    now: u64,
    statuses: TimeStatuses<S>,
) -> Result<u64, S> {
    if imported != mode {
        return Err(if imported {
            statuses.not_expected
        } else {
            statuses.expected
        });
    }
    if !imported {
        return if timestamp == 0 {
            Ok(now)
        } else {
            Err(statuses.must_be_zero)
        };
    }
    if timestamp == 0 || timestamp > TIMESTAMP_MAX {
        return Err(statuses.out_of_range);
    }
    if timestamp >= now {
        return Err(statuses.must_not_advance);
    }
    Ok(timestamp)
}
