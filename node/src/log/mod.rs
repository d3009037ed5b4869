//! The Raft log on disk: entries, the vote and a few notes, in one stream of checksummed records.
//!
//! It knows records, segments and what a crash can do to them. It does not know what an entry means, nor the
//! consensus library, the ledger or any async runtime: it has two threads of its own (one writes, one prepares
//! segments), and answers through callbacks. The byte formats are in `docs/internals/disk.md`.
//!
//! Start with [`Log`]; `open` starts its threads; then `writer` (how a record becomes durable), `recover` (what is believed after a crash) and
//! `segment` (where an entry lies).
//!
//! Promises:
//! - A callback with `Ok` means: this and everything submitted before it survives a power cut.
//! - What is submitted is read back at once, in the order of submission, durable or not.
//! - A failed write or sync is final: the log stops, every waiting callback fails, [`Config::on_fatal`] is called.
//! - Damage to bytes that were durable is reported, when opening or when reading, and never cut away. One window is
//!   left: the last batch before the log falls idle is proven by a mark that is synced only
//!   [`Config::mark_sync_idle`] later (or with the next batch); if the power fails in that time *and* the medium loses
//!   bytes it had confirmed, the loss looks like a torn write. The mark is not synced at once because every
//!   acknowledgement would then wait for two syncs instead of one.

mod batch;
mod config;
mod directory;
mod error;
pub mod inspect;
mod open;
mod pool;
mod positions;
mod read;
mod record;
mod recover;
mod replay;
mod salvage;
mod segment;
mod shared;
mod start;
mod state;
mod sync_times;
mod tail;
#[cfg(test)]
mod tests;
mod types;
mod writer;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub use config::{Config, ENTRY_BYTES_MAX, OnFatal, OpenReport, Stats};
pub use error::{Damage, OpenError};
pub use open::Driver;
pub use types::{Done, Entry, EntryKind, LogId, LogState, Vote};

use open::Inner;
use state::{Body, State};

/// Handle of an open log. Clones share it; the log is closed with the last one, or by [`Log::close`].
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

impl Log {
    /// What was found when the log was opened.
    pub fn open_report(&self) -> &OpenReport {
        &self.inner.report
    }

    /// Appends entries, which must follow the last one without a gap, and returns once they can be read. `done` is
    /// called when they are durable. An empty list calls it when everything before is.
    ///
    /// It never blocks. The queue is bounded by its callers: they consult [`Log::is_congested`] before they take on
    /// work.
    ///
    /// Errors reach `done`: `InvalidInput` for a gap or a payload above [`Config::entry_bytes_max`] (nothing was
    /// appended), `BrokenPipe` after [`Log::close`], otherwise the failure that stopped the log.
    pub fn append(&self, entries: Vec<Entry>, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        let payload_max = self.inner.shared.config.entry_bytes_max();
        self.submit(done, |state| state.append(entries, payload_max));
    }

    /// Replaces the vote; [`Log::vote`] gives the new one at once.
    pub fn save_vote(&self, vote: Vote, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        self.submit(done, |state| {
            state.vote = Some(vote);
            Ok(Body::Vote(vote))
        });
    }

    /// Removes the entries after `last`, or all with `None`. Purged ones stay purged.
    pub fn truncate_after(
        &self,
        last: Option<LogId>,
        done: impl FnOnce(io::Result<()>) + Send + 'static,
    ) {
        self.submit(done, |state| Ok(state.truncate(last)));
    }

    /// Forgets the entries up to `log_id`; they cannot be read any more. Segments that hold no others go back to the
    /// pool once that is durable and no reader uses them.
    ///
    /// Beyond the last entry it resets the log: everything goes, and the next entry follows `log_id`. That is what
    /// the installation of a snapshot needs; the change is atomic.
    pub fn purge(&self, log_id: LogId, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        self.submit(done, |state| state.purge(log_id));
    }

    /// Notes up to where entries are committed. A hint: it is written with whatever comes next, or with the
    /// mark when the log falls idle, and never synced for its own sake, so that after a crash an older one may be
    /// read.
    pub fn save_committed(&self, committed: Option<LogId>) {
        self.inner.shared.save_committed(committed);
    }

    /// Calls `done` once everything submitted before is durable.
    pub fn flush(&self, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        self.submit(done, |_| Ok(Body::Barrier));
    }

    /// The last vote saved.
    pub fn vote(&self) -> Option<Vote> {
        self.inner.shared.lock().vote
    }

    /// The last committed log id noted.
    pub fn committed(&self) -> Option<LogId> {
        self.inner.shared.lock().committed
    }

    /// First and last entry.
    pub fn state(&self) -> LogState {
        self.inner.shared.lock().positions.state()
    }

    /// The log id at an index: of an entry, or of the last purged one. From memory.
    pub fn log_id_at(&self, index: u64) -> Option<LogId> {
        self.inner.shared.lock().positions.log_id_at(index)
    }

    /// Consecutive entries of `range`, from its first one that is not purged on: at least one if there is any, then
    /// as many as stay within `bytes_max` bytes of payload. May give fewer; the caller goes on after the last.
    ///
    /// Entries not in memory are read from disk; call it where blocking for a few milliseconds is allowed.
    ///
    /// # Errors
    /// `InvalidData` when the bytes of an entry do not verify; the text says where.
    pub fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<Entry>> {
        read::read(&self.inner.shared, range, bytes_max)
    }

    /// Reads entries from `index` on back from the segments, even those in memory, and checks them: where to go on, and
    /// the bytes read; `None` after the last durable one.
    ///
    /// # Errors
    /// `InvalidData` when the bytes of an entry do not verify; the text says where.
    pub fn reread(&self, index: u64, bytes_max: u64) -> io::Result<Option<(u64, u64)>> {
        read::reread(&self.inner.shared, index, bytes_max)
    }

    /// Whether [`Log::read`] from `index` on needs no disk.
    pub fn is_in_memory(&self, index: u64) -> bool {
        self.inner
            .shared
            .lock()
            .tail
            .first_index()
            .is_some_and(|first| first <= index)
    }

    /// Highest index that survives a power cut, of the log as it stands now; that of the last purged entry when there
    /// is none.
    pub fn durable_index(&self) -> Option<u64> {
        self.inner.shared.lock().durable_index
    }

    /// Blocks until the entry at `index` is durable; `false` if the time is over first.
    ///
    /// # Errors
    /// The failure that stopped the log, or `BrokenPipe` when it is closed before.
    pub fn wait_durable(&self, index: u64, timeout: Duration) -> io::Result<bool> {
        self.inner.shared.wait_durable(index, timeout)
    }

    /// Bytes submitted and not durable.
    pub fn queued_bytes(&self) -> u64 {
        self.inner.shared.lock().queued_bytes()
    }

    /// Whether more is queued than [`Config::queue_bytes_high`]: take on no more work now.
    pub fn is_congested(&self) -> bool {
        self.queued_bytes() > self.inner.shared.config.queue_bytes_high
    }

    /// Bytes of all segments, spare ones included.
    pub fn bytes_on_disk(&self) -> u64 {
        self.stats().bytes_on_disk
    }

    /// The first entry to keep so that what stays is at most `bytes` of whole segments (the newest one stays in any
    /// case); `None` when everything fits. What to purge follows from it.
    pub fn first_index_within(&self, bytes: u64) -> Option<u64> {
        self.inner.shared.lock().index.first_index_within(bytes)
    }

    /// Figures for telemetry and admission.
    pub fn stats(&self) -> Stats {
        let (pool_bytes, spare_segments, spare_failure) = self.inner.pool_figures();
        let state = self.inner.shared.lock();
        Stats {
            queued_bytes: state.queued_bytes(),
            tail_bytes: state.tail.bytes(),
            bytes_on_disk: state.index.bytes() + pool_bytes,
            segments: state.index.segment_count(),
            spare_segments,
            spare_failure,
            sync_median: state.sync_times.median(std::time::Instant::now()),
            ..state.stats.clone()
        }
    }

    /// The failure that stopped the log, if one did.
    pub fn failure(&self) -> Option<io::Error> {
        self.inner.shared.lock().failure()
    }

    /// Finishes what was submitted, syncs, and ends the threads. Later operations fail; reading goes on.
    pub fn close(&self) {
        self.inner.close();
    }

    fn submit(
        &self,
        done: impl FnOnce(io::Result<()>) + Send + 'static,
        change: impl FnOnce(&mut State) -> io::Result<Body>,
    ) {
        self.inner.shared.submit(Box::new(done), change);
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("dir", &self.inner.shared.config.dir)
            .finish_non_exhaustive()
    }
}
