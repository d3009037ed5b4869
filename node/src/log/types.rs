//! The log's own words: it shares none with the consensus library, whose formats are not stable.

use bytes::Bytes;

/// Identity of an entry: the leader's term and node, and the entry's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId {
    /// Term of the leader that proposed the entry.
    pub term: u64,
    /// Node id of that leader.
    pub node: u64,
    /// Position in the log; `u64::MAX` is not a position.
    pub index: u64,
}

impl std::fmt::Display for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.term, self.node, self.index)
    }
}

/// What an entry carries. The log treats all alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Requests for the state machine.
    Normal,
    /// Nothing; a new leader's first entry.
    Blank,
    /// A membership configuration.
    Membership,
}

/// One entry of the log. Cloning shares the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it belongs.
    pub log_id: LogId,
    /// What it carries.
    pub kind: EntryKind,
    /// Its bytes, at most [`super::ENTRY_BYTES_MAX`] and what fits a segment.
    pub payload: Bytes,
}

/// The vote of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vote {
    /// Term the vote is for.
    pub term: u64,
    /// Node voted for.
    pub node: u64,
    /// Whether a quorum granted it: that node is the term's leader.
    pub committed: bool,
}

/// What the log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogState {
    /// The last entry that was purged; nothing at or below it can be read.
    pub last_purged: Option<LogId>,
    /// The last entry, or `last_purged` when there is none.
    pub last: Option<LogId>,
}

/// Called once, from the log's thread, after the operation is durable or has failed. It must not block.
pub type Done = Box<dyn FnOnce(std::io::Result<()>) + Send + 'static>;
