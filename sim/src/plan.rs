//! What a seed decides before anything happens.

use std::time::Duration;

use crate::random::Random;

/// Kinds of trouble. Each run has some of them, so that rare ones are not drowned by frequent ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A node loses its power, at once or in the middle of some disk operation.
    PowerLoss,
    /// All nodes lose their power together.
    AllPowerLoss,
    /// A process is killed; its machine goes on.
    Kill,
    /// Hosts cannot reach each other, wholly or one way.
    Partition,
    /// Datagrams wait and arrive all together.
    Hold,
    /// A disk takes long for its syncs.
    SlowSync,
    /// A sync fails.
    FailSync,
    /// A clock jumps.
    Clock,
    /// Leadership is handed over.
    HandOver,
    /// A snapshot is asked for.
    Snapshot,
    /// Members are added and removed.
    Members,
}

const ALL: [Trouble; 11] = [
    Trouble::PowerLoss,
    Trouble::AllPowerLoss,
    Trouble::Kill,
    Trouble::Partition,
    Trouble::Hold,
    Trouble::SlowSync,
    Trouble::FailSync,
    Trouble::Clock,
    Trouble::HandOver,
    Trouble::Snapshot,
    Trouble::Members,
];

/// One simulation.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Nodes that found the cluster.
    pub nodes: u64,
    /// Nodes that may be added.
    pub spares: u64,
    /// Callers at once.
    pub workers: u64,
    /// How long trouble is made.
    pub trouble_time: Duration,
    /// Kinds of trouble.
    pub troubles: Vec<Trouble>,
    /// Longest pause between two troubles, ms.
    pub pause_ms_max: u64,
    /// Longest way of a datagram.
    pub latency_max: Duration,
    /// How often a link breaks for a moment when something is sent, percent.
    pub loss: f64,
    /// Longest pause of the log between two rounds, ms.
    pub sync_ms_max: u64,
    /// Bytes of a log segment.
    pub segment_bytes: u32,
    /// Bytes of log to keep.
    pub log_keep_bytes: u64,
    /// Pause between two commits of a state.
    pub commit_interval: Duration,
}

impl Plan {
    /// The plan of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, "plan");
        let mut troubles: Vec<Trouble> = ALL.into_iter().filter(|_| random.chance(45)).collect();
        if troubles.is_empty() {
            troubles.push(Trouble::PowerLoss);
        }
        let segment_bytes = random.pick(&[16 << 10, 32 << 10, 128 << 10]);
        Self {
            seed,
            nodes: random.pick(&[3, 3, 3, 5]),
            spares: if troubles.contains(&Trouble::Members) {
                2
            } else {
                0
            },
            workers: random.between(2, 6),
            trouble_time: random.millis(6_000, 14_000),
            troubles,
            pause_ms_max: random.pick(&[300, 1_000, 2_500]),
            latency_max: random.millis(2, 40),
            loss: random.pick(&[0.0, 0.0, 0.002, 0.01]),
            sync_ms_max: random.pick(&[1, 2, 10]),
            segment_bytes,
            log_keep_bytes: random.pick(&[24 << 10, 64 << 10, 1 << 20]),
            commit_interval: random.millis(50, 1_500),
        }
    }
}
