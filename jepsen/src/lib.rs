//! Black-box tests of a cluster under faults: what its clients saw is written down as a history, and checkers judge
//! the history against an executable model of the ledger.
//!
//! It knows the cluster as its clients and operators do: by the SDK, by the wire, and as processes that can be killed.
//! It deliberately does not know how a node works, and its model of the ledger shares no code with the one under test,
//! because a checker that is wrong in the same way finds nothing.
//!
//! Start reading at [`history`]: the format in which everything else speaks.

pub mod campaign;
pub mod check;
pub mod cli;
pub mod disk;
pub mod export;
pub mod follow;
mod hash;
pub mod history;
pub mod hosts;
pub mod matrix;
pub mod model;
pub mod nemesis;
pub mod planted;
pub mod report;
pub mod run;
pub mod synthetic;
pub mod workload;
