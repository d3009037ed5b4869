//! Keeps the log at its configured size: a snapshot first, then a purge up to what it contains.

use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;

use super::types::Raft;
use crate::log::Log;
use crate::storage;

const PAUSE: Duration = Duration::from_millis(500);

/// Runs until Raft ends.
pub(super) async fn run(raft: Raft, log: Log, storage: storage::Handle, keep_bytes: u64) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let (applied, snapshot, ended) = {
            let metrics = raft.metrics();
            let metrics = metrics.borrow_watched();
            let index = |id: &Option<super::types::RaftLogId>| id.as_ref().map(|id| id.index);
            (
                index(&metrics.last_applied),
                index(&metrics.snapshot),
                metrics.running_state.is_err(),
            )
        };
        if ended {
            return;
        }
        // The first index to keep so that what follows fits.
        let Some(first_kept) = log.first_index_within(keep_bytes) else {
            continue;
        };
        let Some(purge_to) = first_kept
            .checked_sub(1)
            .map(|index| index.min(applied.unwrap_or(0)))
        else {
            continue;
        };
        let result = if snapshot.is_some_and(|index| index >= purge_to) {
            tracing::debug!(purge_to, "purging the log");
            raft.trigger().purge_log(purge_to).await
        } else {
            tracing::info!(purge_to, committed = ?storage.committed(), "the log is over its size: building a snapshot");
            raft.trigger().snapshot().await
        };
        if result.is_err() {
            return;
        }
    }
}
