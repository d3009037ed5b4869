//! The clock of the log and the counters that go with it.

/// Where the state stands: what must be known before the next entry can be applied. All of it is a function of the
/// log alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Clock {
    /// ns. The last timestamp given to any item, refused ones included. Strictly increasing.
    pub timestamp: u64,
    /// ns. The timestamp of the last account created, imported ones included. Strictly increasing.
    pub account_timestamp: u64,
    /// ns. The timestamp of the last transfer created, imported ones included. Strictly increasing.
    pub transfer_timestamp: u64,
    /// The last number of the dense sequence of changes; 0 before the first.
    pub sequence: u64,
    /// Accounts created so far.
    pub account_count: u64,
    /// Transfers created so far.
    pub transfer_count: u64,
    /// Transfer ids used up by a refusal so far.
    pub refused_count: u64,
    /// Pending transfers that have not met their end.
    pub pending_count: u64,
}
