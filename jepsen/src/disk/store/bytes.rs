//! Bytes of files: read, written, and room set aside for them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::io::Errno;

use super::Store;
use crate::disk::content::Content;

impl Store {
    /// An open file and what is known of its bytes, opened for once when nobody has it open.
    fn file(&mut self, number: u64) -> io::Result<(Arc<File>, &mut Content)> {
        let path = self.object(number);
        let inode = self.inode(number)?;
        let content = inode.content.as_mut().ok_or(Errno::ISDIR)?;
        let file = match &inode.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = OpenOptions::new().read(true).write(true).open(path)?;
                let file = Arc::new(file);
                if inode.opened > 0 {
                    inode.file = Some(Arc::clone(&file));
                }
                file
            }
        };
        Ok((file, content))
    }

    /// Somebody has opened a file.
    ///
    /// # Errors
    /// When there is none, or its bytes underneath cannot be opened.
    pub fn open(&mut self, number: u64) -> io::Result<()> {
        self.inode(number)?.opened += 1;
        self.file(number).map(|_| ())
    }

    /// Somebody is done with a file.
    pub fn close(&mut self, number: u64) {
        if let Some(inode) = self.inodes.get_mut(&number) {
            inode.opened = inode.opened.saturating_sub(1);
            if inode.opened == 0 {
                inode.file = None;
                self.collect();
            }
        }
    }

    /// Reads up to so many bytes at an offset.
    ///
    /// # Errors
    /// Of a read that fails by command.
    pub fn read(&mut self, number: u64, at: u64, size: usize) -> io::Result<Vec<u8>> {
        let zone = self.inode(number)?.zone;
        if self.faults.read_fails.contains(&zone) {
            return Err(self.refused(Errno::IO));
        }
        let (file, content) = self.file(number)?;
        let size = content.length.saturating_sub(at).min(size as u64);
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// Writes bytes at an offset; how many have found room.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, number: u64, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let free = self.free();
        let (file, content) = self.file(number)?;
        let end = at + bytes.len() as u64;
        let missing = end.saturating_sub(content.length).saturating_sub(free);
        let fits = (bytes.len() as u64).saturating_sub(missing) as usize;
        if fits == 0 && !bytes.is_empty() {
            return Err(self.refused(Errno::NOSPC));
        }
        content.write(&file, at, &bytes[..fits])?;
        self.inode(number)?.modified = SystemTime::now();
        Ok(fits)
    }

    /// Makes a file longer or shorter.
    ///
    /// # Errors
    /// When there is none.
    pub fn resize(&mut self, number: u64, length: u64) -> io::Result<()> {
        let (file, content) = self.file(number)?;
        content.resize(&file, length)?;
        self.inode(number)?.modified = SystemTime::now();
        Ok(())
    }

    /// Sets room aside for a range; a hole is not counted as free again.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn allocate(&mut self, number: u64, end: u64, keeps_length: bool) -> io::Result<()> {
        let free = self.free();
        let (file, content) = self.file(number)?;
        let more = end.saturating_sub(content.length);
        if more > free {
            return Err(self.refused(Errno::NOSPC));
        }
        if more > 0 && !keeps_length {
            content.resize(&file, end)?;
        }
        Ok(())
    }

    /// Writes zeros over a range inside the file.
    ///
    /// # Errors
    /// When there is none.
    pub fn zero(&mut self, number: u64, from: u64, to: u64) -> io::Result<()> {
        let (file, content) = self.file(number)?;
        let mut at = from;
        let to = to.min(content.length);
        while at < to {
            let size = (to - at).min(1 << 20);
            content.write(&file, at, &vec![0; size as usize])?;
            at += size;
        }
        Ok(())
    }
}
