//! A cluster on this machine: its directory, its processes, and the commands on them.
//!
//! ```text
//! DIR/cluster.toml      cluster id, and each node's id and addresses: ports included
//! DIR/lock              held by the command that is changing processes
//! DIR/node-1/node.toml  configuration of node 1: written once, then the operator's to edit
//! DIR/node-1/data/      the node's own directory, which this crate never touches
//! DIR/node-1/node.pid   process id and start time, so that a recycled id is never signalled
//! DIR/node-1/ready.json what the node said when it began to listen
//! DIR/node-1/node.log   its log on standard error; rotated at start
//! DIR/removed-node-1/   what was node 1 before it was removed
//! ```
//!
//! Start reading at [`operate`]. Nothing here is needed to run nodes under a service manager: `farthing` then works
//! by `--endpoints` alone.

mod actions;
pub(crate) mod binary;
pub(crate) mod create;
mod health;
mod layout;
pub mod members;
mod node_config;
mod node_log;
pub mod operate;
mod ports;
mod process;
mod start;
pub(crate) mod stop;
mod target;
mod tether;

pub use actions::{Action, Actions};
pub use binary::NODE_BIN_VARIABLE;
pub use health::{Asker, ClusterHealth, NodeHealth, ProcessState};
pub use layout::{Description, Layout, NodeEntry};
pub use target::Target;
pub use tether::Tethers;
