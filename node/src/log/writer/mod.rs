//! The log's one thread: takes what was submitted, writes it, syncs once, then answers.
//!
//! While a sync runs, more is submitted; the next write and sync cover all of it. A failed write or sync is never
//! tried again: the kernel may have dropped the pages, and a second sync would succeed without them. The log stops,
//! and the node with it.
//!
//! Here is what the thread does with an operation; `output` has how records reach the segments.

mod output;

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::disk::Disk;

use super::batch::Batch;
use super::pool::Pool;
use super::positions::Purge;
use super::record::{Kind, fields};
use super::segment::SegmentFile;
use super::shared::{Completed, Shared, Work};
use super::start::Stream;
use super::state::{Body, Op};
use super::types::LogId;

/// A change of the index that becomes visible once its records are written.
enum Change {
    Push { index: u64, offset: u32, end: u32 },
    TruncateFrom(u64),
    Reset(u64),
}

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) pool: Arc<Pool>,
    stream: Stream,
    segment: Arc<SegmentFile>,
    /// Where the batch will be written.
    position: u64,
    batch: Batch,
    changes: Vec<Change>,
    /// Highest record number known durable, and the last entry then.
    durable_record: u64,
    durable_index: Option<u64>,
    /// A record was written and not synced.
    unsynced: bool,
    /// Nothing was written since the last mark.
    marked: bool,
}

impl Writer {
    /// Goes on after `position` of `segment`; everything there is durable.
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        pool: Arc<Pool>,
        stream: Stream,
        segment: Arc<SegmentFile>,
        position: u64,
    ) -> Self {
        Self {
            durable_record: stream.next_record - 1,
            durable_index: stream.positions.last_index(),
            shared,
            disk,
            pool,
            stream,
            segment,
            position,
            batch: Batch::default(),
            changes: Vec::new(),
            unsynced: false,
            marked: false,
        }
    }

    /// The thread's body.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let guard = PanicGuard(Arc::clone(&shared));
        self.begin();
        while self.perform(shared.take(self.unsynced)) {}
        shared.ended();
        drop(guard);
    }

    /// What comes before the first piece of work.
    pub(super) fn begin(&mut self) {
        if let Err(error) = self.mark() {
            self.shared.fail("mark", &error, Vec::new());
        }
    }

    /// Does one piece of work; false after the last.
    pub(super) fn perform(&mut self, work: Work) -> bool {
        let shared = Arc::clone(&self.shared);
        match work {
            Work::Batch { ops, committed } => match self.write(&ops, committed) {
                Ok(()) => {
                    self.acknowledge(ops);
                    if shared.queue_is_empty()
                        && let Err(error) = self.mark()
                    {
                        shared.fail("mark", &error, Vec::new());
                    }
                }
                Err(error) => shared.fail("write and sync", &error, ops),
            },
            Work::Idle { committed } => {
                // The hint usually comes just after the entries it speaks of; here it costs nothing extra.
                if let Err(error) = self.write(&[], committed).and_then(|()| self.sync()) {
                    shared.fail("sync", &error, Vec::new());
                }
            }
            Work::Close { committed } => {
                let closed = self
                    .write(&[], committed)
                    .and_then(|()| self.mark())
                    .and_then(|()| self.sync());
                if let Err(error) = closed {
                    shared.fail("close", &error, Vec::new());
                }
                return false;
            }
            Work::Stop => return false,
        }
        true
    }

    /// Whether something written waits for a sync.
    pub(super) fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// Writes the records of all operations and syncs.
    fn write(&mut self, ops: &[Op], committed: Option<Option<LogId>>) -> io::Result<()> {
        for op in ops {
            match &op.body {
                Body::Append(entries) => {
                    for entry in entries {
                        let (term, node, index) = fields(Some(entry.log_id));
                        let (offset, end) =
                            self.put(entry.kind.into(), (term, node, index), &entry.payload)?;
                        self.stream.positions.append(entry.log_id);
                        self.changes.push(Change::Push { index, offset, end });
                    }
                }
                Body::Vote(vote) => {
                    self.put(
                        Kind::Vote,
                        (vote.term, vote.node, u64::from(vote.committed)),
                        &Bytes::new(),
                    )?;
                    self.stream.vote = Some(*vote);
                }
                Body::Truncate(last) => {
                    fail::fail_point!("log.truncate.before_write");
                    if crate::planted::is("truncate-not-written") {
                        if let Some(from) = self.stream.positions.truncate(*last) {
                            self.changes.push(Change::TruncateFrom(from));
                        }
                        continue;
                    }
                    self.put(Kind::Truncate, fields(*last), &Bytes::new())?;
                    if let Some(from) = self.stream.positions.truncate(*last) {
                        self.changes.push(Change::TruncateFrom(from));
                    }
                }
                Body::Purge(log_id) => {
                    fail::fail_point!("log.purge.before_write");
                    self.put(Kind::Purged, fields(Some(*log_id)), &Bytes::new())?;
                    if self.stream.positions.purge(*log_id) == Purge::Reset {
                        self.changes.push(Change::Reset(log_id.index + 1));
                    }
                }
                Body::Barrier => {}
            }
        }
        if let Some(committed) = committed {
            self.put(Kind::Committed, fields(committed), &Bytes::new())?;
            self.stream.committed = committed;
        }
        self.flush()
    }

    /// Tells readers and callers that the batch is durable.
    fn acknowledge(&mut self, ops: Vec<Op>) {
        let completed = Completed {
            sequence: ops.last().map_or(0, |op| op.sequence),
            last_index: self.stream.positions.last_index(),
            first_index: self
                .stream
                .positions
                .purged_index()
                .map(|purged| purged + 1),
        };
        let obsolete = self.shared.complete(&completed, &ops);
        self.pool.retire(obsolete);
        ops.into_iter().for_each(|op| (op.done)(Ok(())));
    }
}

/// Stops the log when its thread dies of a panic, a callback's for example: waiting for it would have no end.
struct PanicGuard(Arc<Shared>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // A callback that panics here, too, would end the process without a word.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.0.fail(
                    "the log's thread panicked",
                    &io::ErrorKind::Other.into(),
                    Vec::new(),
                );
            }));
        }
    }
}
