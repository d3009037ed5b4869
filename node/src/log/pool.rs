//! Segments ready for use: zero-filled ahead of need by a thread of their own, and taken back when purged.
//!
//! A recycled segment keeps its old bytes. They do no harm, because every record names the use of the segment it
//! belongs to; and overwriting blocks that were written before leaves the file's metadata alone, so that a sync costs
//! one write to the medium and not a commit of the file system's journal.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::{Disk, DiskFile, OpenMode};

use super::OpenError;
use super::segment::SegmentFile;

/// How long a reader may keep a purged segment before it is looked at again.
const RETRY_READER: Duration = Duration::from_millis(100);
/// How long after a failure, usually a full disk, the next attempt to fill a segment is made.
const RETRY_FILL: Duration = Duration::from_secs(1);
/// Bytes filled between two syncs, so that a sync of the log waits behind little.
const FILL_BYTES: u64 = 4 << 20;
/// Recycled segments kept above the configured number before files are removed instead.
const SPARES_EXTRA: usize = 2;

/// A segment file that is in no use.
pub(super) struct Spare {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
}

pub(super) struct Pool {
    disk: Arc<dyn Disk>,
    log_dir: PathBuf,
    pool_dir: PathBuf,
    segment_bytes: u64,
    target: usize,
    state: Mutex<PoolState>,
    changed: Condvar,
}

/// What one round of the pool's work came to.
pub(super) enum Round {
    Worked,
    FillFailed,
    Nothing,
}

struct PoolState {
    spares: Vec<Spare>,
    /// Purged segments, oldest first. They leave in this order: a hole between segments would be damage.
    retired: VecDeque<Arc<SegmentFile>>,
    filling: bool,
    failure: Option<String>,
    next_name: u64,
    closing: bool,
}

impl Pool {
    pub(super) fn dir(log_dir: &Path) -> PathBuf {
        log_dir.join("pool")
    }

    /// Takes over the spares that an earlier process left, and removes what cannot be used.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        log_dir: &Path,
        segment_bytes: u32,
        target: usize,
    ) -> Result<Self, OpenError> {
        let pool_dir = Self::dir(log_dir);
        let segment_bytes = u64::from(segment_bytes);
        let mut spares = Vec::new();
        let mut next_name = 0;
        for name in disk
            .list(&pool_dir)
            .map_err(OpenError::io("list", &pool_dir))?
        {
            let path = pool_dir.join(&name);
            let number = name
                .strip_suffix(".spare")
                .and_then(|digits| u64::from_str_radix(digits, 16).ok());
            next_name = next_name.max(number.map_or(0, |number| number.saturating_add(1)));
            let file = disk
                .open(&path, OpenMode::Existing)
                .map_err(OpenError::io("open", &path))?;
            let bytes = file
                .length()
                .map_err(OpenError::io("read the length of", &path))?;
            if number.is_some() && bytes == segment_bytes && spares.len() < target + SPARES_EXTRA {
                spares.push(Spare { path, file });
            } else if number.is_some() || name.ends_with(".tmp") {
                disk.remove(&path).map_err(OpenError::io("remove", &path))?;
            }
        }
        let state = PoolState {
            spares,
            retired: VecDeque::new(),
            filling: false,
            failure: None,
            next_name,
            closing: false,
        };
        Ok(Self {
            disk,
            log_dir: log_dir.to_path_buf(),
            pool_dir,
            segment_bytes,
            target,
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A spare; filled now if none is ready.
    pub(super) fn take(&self) -> io::Result<Spare> {
        let mut state = self.lock();
        loop {
            if let Some(spare) = state.spares.pop() {
                self.changed.notify_all();
                return Ok(spare);
            }
            if !state.filling {
                break;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let name = state.begin_filling();
        drop(state);
        let filled = self.fill(name);
        let mut state = self.lock();
        state.end_filling(filled.as_ref().err());
        self.changed.notify_all();
        filled
    }

    /// Takes back purged segments, oldest first.
    pub(super) fn retire(&self, segments: Vec<Arc<SegmentFile>>) {
        if !segments.is_empty() {
            self.lock().retired.extend(segments);
            self.changed.notify_all();
        }
    }

    /// Bytes of spare and retired segments, number of spares, and why the last fill failed.
    pub(super) fn figures(&self) -> (u64, u64, Option<String>) {
        let state = self.lock();
        let retired: u64 = state.retired.iter().map(|segment| segment.bytes).sum();
        let spares = state.spares.len() as u64;
        (
            retired + spares * self.segment_bytes,
            spares,
            state.failure.clone(),
        )
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// The pool's thread: recycles, then fills, then waits. Ends when closed, or with an error that leaves unknown
    /// which names are durable.
    pub(super) fn run(&self) -> io::Result<()> {
        loop {
            let after = self.round()?;
            let state = self.lock();
            match after {
                _ if state.closing => return Ok(()),
                Round::FillFailed => drop(self.changed.wait_timeout(state, RETRY_FILL)),
                // What was retired or taken since the round is for the next one, at once.
                _ if state.has_work(self.target) => {}
                _ if state.retired.is_empty() => drop(self.changed.wait(state)),
                _ => drop(self.changed.wait_timeout(state, RETRY_READER)),
            }
        }
    }

    /// Recycles one segment or fills one, if there is one to recycle or to fill.
    pub(super) fn round(&self) -> io::Result<Round> {
        let mut state = self.lock();
        // Nobody but readers can hold a retired segment, and they only let go.
        if let Some(segment) = state
            .retired
            .pop_front_if(|segment| Arc::strong_count(segment) == 1)
        {
            let room = state.spares.len() < self.target + SPARES_EXTRA;
            let name = state.take_name();
            drop(state);
            let recycled = self.recycle(&segment, name, room)?;
            self.lock().spares.extend(recycled);
        } else if state.spares.len() < self.target && !state.filling {
            let name = state.begin_filling();
            drop(state);
            let filled = self.fill(name);
            let mut state = self.lock();
            state.end_filling(filled.as_ref().err());
            self.changed.notify_all();
            match filled {
                Ok(spare) => state.spares.push(spare),
                Err(_) => return Ok(Round::FillFailed),
            }
        } else {
            return Ok(Round::Nothing);
        }
        self.changed.notify_all();
        Ok(Round::Worked)
    }

    fn fill(&self, name: u64) -> io::Result<Spare> {
        fail::fail_point!("log.pool.before_fill");
        let temporary = self.pool_dir.join(format!("{name:016x}.tmp"));
        let path = self.pool_dir.join(format!("{name:016x}.spare"));
        let filled = (|| {
            let file = self.disk.open(&temporary, OpenMode::CreateNew)?;
            for offset in (0..self.segment_bytes).step_by(FILL_BYTES as usize) {
                file.write_zeros(offset, FILL_BYTES.min(self.segment_bytes - offset))?;
                file.sync_data()?;
            }
            self.disk.rename(&temporary, &path)?;
            self.disk.sync_dir(&self.pool_dir)?;
            Ok(Spare {
                path: path.clone(),
                file,
            })
        })();
        if let Err(error) = &filled {
            tracing::warn!(%error, path = %path.display(), "no spare log segment could be made");
            // Gives back what was taken of a full disk. If that fails too, the next start removes it.
            let _ = self.disk.remove(&temporary);
        }
        filled
    }

    /// Moves a purged segment to the pool, or removes it. The names must be durable before the file is used again:
    /// otherwise a crash could bring the old name back with the new contents.
    fn recycle(&self, segment: &SegmentFile, name: u64, room: bool) -> io::Result<Option<Spare>> {
        fail::fail_point!("log.purge.before_recycle");
        if !room || segment.file.length()? != self.segment_bytes {
            self.disk.remove(&segment.path)?;
            self.disk.sync_dir(&self.log_dir)?;
            return Ok(None);
        }
        let path = self.pool_dir.join(format!("{name:016x}.spare"));
        self.disk.rename(&segment.path, &path)?;
        self.disk.sync_dir(&self.log_dir)?;
        self.disk.sync_dir(&self.pool_dir)?;
        Ok(Some(Spare {
            path,
            file: Arc::clone(&segment.file),
        }))
    }
}

impl PoolState {
    fn has_work(&self, target: usize) -> bool {
        let retired = self.retired.front();
        retired.is_some_and(|segment| Arc::strong_count(segment) == 1)
            || (self.spares.len() < target && !self.filling)
    }

    fn take_name(&mut self) -> u64 {
        self.next_name += 1;
        self.next_name - 1
    }

    fn begin_filling(&mut self) -> u64 {
        self.filling = true;
        self.take_name()
    }

    fn end_filling(&mut self, failure: Option<&io::Error>) {
        self.filling = false;
        self.failure = failure.map(ToString::to_string);
    }
}
