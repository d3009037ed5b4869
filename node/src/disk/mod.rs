//! The few operations on files that the log and the storage layer need, behind one small trait.
//!
//! This module knows bytes, files and directories; it does not know what they mean. Everything durable in a node goes
//! through [`Disk`], so that a test can tear a write, lose it, reorder it, fail a sync, flip a bit or fill the disk,
//! and so that a simulated node can run without a file system.
//!
//! Start with the two traits below; [`RealDisk`] is the only implementation a node runs on. [`MemoryDisk`] keeps
//! files in memory, records every operation and builds the images a crash could leave behind ([`Crash`]);
//! [`FaultDisk`] wraps any disk and makes chosen operations fail or wait.
//!
//! What is promised, and what is not:
//! - bytes written are durable only after [`DiskFile::sync_data`] of that file returned `Ok`;
//! - a name created, renamed or removed is durable only after [`Disk::sync_dir`] of its directory (of both, for a
//!   rename from one to the other);
//! - after a failed sync nothing is known about the bytes, and trying again proves nothing: the kernel may have
//!   dropped the dirty pages.

mod crash;
mod fault;
mod files;
mod memory;
mod real;

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

pub use crash::{Crash, Operation, Survival};
pub use fault::{Effect, FaultDisk, Rule, Target};
pub use memory::MemoryDisk;
pub use real::RealDisk;

/// How [`Disk::open`] treats a file that exists, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// The file must exist; `NotFound` otherwise.
    Existing,
    /// The file must not exist; `AlreadyExists` otherwise.
    CreateNew,
}

/// A directory tree of files.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Creates the directory and those above it. Not durable before [`Disk::sync_dir`] of each parent.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Opens a file for reading and writing.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;

    /// Renames a file; an existing target is replaced. Atomic, not durable before the directories are synced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Not durable before the directory is synced.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names of the regular files in a directory, sorted; directories in it are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes an unprivileged process may still write on the file system that holds `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// An open file. All offsets and lengths are in bytes.
pub trait DiskFile: Debug + Send + Sync + 'static {
    /// Writes all slices one after the other from `offset` on, without copying them together first.
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()>;

    /// Fills the whole buffer from `offset` on; `UnexpectedEof` when the file ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes zeros over `offset..offset + length`, growing the file if it ends before.
    ///
    /// Real zeros, not a reservation: writing into reserved but unwritten extents makes every later sync update
    /// metadata, which is what the log avoids by filling its segments beforehand.
    fn write_zeros(&self, offset: u64, length: u64) -> io::Result<()>;

    /// Makes the bytes written so far durable (and the file's length, if it changed).
    fn sync_data(&self) -> io::Result<()>;

    /// Length of the file.
    fn length(&self) -> io::Result<u64>;
}
