//! Lines at the end of a file, on the disk before they count.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::io_error;
use crate::error::Error;

/// A file of the sink that is being written.
#[derive(Debug)]
pub(crate) struct Segment {
    /// The sequence of its first event.
    pub(crate) first: u64,
    pub(crate) lines: Lines,
}

/// A file to which lines are added.
#[derive(Debug)]
pub(crate) struct Lines {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Lines {
    /// A new file, whose name is on the disk.
    pub(crate) fn create(path: &Path) -> Result<Lines, Error> {
        let file = fs::OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(path)
            .map_err(|error| io_error("create", path, &error))?;
        sync_parent(path)?;
        Ok(Lines {
            file,
            path: path.to_owned(),
            bytes: 0,
        })
    }

    /// A file that is there, of which the first `bytes` are kept. It is on the disk, whoever has written it.
    pub(crate) fn open(path: &Path, bytes: u64) -> Result<Lines, Error> {
        let open = || {
            let file = fs::OpenOptions::new().append(true).open(path)?;
            if file.metadata()?.len() != bytes {
                file.set_len(bytes)?;
            }
            file.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(|error| io_error("go on with", path, &error))?;
        sync_parent(path)?;
        Ok(Lines {
            file,
            path: path.to_owned(),
            bytes,
        })
    }

    /// Adds whole lines and waits until they are on the disk. After an error the file must be opened anew.
    pub(crate) fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.file
            .write_all(lines)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| io_error("write", &self.path, &error))?;
        self.bytes += lines.len() as u64;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| io_error("sync", parent, &error))
}
