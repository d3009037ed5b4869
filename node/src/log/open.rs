//! A log comes to life: what recovery found, and two threads.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::disk::Disk;

use super::config::{Config, OpenReport};
use super::error::OpenError;
use super::pool::Pool;
use super::shared::Shared;
use super::start::{self, Stream};
use super::state::State;
use super::writer::Writer;
use super::{Log, recover, salvage};

/// What the handles of a log share. The threads end with the last one.
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pool: Arc<Pool>,
    pub(super) report: OpenReport,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Log {
    /// Opens the log of a directory, or starts one. Reads and verifies every record: about a second for each GiB.
    ///
    /// Two logs must not be open on one directory; the node's lock file sees to that.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] when something durable cannot be read; then nothing has been changed.
    pub fn open(disk: Arc<dyn Disk>, config: Config) -> Result<Self, OpenError> {
        let (log, writer) = Self::open_idle(disk, config)?;
        log.inner.start(writer).map_err(OpenError::io(
            "start the threads of",
            &log.inner.shared.config.dir,
        ))?;
        Ok(log)
    }

    /// The same without threads: nothing is written until the caller lets the [`Driver`] work. For a simulator, which
    /// has one thread for several nodes and decides how long a sync takes.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_driven(disk: Arc<dyn Disk>, config: Config) -> Result<(Self, Driver), OpenError> {
        let (log, mut writer) = Self::open_idle(disk, config)?;
        writer.begin();
        let pool = Arc::clone(&log.inner.pool);
        Ok((log, Driver { writer, pool }))
    }

    fn open_idle(disk: Arc<dyn Disk>, config: Config) -> Result<(Self, Writer), OpenError> {
        config.check()?;
        let recovered = recover::recover(&disk, &config)?;
        let pool = Arc::new(Pool::open(
            Arc::clone(&disk),
            &config.dir,
            config.segment_bytes,
            config.spare_segments,
        )?);
        let replay = recovered.replay;
        let (mut index, mut report) = (replay.index, recovered.report);
        let mut stream = Stream {
            vote: replay.vote,
            committed: replay.committed,
            positions: replay.positions,
            next_record: replay.next_record,
        };
        let (segment, position) = match recovered.active {
            Some(active) => active,
            None => {
                let started = start::start_first_segment(&*disk, &config, &pool, &mut stream)?;
                index.add_segment(Arc::clone(&started.0));
                report.segments = 1;
                started
            }
        };
        pool.retire(recovered.obsolete);
        let state = State::new(
            stream.vote,
            stream.committed,
            stream.positions.clone(),
            index,
        );
        let shared = Arc::new(Shared::new(config, state));
        let writer = Writer::new(
            Arc::clone(&shared),
            disk,
            Arc::clone(&pool),
            stream,
            segment,
            position,
        );
        let inner = Arc::new(Inner {
            shared,
            pool,
            report,
            threads: Mutex::default(),
        });
        Ok((Self { inner }, writer))
    }

    /// Opens a log that [`Log::open`] refused as damaged, with what comes before the damage. The damaged segment and
    /// later ones are kept in `damaged/`; the newest vote that verifies in them stays the vote; the damage is in the
    /// report. A whole log is opened as by [`Log::open`].
    ///
    /// Entries this node acknowledged are missing afterwards, and a later vote may have been among what was lost: the
    /// caller must have made it durable that the node is suspect, and must not vote or acknowledge anything before
    /// the others have confirmed or refilled it.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] again when a segment is missing or its first records are damaged: the node has to be
    /// replaced by a new member.
    pub fn open_before_damage(disk: Arc<dyn Disk>, config: Config) -> Result<Self, OpenError> {
        let damage = match Self::open(Arc::clone(&disk), config.clone()) {
            Err(OpenError::Damaged(damage)) => *damage,
            other => return other,
        };
        salvage::cut_before(&disk, &config, &damage)?;
        tracing::error!(%damage, "the log was cut before what is damaged");
        let mut log = Self::open(disk, config)?;
        if let Some(inner) = Arc::get_mut(&mut log.inner) {
            inner.report.damage = Some(damage);
        }
        Ok(log)
    }
}

/// The work of a log's threads, done when the caller says so. See [`Log::open_driven`].
pub struct Driver {
    writer: Writer,
    pool: Arc<Pool>,
}

impl Driver {
    /// Writes and syncs what was submitted, and calls back. False when there was nothing to do.
    pub fn work(&mut self) -> bool {
        let Some(work) = self.writer.shared.try_take() else {
            return false;
        };
        self.writer.perform(work)
    }

    /// Syncs the last mark, as the log does by itself when nothing was submitted for [`Config::mark_sync_idle`].
    pub fn settle(&mut self) {
        if self.writer.is_unsynced() {
            let work = self.writer.shared.take_idle();
            self.writer.perform(work);
        }
    }

    /// Recycles or fills one segment, if there is one to recycle or to fill.
    pub fn prepare(&mut self) {
        if let Err(error) = self.pool.round() {
            self.writer
                .shared
                .fail("recycle a segment", &error, Vec::new());
        }
    }
}

impl Inner {
    fn start(&self, writer: Writer) -> io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let (pool, shared) = (Arc::clone(&self.pool), Arc::clone(&self.shared));
        threads.push(
            std::thread::Builder::new()
                .name("log-pool".to_owned())
                .spawn(move || {
                    if let Err(error) = pool.run() {
                        shared.fail("recycle a segment", &error, Vec::new());
                    }
                })?,
        );
        threads.push(
            std::thread::Builder::new()
                .name("log-writer".to_owned())
                .spawn(move || writer.run())?,
        );
        Ok(())
    }

    /// Bytes of segments in the pool, how many of them are ready, and why no more are.
    pub(super) fn pool_figures(&self) -> (u64, u64, Option<String>) {
        self.pool.figures()
    }

    pub(super) fn close(&self) {
        self.shared.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // The writer was started last and may still need the pool.
        for thread in threads.into_iter().rev() {
            // A callback may hold the last handle: a thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
            self.pool.close();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
