//! The part of storage that any thread may hold.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::error::Error;
use super::gauges::{self, Gauges};
use super::reader::Reader;
use super::run;
use super::shared::{Shared, lock};
use super::snapshot::{self, Checkpoint, Incoming, Manifest, SealTicket};
use super::tree;
use super::verify::{self, Report};
use super::{AppliedState, LogId};

/// Reads, snapshots and gauges; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, Error> {
        let threads = vec![
            tree::start(Arc::clone(&shared))?,
            run::start(Arc::clone(&shared))?,
        ];
        Ok(Self {
            shared,
            threads: Arc::new(Mutex::new(threads)),
        })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// One consistent cut of the state as it is now.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::new(&self.shared)
    }

    /// What is applied; readers taken from now on are at it or above.
    pub fn applied(&self) -> AppliedState {
        self.shared.published().applied.clone()
    }

    /// The entry a restart would begin after: the log may be purged up to here and no further. `None` before the
    /// first commit.
    pub fn committed(&self) -> Option<LogId> {
        self.shared.published().committed
    }

    /// A lower bound of the time (ns) at which the next pending transfer expires; `None` when none can.
    pub fn next_due(&self) -> Option<u64> {
        let next = self.shared.counters.next_due.load(Ordering::Relaxed);
        (next != u64::MAX).then_some(next)
    }

    /// The digest that nodes compare, of the state after entry `index`: known for what is applied now and for the
    /// last multiples of [`super::writer::DIGEST_INTERVAL`] since the start.
    pub fn digest_at(&self, index: u64) -> Option<u128> {
        let published = self.shared.published();
        if published.applied.log_id.is_some_and(|id| id.index == index) {
            return Some(published.applied.comparable_digest());
        }
        lock(&self.shared.digests).at(index)
    }

    /// Indexes and digests to offer a peer for comparison, ascending: the newest `count` and the newest `count`
    /// multiples of [`super::writer::DIGEST_INTERVAL`].
    pub fn recent_digests(&self, count: usize) -> Vec<(u64, u128)> {
        lock(&self.shared.digests).newest(count)
    }

    /// The newest entry whose digest is kept, with that digest: what to offer a peer for comparison.
    pub fn last_digest(&self) -> Option<(LogId, u128)> {
        lock(&self.shared.digests).last_spaced()
    }

    /// Keeps in mind that `error` was met, if it is damage.
    pub fn note_damage(&self, error: &Error) {
        self.shared.damage.note(error);
    }

    /// The first damage that anybody has met since the state was opened.
    pub fn damage(&self) -> Option<String> {
        self.shared.damage.first().map(str::to_owned)
    }

    /// Why storage gave up, if it did: the node must stop.
    pub fn failure(&self) -> Option<String> {
        lock(&self.shared.queue).failure.clone()
    }

    /// Numbers for telemetry and admission.
    ///
    /// # Errors
    /// When RocksDB cannot tell.
    pub fn gauges(&self) -> Result<Gauges, Error> {
        gauges::read(&self.shared)
    }

    /// Waits for the run of a sealed window, takes its checkpoint and makes it the current snapshot. Blocks for as
    /// long as that takes: call it from a thread of its own.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when a snapshot was installed meanwhile; otherwise the node must stop.
    pub fn build_checkpoint(&self, ticket: &SealTicket) -> Result<Arc<Checkpoint>, Error> {
        snapshot::build(&self.shared, ticket)
    }

    /// The newest snapshot on disk. Its files stay as long as it is held.
    pub fn current_checkpoint(&self) -> Option<Arc<Checkpoint>> {
        let newest = lock(&self.shared.checkpoint).clone();
        newest.filter(|found| !found.is_condemned())
    }

    /// Whether the newest snapshot was found damaged, so that another has to be built before one can be sent.
    pub fn lacks_checkpoint(&self) -> bool {
        let newest = lock(&self.shared.checkpoint);
        newest.as_ref().is_some_and(|found| found.is_condemned())
    }

    /// Begins to receive a snapshot; what it returns at the end goes to [`super::Writer::install`].
    ///
    /// # Errors
    /// When it is of another cluster or the disk refuses.
    pub fn receive(&self, manifest: Manifest) -> Result<Incoming, Error> {
        Incoming::create(
            &self.shared.layout.incoming(),
            self.shared.config.cluster_id,
            manifest,
        )
    }

    /// Reads everything and checks it: see [`verify`].
    ///
    /// # Errors
    /// When the disk fails or a row cannot be read; what can be read and is wrong is in the report.
    pub fn verify(&self) -> Result<Report, Error> {
        verify::verify(&self.reader()?)
    }

    /// Bytes of the state's files on disk.
    ///
    /// # Errors
    /// When RocksDB cannot tell.
    pub fn disk_bytes(&self) -> Result<u64, Error> {
        Ok(self
            .gauges()?
            .families
            .iter()
            .map(|family| family.disk_bytes)
            .sum())
    }

    /// Bytes that may still be written to the disk of the node's directory, within its quota.
    ///
    /// # Errors
    /// When the file system cannot tell.
    pub fn disk_free_bytes(&self) -> Result<u64, Error> {
        self.shared.free_bytes()
    }

    /// True while runs wait for room on the disk.
    pub fn is_waiting_for_space(&self) -> bool {
        self.shared
            .counters
            .waiting_for_space
            .load(Ordering::Relaxed)
    }

    /// Reads the committed state back from its files, checksums included, and recomputes its digest; the bytes read.
    /// Blocks for as long as `pace` makes it take.
    ///
    /// # Errors
    /// [`Error::Damaged`] or [`Error::Database`] when something is wrong with what is at rest.
    pub fn scrub(&self, pace: super::scrub::Pace<'_>) -> Result<u64, Error> {
        super::scrub::pass(&self.shared, pace)
    }

    /// Merges all files of every family, as compaction would in time. Blocks for as long as that takes.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub fn compact(&self) -> Result<(), Error> {
        self.shared.published().database.compact()
    }

    /// Stops the run writer at its next step, and the thread of the tree, and waits for them. What is not committed is in the log and will be
    /// applied again. Readers stay valid; the writer is of no use afterwards.
    pub fn shutdown(&self) {
        self.shared.stop();
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(name, "a thread of the storage panicked");
            }
        }
    }
}
