//! Items that succeed or fail together, and the records that go along with money.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

#[path = "chains_and_records/chains.rs"]
mod chains;
#[path = "chains_and_records/records.rs"]
mod records;
#[path = "chains_and_records/world.rs"]
mod world;
