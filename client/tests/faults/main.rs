//! Silence, refusals, lost leaders: what the SDK makes of them, held against what the
//! ledger really did.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod cluster_ids;
mod deadlines;
mod leaders;
mod refusals;
