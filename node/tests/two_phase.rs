//! Pending transfers as a user sees them: reserved, then posted, voided, or expired by the cluster itself.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "two_phase/by_hand.rs"]
mod by_hand;
#[path = "two_phase/by_time.rs"]
mod by_time;
#[path = "two_phase/world.rs"]
mod world;
