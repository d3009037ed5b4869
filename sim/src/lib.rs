//! Deterministic simulation: a whole cluster in one thread, with time, network, disks and chance from a seed.
//!
//! Real are the node's Raft (openraft with the node's own configuration), its peers' client and server, admission, log
//! and the ledger. Simulated are time, network and disks (turmoil moves the hosts, this crate makes the trouble) and
//! the state's storage, which is in memory. One seed is one history, to the byte; a failure is replayed by its seed.
//!
//! Start reading at [`run`](run::run), then [`cluster`] (what must hold after each step), [`oracle`] (what must be),
//! [`trouble`] (what is done to it), [`node`] (how a node is put together here).

#[cfg(not(tokio_unstable))]
compile_error!(
    "build this crate from its own folder, or with --cfg tokio_unstable: its runs would not repeat"
);

pub mod caller;
pub mod clock;
pub mod cluster;
pub mod disk;
pub mod messages;
pub mod node;
pub mod oracle;
pub mod plan;
pub mod points;
pub mod random;
pub mod run;
pub mod state;
pub mod trace;
pub mod trouble;
pub mod wire;
