//! What a run cost each node: memory, disk, elections.

use serde::Serialize;

use crate::local::{ClusterHealth, NodeHealth};

/// One node after a run.
#[derive(Clone, Debug, Serialize)]
pub struct NodeCost {
    /// Node id.
    pub id: u64,
    /// Resident memory, in bytes.
    pub rss_bytes: u64,
    /// All of its directory, in bytes.
    pub disk_bytes: u64,
    /// The live files of its state, in bytes.
    pub state_bytes: u64,
    /// Its log, in bytes; bounded by the node's settings, however much was written.
    pub log_bytes: u64,
    /// Transfers it holds, of this run and all before.
    pub transfer_count: u64,
    /// Its directory without the log, for each transfer it holds.
    pub disk_bytes_per_transfer: f64,
    /// Elections during the run, as this node saw them. Above zero when a leader was lost or thought to be.
    pub elections: u64,
}

/// What the run cost each node that answered before and after it. Counted from the terms, so an election that nobody
/// won counts too.
pub(super) fn costs(before: &ClusterHealth, after: &ClusterHealth) -> Vec<NodeCost> {
    let answered = after.nodes.iter().filter(|node| node.reachable);
    answered
        .filter_map(|node| before.node(node.id).map(|earlier| cost(earlier, node)))
        .collect()
}

fn cost(before: &NodeHealth, after: &NodeHealth) -> NodeCost {
    let kept = after.disk_bytes.saturating_sub(after.log_bytes);
    NodeCost {
        id: after.id,
        rss_bytes: after.rss_bytes,
        disk_bytes: after.disk_bytes,
        state_bytes: after.state_bytes,
        log_bytes: after.log_bytes,
        transfer_count: after.transfer_count,
        disk_bytes_per_transfer: tenths(kept, after.transfer_count),
        elections: after.term.saturating_sub(before.term),
    }
}

/// A quotient to one decimal place; 0 when there is nothing to divide by.
#[allow(
    clippy::cast_precision_loss,
    reason = "a figure for people: thousands of tenths at most"
)]
fn tenths(bytes: u64, count: u64) -> f64 {
    let tenths = bytes.saturating_mul(10).checked_div(count).unwrap_or(0);
    tenths as f64 / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_for_a_transfer_leaves_out_the_log() {
        assert!((tenths(1_000, 16) - 62.5).abs() < f64::EPSILON);
        assert!(tenths(1_000, 0).abs() < f64::EPSILON);
    }
}
