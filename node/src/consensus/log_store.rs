//! Raft's log storage on our segment log: decodes, calls, answers. It holds no state of its own.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};

use futures::Stream;
use futures::stream;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use tokio::sync::oneshot;

use super::blocking;
use super::types::{
    RaftEntry, RaftLogId, RaftVote, TypeConfig, from_log_entry, from_log_id, from_vote,
    to_log_entry, to_log_id, to_vote,
};
use crate::log::{self, Log};

/// Bytes of entries handed to one replication request or one round of apply. A few entries of the largest size: more
/// would only raise memory, less would cost round trips.
const READ_BYTES_MAX: u64 = 4 << 20;

/// The log as openraft wants it; a handle, cloned for every reader.
#[derive(Clone)]
pub(crate) struct LogStore {
    log: Log,
}

impl LogStore {
    /// Wraps an open log.
    pub(crate) fn new(log: Log) -> Self {
        Self { log }
    }

    /// Some of the entries from `start` on. What is not in memory is read off the Raft thread.
    async fn read(&self, start: u64, end: u64, bytes_max: u64) -> io::Result<Vec<RaftEntry>> {
        let entries = if self.log.is_in_memory(start) {
            self.log.read(start..end, bytes_max)?
        } else {
            let log = self.log.clone();
            blocking::run(move || log.read(start..end, bytes_max)).await??
        };
        entries.into_iter().map(from_log_entry).collect()
    }

    /// Runs one command of the log thread and waits for its fsync.
    async fn durable(
        submit: impl FnOnce(Box<dyn FnOnce(io::Result<()>) + Send>),
    ) -> io::Result<()> {
        let (tx, rx) = oneshot::channel();
        submit(Box::new(move |result| {
            // The receiver is gone only when Raft itself is: nobody is left to tell.
            let _ = tx.send(result);
        }));
        rx.await
            .unwrap_or_else(|_| Err(io::Error::other("the log is closed")))
    }
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(index) => *index,
        Bound::Excluded(index) => index.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(index) => index.saturating_add(1),
        Bound::Excluded(index) => *index,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: RB,
    ) -> io::Result<Vec<RaftEntry>> {
        let (mut start, end) = bounds(&range);
        let mut entries = Vec::new();
        while start < end {
            let some = self.read(start, end, u64::MAX).await?;
            let Some(last) = some.last() else { break };
            start = last.log_id.index + 1;
            entries.extend(some);
        }
        Ok(entries)
    }

    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = io::Result<RaftEntry>> + Send
    where
        RB: RangeBounds<u64> + Clone + Debug + Send,
    {
        // Replay after a restart may span gigabytes: read a few megabytes at a time.
        let (start, end) = bounds(&range);
        let store = self.clone();
        let chunks = stream::unfold(Some(start), move |next| {
            let store = store.clone();
            async move {
                let start = next.filter(|start| *start < end)?;
                match store.read(start, end, READ_BYTES_MAX).await {
                    Ok(entries) if entries.is_empty() => None,
                    Ok(entries) => {
                        let after = start + entries.len() as u64;
                        Some((entries.into_iter().map(Ok).collect::<Vec<_>>(), Some(after)))
                    }
                    Err(error) => Some((vec![Err(error)], None)),
                }
            }
        });
        futures::StreamExt::flat_map(chunks, stream::iter)
    }

    async fn read_vote(&mut self) -> io::Result<Option<RaftVote>> {
        Ok(self.log.vote().as_ref().map(from_vote))
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> io::Result<Vec<RaftEntry>> {
        self.read(start, end, READ_BYTES_MAX).await
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let state = self.log.state();
        let purged = state.last_purged.as_ref().map(from_log_id);
        let last = state.last.as_ref().map(from_log_id).or(purged);
        Ok(LogState {
            last_purged_log_id: purged,
            last_log_id: last,
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &RaftVote) -> io::Result<()> {
        let vote = to_vote(vote);
        if crate::planted::is("vote-not-saved") {
            return Ok(());
        }
        Self::durable(|done| self.log.save_vote(vote, done)).await
    }

    async fn save_committed(&mut self, committed: Option<RaftLogId>) -> io::Result<()> {
        self.log.save_committed(committed.as_ref().map(to_log_id));
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<RaftLogId>> {
        // After a loss the hint may be beyond what is left: Raft would look for entries that are not there.
        let index = |id: &log::LogId| id.index;
        let (committed, last) = (self.log.committed(), self.log.state().last);
        let committed = if committed.as_ref().map(index) > last.as_ref().map(index) {
            last
        } else {
            committed
        };
        Ok(committed.as_ref().map(from_log_id))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = RaftEntry> + Send,
        I::IntoIter: Send,
    {
        let entries = entries
            .into_iter()
            .map(|entry| to_log_entry(&entry))
            .collect::<io::Result<Vec<_>>>()?;
        if crate::planted::is("append-before-durable") {
            self.log.append(entries, |_| {});
            callback.io_completed(Ok(()));
            return Ok(());
        }
        self.log
            .append(entries, move |result| callback.io_completed(result));
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<RaftLogId>) -> io::Result<()> {
        let last = last.as_ref().map(to_log_id);
        Self::durable(|done| self.log.truncate_after(last, done)).await
    }

    async fn purge(&mut self, log_id: RaftLogId) -> io::Result<()> {
        let log_id = to_log_id(&log_id);
        Self::durable(|done| self.log.purge(log_id, done)).await
    }
}
