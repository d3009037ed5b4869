//! What the core asks of a state, and nothing more.

use crate::account::Account;
use crate::ids::{AccountId, TransferId};
use crate::ledger::Ledger;
use crate::pending::Pending;
use crate::record::{NamespaceTotals, Record, RecordKey};
use crate::transfer::Transfer;

use super::Clock;

/// What is known of a transfer id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // returned by value from lookups that mostly find nothing; a box would allocate
pub enum Seen {
    /// It was refused for a passing reason and can never be used.
    Refused,
    /// It was applied.
    Applied {
        /// As stored.
        transfer: Transfer,
        /// Its place in the dense sequence of changes.
        sequence: u64,
    },
}

/// The state before an entry. [`super::apply`] asks only for what [`super::round_one`] and [`super::round_two`] have
/// announced, so an implementation can gather everything beforehand and answer from memory.
///
/// All answers must belong to one state: the one after the entry before this one.
pub trait View {
    /// Clock and counters.
    fn clock(&self) -> Clock;
    /// The account of an id.
    fn account(&self, id: AccountId) -> Option<Account>;
    /// What is known of a transfer id.
    fn transfer(&self, id: TransferId) -> Option<Seen>;
    /// The row of a pending transfer, whatever its status.
    fn pending(&self, id: TransferId) -> Option<Pending>;
    /// The row of a ledger number, registered or not.
    fn ledger(&self, ledger: u32) -> Option<Ledger>;
    /// The row of a record, deleted or not.
    fn record(&self, key: &RecordKey) -> Option<Record>;
    /// The totals of a namespace.
    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals>;
    /// The value of a setting that was changed at least once.
    fn setting(&self, setting: u32) -> Option<u64>;
    /// The first `limit` pending transfers that expire at `now` (ns) or before, by (expires_at, timestamp).
    fn due(&self, now: u64, limit: usize) -> Vec<Pending>;
    /// True when an account has this timestamp. Asked for imported transfers only.
    fn account_at(&self, timestamp: u64) -> bool;
    /// True when a transfer has this timestamp. Asked for imported accounts only.
    fn transfer_at(&self, timestamp: u64) -> bool;
}
