//! A disk that fails when told to.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Disk, DiskFile, OpenMode};

/// The kind of operation a [`Rule`] watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// [`DiskFile::write_at`].
    Write,
    /// [`DiskFile::write_zeros`].
    WriteZeros,
    /// [`DiskFile::read_at`].
    Read,
    /// [`DiskFile::sync_data`].
    SyncData,
    /// [`Disk::sync_dir`].
    SyncDirectory,
    /// [`Disk::open`].
    Open,
    /// [`Disk::rename`].
    Rename,
    /// [`Disk::remove`].
    Remove,
}

/// What happens to an operation a [`Rule`] matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It fails with this error and changes nothing (for a write: see [`Effect::TornWrite`]).
    Fail(io::ErrorKind),
    /// It fails with this error number of the operating system, 5 for `EIO`, 28 for `ENOSPC`.
    FailOs(i32),
    /// A write stores its first bytes, then fails with `EIO`.
    TornWrite(usize),
    /// A read gives one byte, at this place of its buffer, with one bit flipped.
    FlipBit(usize),
    /// It waits first.
    Delay(Duration),
}

/// Which operations a [`FaultDisk`] disturbs, and how.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The operation watched.
    pub target: Target,
    /// Only paths that contain this text; empty for all. For open files the path they were opened under.
    pub path: String,
    /// Operations that match but are let through first.
    pub skip: u64,
    /// How many are disturbed after those; `u64::MAX` for all.
    pub count: u64,
    /// What happens to them.
    pub effect: Effect,
}

/// Wraps a disk and disturbs the operations that its rules name. Clones share the rules.
#[derive(Debug, Clone)]
pub struct FaultDisk {
    inner: Arc<dyn Disk>,
    rules: Arc<Mutex<Vec<Rule>>>,
}

#[derive(Debug)]
struct FaultFile {
    inner: Arc<dyn DiskFile>,
    disk: FaultDisk,
    path: PathBuf,
}

impl FaultDisk {
    /// Wraps `inner`, without rules.
    pub fn new(inner: Arc<dyn Disk>) -> Self {
        Self {
            inner,
            rules: Arc::default(),
        }
    }

    /// Adds a rule; of several that match an operation the first one added takes it.
    pub fn add(&self, rule: Rule) {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rule);
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn effect(&self, target: Target, path: &Path) -> Option<Effect> {
        let path = path.to_string_lossy();
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        for rule in rules
            .iter_mut()
            .filter(|rule| rule.target == target && path.contains(&rule.path))
        {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.count > 0 {
                rule.count = rule.count.saturating_sub(u64::from(rule.count != u64::MAX));
                return Some(rule.effect);
            }
        }
        None
    }

    /// Waits or fails; the effects that only a file understands are handed back.
    fn disturb(&self, target: Target, path: &Path) -> io::Result<Option<Effect>> {
        match self.effect(target, path) {
            None => Ok(None),
            Some(Effect::Fail(kind)) => Err(kind.into()),
            Some(Effect::FailOs(number)) => Err(io::Error::from_raw_os_error(number)),
            Some(Effect::Delay(time)) => {
                std::thread::sleep(time);
                Ok(None)
            }
            other => Ok(other),
        }
    }
}

impl Disk for FaultDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        self.disturb(Target::Open, path)?;
        let inner = self.inner.open(path, mode)?;
        Ok(Arc::new(FaultFile {
            inner,
            disk: self.clone(),
            path: path.to_path_buf(),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disturb(Target::Rename, from)?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disturb(Target::Remove, path)?;
        self.inner.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disturb(Target::SyncDirectory, dir)?;
        self.inner.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.inner.free_bytes(dir)
    }
}

impl DiskFile for FaultFile {
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()> {
        if let Some(Effect::TornWrite(bytes)) = self.disk.disturb(Target::Write, &self.path)? {
            let all: Vec<u8> = slices
                .iter()
                .flat_map(|slice| slice.iter().copied())
                .collect();
            self.inner
                .write_at(offset, &[IoSlice::new(&all[..bytes.min(all.len())])])?;
            return Err(io::Error::from_raw_os_error(5));
        }
        self.inner.write_at(offset, slices)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let effect = self.disk.disturb(Target::Read, &self.path)?;
        self.inner.read_at(offset, buffer)?;
        if let (Some(Effect::FlipBit(at)), false) = (effect, buffer.is_empty()) {
            let at = at % buffer.len();
            buffer[at] ^= 1;
        }
        Ok(())
    }

    fn write_zeros(&self, offset: u64, length: u64) -> io::Result<()> {
        self.disk.disturb(Target::WriteZeros, &self.path)?;
        self.inner.write_zeros(offset, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.disturb(Target::SyncData, &self.path)?;
        self.inner.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }
}
