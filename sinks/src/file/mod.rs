//! Files: one structured CloudEvent a line, in a directory, each file named after its first sequence.
//!
//! A batch counts once it is on the disk (fsync), so a file never holds less than what was reported. What a crash left of
//! a last line is cut off at the next start; damage anywhere else is an error, and nothing is overwritten.

mod append;
mod read;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use self::append::Segment;
use crate::cloud_event::{CloudEvent, Origin};
use crate::delivery::Delivery;
use crate::error::Error;
use crate::sink::Sink;

pub(crate) use self::append::Lines;

/// Where and how files are written.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory; made if it is not there. Nothing else should write in it.
    pub dir: PathBuf,
    /// Bytes after which another file is begun, exceeded by one batch at most.
    pub file_bytes_max: u64,
    /// Events after which another file is begun, exceeded by one batch at most; `None`: only bytes count.
    pub file_events_max: Option<u64>,
}

/// The sink. See the module.
#[derive(Debug)]
pub struct Files {
    config: Config,
    origin: Origin,
    /// Held as long as the sink lives.
    _lock: File,
    /// The file that is being written; `None` before the place was read, and after an error.
    segment: Option<Segment>,
    last: u64,
    buffer: Vec<u8>,
}

impl Files {
    /// Opens the directory for one sink.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another sink writes in it, [`Error::Permanent`] when it cannot be made or opened.
    pub fn open(config: Config, origin: Origin) -> Result<Files, Error> {
        Ok(Files {
            _lock: lock(&config.dir)?,
            config,
            origin,
            segment: None,
            last: 0,
            buffer: Vec::new(),
        })
    }

    /// The path of the file whose first sequence this is.
    fn path(&self, first: u64) -> PathBuf {
        self.config.dir.join(read::name(first))
    }

    fn write(&mut self, batch: &[Delivery]) -> Result<(), Error> {
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
            return Ok(());
        };
        let is_full = |segment: &Segment| {
            let events = self.last.saturating_add(1) - segment.first;
            segment.lines.bytes() >= self.config.file_bytes_max
                || self
                    .config
                    .file_events_max
                    .is_some_and(|most| events >= most)
        };
        // What is taken out comes back only when all of it is on the disk.
        let mut segment = match self.segment.take() {
            Some(segment) if !is_full(&segment) => segment,
            _ => Segment {
                first: first.sequence,
                lines: Lines::create(&self.path(first.sequence))?,
            },
        };
        self.buffer.clear();
        for delivery in batch {
            CloudEvent::new(&self.origin, delivery).write_structured(&mut self.buffer);
            self.buffer.push(b'\n');
        }
        segment.lines.append(&self.buffer)?;
        self.segment = Some(segment);
        self.last = last.sequence;
        Ok(())
    }
}

impl Sink for Files {
    fn kind(&self) -> &'static str {
        "file"
    }

    async fn resume(&mut self) -> Result<u64, Error> {
        let found = read::read(&self.config.dir, &self.origin)?;
        self.last = found.last;
        self.segment = found.newest;
        Ok(self.last)
    }

    async fn deliver(&mut self, batch: &[Delivery]) -> Result<(), Error> {
        // Nothing else runs on this task while the disk is waited for, and the stream has its own.
        self.write(batch)
    }
}

/// Makes the directory and takes its lock, which the system lets go when the process ends, however it ends.
pub(crate) fn lock(dir: &Path) -> Result<File, Error> {
    fs::create_dir_all(dir).map_err(|error| io_error("make the directory", dir, &error))?;
    let path = dir.join("lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| io_error("open", &path, &error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Fenced {
            message: format!("another sink writes in {}", dir.display()),
        }),
        Err(error) => Err(io_error("lock", &path, &error.into())),
    }
}

/// A file that cannot be used. It is never tried again by itself: after a failed fsync nobody knows what the disk holds.
pub(crate) fn io_error(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::permanent(
        format!("cannot {what} {}: {error}", path.display()),
        "make room or mend the disk, then start the sink again: it goes on behind what is there",
    )
}
