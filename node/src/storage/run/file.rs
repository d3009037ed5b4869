//! Sorted files on their way into a family.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rocksdb::{Options, SstFileWriter};

use super::super::database::Database;
use super::super::error::Error;
use super::super::shared::{Shared, lock};
use super::Sealed;

/// Longest that a run takes its time. What it writes has to be replayed when the node dies before its end.
const LEISURE_MAX: Duration = Duration::from_secs(10);
/// Longest sleep in one piece, so that whoever comes to wait does not wait long.
const SLEEP_MAX: Duration = Duration::from_millis(20);

/// Slows a run down to its share of the disk, and of the processor while nobody waits for it, and lets it end early.
///
/// The nodes of a cluster seal their windows at the same entries or nearly so. Runs at full speed would take a
/// processor from everybody at once for as long as they last, and what is answered meanwhile would be answered late.
pub(crate) struct Pace<'a> {
    shared: &'a Shared,
    cancellations: u64,
    began: Instant,
    /// How long the run may take when nobody waits for it, and what it will then have written.
    leisure: Duration,
    expected_bytes: u64,
    bytes: u64,
    checked: u64,
}

impl<'a> Pace<'a> {
    pub(crate) fn new(shared: &'a Shared, sealed: &Sealed) -> Self {
        Self {
            shared,
            cancellations: shared.cancellations(),
            began: Instant::now(),
            leisure: (sealed.filled_in / 2).min(LEISURE_MAX),
            expected_bytes: sealed.window.memory_bytes() as u64,
            bytes: 0,
            checked: 0,
        }
    }

    /// An error when the run shall end early.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.shared.cancellations() == self.cancellations {
            true => Ok(()),
            false => Err(Error::Cancelled("the run was abandoned")),
        }
    }

    /// Bytes went on their way to a file.
    #[inline]
    fn wrote(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes as u64;
        if self.bytes - self.checked < 1 << 20 {
            return Ok(());
        }
        self.checked = self.bytes;
        self.check()?;
        let due = Duration::from_secs_f64(
            self.bytes as f64 / self.shared.config.background_write_bytes_per_s as f64,
        );
        if let Some(early) = due.checked_sub(self.began.elapsed()) {
            std::thread::sleep(early.min(Duration::from_millis(100)));
        }
        self.take_time()
    }

    /// Waits until so much of the run was due, unless another window or a checkpoint waits for it.
    fn take_time(&self) -> Result<(), Error> {
        let done = self.bytes as f64 / self.expected_bytes.max(1) as f64;
        let due = self.leisure.mul_f64(done.min(1.0));
        while let Some(early) = due.checked_sub(self.began.elapsed())
            && !early.is_zero()
            && lock(&self.shared.queue).jobs.is_empty()
        {
            std::thread::sleep(early.min(SLEEP_MAX));
            self.check()?;
        }
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Rows of one family in ascending order, as one or more files. A family without rows has none.
pub(crate) struct RunFile<'o> {
    options: &'o Options,
    path: Box<dyn Fn(usize) -> PathBuf + 'o>,
    open: Option<SstFileWriter<'o>>,
    paths: Vec<PathBuf>,
    bytes: usize,
    bytes_max: usize,
}

impl<'o> RunFile<'o> {
    /// Files of about `bytes_max` bytes before compression. Several files are right only where families do not
    /// overlap; each file of another family is one more place to look.
    pub(crate) fn new(
        options: &'o Options,
        bytes_max: usize,
        path: impl Fn(usize) -> PathBuf + 'o,
    ) -> Self {
        Self {
            options,
            path: Box::new(path),
            open: None,
            paths: vec![],
            bytes: 0,
            bytes_max,
        }
    }

    fn writer(
        &mut self,
        bytes: usize,
        pace: &mut Pace<'_>,
    ) -> Result<&mut SstFileWriter<'o>, Error> {
        pace.wrote(bytes)?;
        if self.bytes > self.bytes_max {
            self.close()?;
        }
        self.bytes += bytes;
        if self.open.is_none() {
            let path = (self.path)(self.paths.len());
            let writer = SstFileWriter::create(self.options);
            writer
                .open(&path)
                .map_err(Error::database("begin a run file"))?;
            self.paths.push(path);
            self.open = Some(writer);
        }
        self.open
            .as_mut()
            .ok_or_else(|| Error::Broken("a run file is not open".into()))
    }

    #[inline]
    pub(crate) fn put(
        &mut self,
        key: &[u8],
        value: &[u8],
        pace: &mut Pace<'_>,
    ) -> Result<(), Error> {
        self.writer(key.len() + value.len(), pace)?
            .put(key, value)
            .map_err(Error::database("write a run file"))
    }

    pub(crate) fn delete(&mut self, key: &[u8], pace: &mut Pace<'_>) -> Result<(), Error> {
        self.writer(key.len(), pace)?
            .delete(key)
            .map_err(Error::database("write a run file"))
    }

    fn close(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        match self.open.take() {
            // Synced by RocksDB before it returns.
            Some(mut writer) => writer
                .finish()
                .map_err(Error::database("finish a run file")),
            None => Ok(()),
        }
    }

    /// The finished files, synced.
    pub(crate) fn finish(mut self) -> Result<Vec<PathBuf>, Error> {
        self.close()?;
        Ok(self.paths)
    }
}

/// Lets finished files into a family, all by one manifest edit.
pub(crate) fn ingest(
    database: &Database,
    family: &'static str,
    files: &[PathBuf],
) -> Result<(), Error> {
    if files.is_empty() {
        Ok(())
    } else {
        database.ingest(family, files)
    }
}
