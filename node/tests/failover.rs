//! Three nodes with faults: what was acknowledged stays, what is left serves, what comes back catches up, and no call
//! waits for ever.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "failover/amnesia.rs"]
mod amnesia;
#[path = "failover/bank.rs"]
mod bank;
#[path = "failover/clocks.rs"]
mod clocks;
#[path = "failover/crashes.rs"]
mod crashes;
#[path = "failover/followers.rs"]
mod followers;
#[path = "failover/pauses.rs"]
mod pauses;
