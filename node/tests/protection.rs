//! What a node protects itself and its cluster from: full disks, slow disks, a state that differs, a log nobody reads.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "failover/bank.rs"]
#[allow(dead_code)]
mod bank;
#[cfg(feature = "failpoints")]
#[path = "protection/digests.rs"]
mod digests;
#[path = "protection/full_disks.rs"]
mod full_disks;
#[path = "protection/log_lines.rs"]
mod log_lines;
#[path = "protection/reads.rs"]
mod reads;
#[path = "protection/repair.rs"]
mod repair;
#[path = "protection/scrub.rs"]
mod scrub;
#[cfg(feature = "failpoints")]
#[path = "protection/slow_disks.rs"]
mod slow_disks;
