//! Histories that no cluster made: correct ones of any length from a seed, and ways to break them.
//!
//! They show that the checkers accept what is right, find what is wrong, and how fast they are. A cluster is imitated
//! by what its clients can see: calls overlap, several requests share an entry, answers get lost, requests are sent
//! again, due transfers expire at some point later. The ledger behind it is [`crate::model`], so nothing here can show
//! that the model is right: only real runs can.
//!
//! Start at [`Synthetic`]; [`Mutation`] breaks a history.

mod end;
mod generate;
mod mutate;
mod mutate_answers;
mod mutate_final;
mod mutate_run;
mod shape;

pub use generate::Synthetic;
pub use mutate::Mutation;

/// What a synthetic history shall be.
#[derive(Clone, Debug)]
pub struct Config {
    /// Calls, reads included.
    pub operations: u64,
    /// Every choice follows from it.
    pub seed: u64,
    /// Calls under way at a time.
    pub processes: u64,
    /// Accounts, the first tenth of which many transfers touch.
    pub accounts: u64,
    /// Nodes that say at the end what they hold, each completely.
    pub nodes_read: u64,
    /// Nodes that only give their digest.
    pub nodes_digest: u64,
    /// Of a thousand calls, how many read.
    pub reads_per_mille: u32,
    /// Of a thousand calls, how many have several items.
    pub batches_per_mille: u32,
    /// Of a thousand calls, how many end unknown.
    pub unknown_per_mille: u32,
    /// Only single-phase transfers that move exactly their amount, and reads of accounts: what the append view shows.
    pub plain: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            operations: 10_000,
            seed: 1,
            processes: 16,
            accounts: 200,
            nodes_read: 3,
            nodes_digest: 0,
            reads_per_mille: 150,
            batches_per_mille: 100,
            unknown_per_mille: 20,
            plain: false,
        }
    }
}
