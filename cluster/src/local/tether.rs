//! Nodes that end with the process that started them, however that ends.
//!
//! Such a node's standard input is a pipe, of which this process holds the other end: when it dies the system closes
//! that end, and the node stops. Nothing has to be sent, no process can be forgotten.

use std::collections::BTreeMap;
use std::process::ChildStdin;
use std::sync::{Mutex, PoisonError};

/// Flag of the node program.
pub(super) const END_WITH_STDIN: &str = "--end-with-stdin";

/// The ends that hold nodes, by node.
#[derive(Debug, Default)]
pub struct Tethers(Mutex<BTreeMap<u64, ChildStdin>>);

impl Tethers {
    /// Holds a node, and lets go the process that was this node before.
    pub(super) fn hold(&self, node: u64, end: ChildStdin) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(node, end);
    }
}
