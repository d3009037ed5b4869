//! Points that many seeds together must reach: a simulation in which nothing happens proves nothing.

use std::collections::BTreeMap;

/// Seeds from which on a campaign that misses a point has failed.
pub const SEEDS_MIN: u64 = 200;

/// All of them.
pub const REQUIRED: [&str; 36] = [
    "all lost power",
    "caller gave up",
    "chain rolled back",
    "clock jumped",
    "datagrams held",
    "duplicate answered",
    "leader changed",
    "leadership handed over",
    "learner added",
    "limit refused",
    "log purged",
    "log truncated",
    "node restarted",
    "one-way cut",
    "outcome unknown",
    "partition",
    "post after expiry refused",
    "power lost",
    "power lost in the middle of a disk operation",
    "process killed",
    "pulse expired a pending transfer",
    "read answered",
    "read at a follower",
    "refused id answered again",
    "request tried again at another node",
    "slow disk",
    "snapshot built",
    "snapshot installed",
    "sync failed",
    "torn tail recovered",
    "transfer balanced",
    "transfer created",
    "unproven tail written again",
    "unsynced bytes at a power loss",
    "voter added",
    "voter removed",
];

/// Those that were not reached.
pub fn missing(reached: &BTreeMap<String, u64>) -> Vec<&'static str> {
    let is_missing = |point: &&str| !reached.contains_key(*point);
    REQUIRED.into_iter().filter(is_missing).collect()
}
