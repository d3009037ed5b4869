//! Raft: how entries become the same on every node.
//!
//! This is the only folder that names openraft. Outside it there is a [`Handle`]: propose an entry, get a read index,
//! watch who leads. It knows nothing of accounts or clients; entries are bytes. Start reading at [`start`].
//!
//! Raft and the peers' listener run on one thread with a runtime of their own, so that a flood of clients cannot
//! delay a heartbeat.

mod appends;
mod begin;
mod blocking;
pub mod channel;
mod claims;
pub mod clocks;
mod connection;
mod convert;
mod exchange;
mod founding;
mod guard;
mod handle;
mod identity;
pub mod inspect;
mod log_store;
mod machine;
mod members;
mod network;
mod peer;
mod planted;
mod read_index;
mod refill;
mod remember;
pub(crate) mod reread;
mod retention;
mod roster;
#[cfg(feature = "simulation")]
pub mod runtime;
mod snapshot;
mod start;
mod status;
mod suspect;
mod types;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use self::handle::{Committed, Handle};
pub use self::members::ChangeError;
pub use self::roster::has_others;
#[cfg(feature = "simulation")]
pub use self::start::start_here;
pub use self::start::{HELD_MAX, LIMITS, Parts, Running, start};
pub use self::status::{MemberStatus, Role, Status};
pub use self::suspect::Suspicion;
pub use self::types::Member;

/// How this node takes part in Raft.
#[derive(Debug, Clone)]
pub struct Config {
    /// Cluster this node belongs to; calls from another one are refused.
    pub cluster_id: u128,
    /// This node's number, unique for ever in its cluster.
    pub node_id: u64,
    /// The node's directory, for what it knows of the others.
    pub dir: PathBuf,
    /// Starts of that directory, this one included.
    pub incarnation: u64,
    /// Members to found a new cluster with; not consulted once a log exists.
    pub initial_members: BTreeMap<u64, Member>,
    /// Time between heartbeats.
    pub heartbeat: Duration,
    /// A follower that hears nothing for a random time in this range stands for election.
    pub election_timeout: (Duration, Duration),
    /// Bytes of log to keep for followers that fall behind; beyond it they get a snapshot.
    pub log_keep_bytes: u64,
}

/// Why Raft has ended by itself, or never began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Storage failed or an invariant is broken.
    Failed(String),
    /// The node's directory is older than what it has promised to others: it must not go on.
    Forgot(String),
}

/// Why a proposal, a read or a transfer of leadership did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another node leads, or none does for the moment.
    #[error("this node does not lead{}", leader.as_ref().map(|(id, _)| format!("; node {id} does")).unwrap_or_default())]
    NotLeader {
        /// The leader as far as this node knows.
        leader: Option<(u64, Member)>,
    },
    /// The entry was overwritten by another leader's: it certainly did not happen.
    #[error("another leader discarded the entry")]
    Discarded,
    /// No majority answers; for a proposal the outcome is unknown.
    #[error("no majority of the voters answers: {0}")]
    NoQuorum(String),
    /// Raft has stopped or the node is stopping; for a proposal the outcome is unknown.
    #[error("raft has stopped: {0}")]
    Stopped(String),
}
