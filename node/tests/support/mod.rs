//! Real nodes as processes on loopback, and clients that know nothing but the wire.
//!
//! The tests see what a user sees: a binary, its flags, its ready line, its exit code, its gRPC. They call it by the
//! generated clients, never by the SDK, so that a fault of one cannot hide behind the other. Start reading at
//! [`Cluster`], then [`Client`].
//!
//! The binary is the one of this build; `FARTHING_NODE_BIN` names another.

// Every test file is a crate of its own and uses a part of this.
#![allow(dead_code, unused_imports)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod cluster;
mod items;
mod node;
mod port;
mod process;
mod raw;
mod refusal;
mod shared;

pub(crate) use client::Client;
pub(crate) use cluster::Cluster;
pub(crate) use items::{
    account, delete_record, fresh_id, fresh_ledger, ledger, packed_account, packed_transfer,
    pending, post, record, transfer, uuid, void,
};
pub(crate) use node::Node;
pub(crate) use process::{Exit, binary, run_to_exit};
pub(crate) use raw::{RawAnswer, RawCall, frame};
pub(crate) use refusal::Refusal;
pub(crate) use shared::{Shared, Slot};

use std::time::{Duration, Instant};

/// Longest wait for anything that has to happen by itself; far above what it takes, because machines that test are
/// busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until `look` sees what it waits for.
pub(crate) async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "waited {PATIENCE:?} in vain: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
