//! Keeps the log at its configured size: a snapshot first, then a purge up to what it contains.
//!
//! Under a steady stream of writes the wanted purge is always a little ahead of the newest snapshot, so each round
//! purges what the snapshot allows and asks for the next one only when the last has arrived.

use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use tokio::time::Instant;

use super::types::{Raft, RaftLogId};
use crate::log::Log;
use crate::storage;

const PAUSE: Duration = Duration::from_millis(500);
/// A snapshot that has not arrived by then was refused or lost: ask again.
const SNAPSHOT_MAX: Duration = Duration::from_secs(60);

/// Indexes that decide; `None` before the first.
#[derive(Debug, Clone, Copy)]
struct Progress {
    applied: Option<u64>,
    snapshot: Option<u64>,
    purged: Option<u64>,
}

/// What to do in one round.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Purge up to this index.
    purge: Option<u64>,
    /// Build a snapshot.
    snapshot: bool,
}

/// `first_kept` is the first entry that the log has room to keep; `None` when everything fits.
fn plan(first_kept: Option<u64>, progress: Progress, building: bool) -> Plan {
    let wanted = first_kept
        .and_then(|index| index.checked_sub(1))
        .map(|index| index.min(progress.applied.unwrap_or(0)))
        .filter(|index| Some(*index) > progress.purged);
    let Some(wanted) = wanted else {
        return Plan {
            purge: None,
            snapshot: false,
        };
    };
    let allowed = progress.snapshot.map(|snapshot| snapshot.min(wanted));
    Plan {
        purge: allowed.filter(|index| Some(*index) > progress.purged),
        snapshot: allowed != Some(wanted) && !building,
    }
}

/// Runs until Raft ends.
pub(super) async fn run(raft: Raft, log: Log, storage: Arc<dyn storage::Store>, keep_bytes: u64) {
    // The snapshot that was there when the next one was asked for, and when that was.
    let mut asked: Option<(Option<u64>, Instant)> = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        let (progress, ended) = {
            let metrics = raft.metrics();
            let metrics = metrics.borrow_watched();
            let index = |id: &Option<RaftLogId>| id.as_ref().map(|id| id.index);
            let progress = Progress {
                applied: index(&metrics.last_applied),
                snapshot: index(&metrics.snapshot),
                purged: index(&metrics.purged),
            };
            (progress, metrics.running_state.is_err())
        };
        if ended {
            return;
        }
        let building = asked
            .is_some_and(|(before, at)| before == progress.snapshot && at.elapsed() < SNAPSHOT_MAX);
        let plan = plan(log.first_index_within(keep_bytes), progress, building);
        if let Some(index) = plan.purge {
            tracing::debug!(index, "purging the log");
            if raft.trigger().purge_log(index).await.is_err() {
                return;
            }
        }
        // A snapshot waits for a run, and a run for room on the disk: asking would only make applying wait too.
        if plan.snapshot && !storage.is_waiting_for_space() {
            let durable = storage.committed().map(|id| id.index);
            tracing::info!(
                ?progress,
                ?durable,
                "the log is over its size: building a snapshot"
            );
            asked = Some((progress.snapshot, Instant::now()));
            if raft.trigger().snapshot().await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(
        applied: u64,
        snapshot: impl Into<Option<u64>>,
        purged: impl Into<Option<u64>>,
    ) -> Progress {
        Progress {
            applied: Some(applied),
            snapshot: snapshot.into(),
            purged: purged.into(),
        }
    }

    #[test]
    fn a_log_that_fits_is_left_alone() {
        let plan = plan(None, progress(100, 50, 10), false);
        assert_eq!((plan.purge, plan.snapshot), (None, false));
    }

    #[test]
    fn a_snapshot_comes_before_a_purge() {
        let plan = plan(Some(80), progress(100, None, None), false);
        assert_eq!((plan.purge, plan.snapshot), (None, true));
    }

    /// Writers that outrun every snapshot must not keep the log from shrinking.
    #[test]
    fn what_the_snapshot_allows_is_purged_at_once() {
        let plan = plan(Some(80), progress(100, 50, 10), true);
        assert_eq!((plan.purge, plan.snapshot), (Some(50), false));
    }

    #[test]
    fn the_next_snapshot_is_asked_for_when_the_last_has_arrived() {
        assert!(plan(Some(80), progress(100, 50, 50), false).snapshot);
        assert!(!plan(Some(80), progress(100, 50, 50), true).snapshot);
    }

    #[test]
    fn a_snapshot_that_is_ahead_serves_later_purges_too() {
        let plan = plan(Some(80), progress(100, 95, 50), false);
        assert_eq!((plan.purge, plan.snapshot), (Some(79), false));
    }

    #[test]
    fn nothing_is_purged_twice() {
        let plan = plan(Some(80), progress(100, 95, 79), false);
        assert_eq!((plan.purge, plan.snapshot), (None, false));
    }
}
