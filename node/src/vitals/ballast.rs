//! Bytes set aside on the disk, given up when everything else is full so that the log can still be written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// Bytes written at once where the file system cannot set space aside.
const ZEROS: usize = 1 << 20;

/// The file, there or not.
#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    held: bool,
}

impl Ballast {
    pub(super) fn open(dir: &Path, bytes: u64) -> Self {
        let path = dir.join("ballast");
        let length = std::fs::metadata(&path).map_or(0, |found| found.len());
        let mut ballast = Self {
            path,
            bytes,
            held: length > 0,
        };
        if length != bytes {
            ballast.release();
        }
        ballast
    }

    /// Its size, whether it is there or not.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_held(&self) -> bool {
        self.held || self.bytes == 0
    }

    /// Sets the bytes aside. Where that fails the disk keeps none, which only means that it is fuller.
    pub(super) fn make(&mut self) {
        if self.is_held() {
            return;
        }
        match fill(&self.path, self.bytes) {
            Ok(()) => self.held = true,
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "no ballast could be set aside");
                let _ = std::fs::remove_file(&self.path);
            }
        }
    }

    /// Gives the bytes up.
    pub(super) fn release(&mut self) {
        if !self.held {
            return;
        }
        match std::fs::remove_file(&self.path) {
            Ok(()) => self.held = false,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.held = false,
            Err(error) => {
                tracing::error!(%error, path = %self.path.display(), "the ballast cannot be given up");
            }
        }
    }
}

fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)?;
    if fallocate(&file, FallocateFlags::empty(), 0, bytes).is_ok() {
        return Ok(());
    }
    let zeros = vec![0; ZEROS];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(ZEROS as u64);
        file.write_all(&zeros[..part as usize])?;
        left -= part;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_there_until_given_up_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut ballast = Ballast::open(dir.path(), 3 << 20);
        assert!(!ballast.is_held());
        ballast.make();
        assert_eq!(
            std::fs::metadata(dir.path().join("ballast")).unwrap().len(),
            3 << 20
        );
        assert!(Ballast::open(dir.path(), 3 << 20).is_held());
        assert!(!Ballast::open(dir.path(), 4 << 20).is_held());
        ballast.release();
        assert!(!dir.path().join("ballast").exists());
    }
}
