//! The disk under a node's log: the project's own disk in memory, with a power switch.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use farthing_node::disk::{Crash, Disk, DiskFile, MemoryDisk, OpenMode, Survival};

use crate::random::Random;
use crate::trace;

/// What can go wrong with a disk, now or after some operations.
#[derive(Debug, Default)]
pub struct Switch {
    /// Operations until the power goes; `u64::MAX` is never.
    until_off: AtomicU64,
    off: AtomicBool,
    fail_sync: AtomicBool,
    sync_failed: AtomicBool,
}

impl Switch {
    /// Power on, nothing armed.
    pub fn on(&self) {
        self.until_off.store(u64::MAX, Ordering::Relaxed);
        self.off.store(false, Ordering::Relaxed);
        self.fail_sync.store(false, Ordering::Relaxed);
        self.sync_failed.store(false, Ordering::Relaxed);
    }

    /// Whether a sync has failed since the power came on.
    pub fn has_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Relaxed)
    }

    /// The power goes at the operation after `operations` more.
    pub fn off_after(&self, operations: u64) {
        self.until_off.store(operations, Ordering::Relaxed);
    }

    /// The next sync of a file fails.
    pub fn fail_next_sync(&self) {
        self.fail_sync.store(true, Ordering::Relaxed);
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.off.load(Ordering::Relaxed)
    }

    /// Counts one operation: true when it is the one at which the power goes.
    fn step(&self) -> io::Result<bool> {
        if self.is_off() {
            return Err(io::Error::other("the power is off"));
        }
        let left = self.until_off.load(Ordering::Relaxed);
        if left == u64::MAX {
            return Ok(false);
        }
        self.until_off
            .store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 {
            trace::reached("power lost in the middle of a disk operation");
            self.off.store(true, Ordering::Relaxed);
        }
        Ok(left == 0)
    }
}

/// A node's disk. Clones share it; what is on it outlives the node.
#[derive(Debug, Clone)]
pub struct SimDisk {
    node: u64,
    memory: Arc<Mutex<MemoryDisk>>,
    switch: Arc<Switch>,
}

impl SimDisk {
    /// An empty disk, power on.
    pub fn new(node: u64) -> Self {
        let switch = Switch::default();
        switch.on();
        Self {
            node,
            memory: Arc::new(Mutex::new(MemoryDisk::new())),
            switch: Arc::new(switch),
        }
    }

    /// Its switch.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    fn memory(&self) -> MemoryDisk {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.clone()
    }

    fn replace(&self, memory: MemoryDisk) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
    }

    /// The power was cut: of what was not synced, chance decides what is left.
    pub fn lose_power(&self, random: &mut Random) {
        let memory = self.memory();
        let crash = Crash::after(&memory, memory.position());
        let writes = crash.unsynced_writes();
        let names = random.below(crash.unsynced_names() as u64 + 1) as usize;
        let survivals: Vec<Survival> = writes
            .iter()
            .map(|bytes| match random.below(4) {
                0 => Survival::Lost,
                1 => Survival::Whole,
                2 => Survival::First(random.below(*bytes as u64 + 1) as usize),
                _ => Survival::From(random.below(*bytes as u64 + 1) as usize),
            })
            .collect();
        if !writes.is_empty() {
            trace::reached("unsynced bytes at a power loss");
        }
        trace!(
            "n{} power loss: {} unsynced names, {names} kept, unsynced writes {survivals:?}",
            self.node,
            crash.unsynced_names()
        );
        self.replace(crash.image(names, |write| survivals[write]));
        self.switch.on();
    }

    /// The process ended and the machine went on: what it had written is there. After a failed sync the medium may
    /// not have it, though readers see it.
    pub fn end_process(&self, sync_failed: bool) {
        let memory = self.memory();
        let crash = Crash::after(&memory, memory.position());
        if sync_failed {
            self.replace(crash.image_with_clean_pages());
        }
        self.switch.on();
    }
}

impl Disk for SimDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.switch.step()?;
        self.memory().create_dir_all(dir)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        self.switch.step()?;
        trace!("n{} open {} {mode:?}", self.node, path.display());
        let file = self.memory().open(path, mode)?;
        Ok(Arc::new(SimFile {
            node: self.node,
            file,
            switch: Arc::clone(&self.switch),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.switch.step()?;
        trace!("n{} rename {} {}", self.node, from.display(), to.display());
        self.memory().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.switch.step()?;
        trace!("n{} remove {}", self.node, path.display());
        self.memory().remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.memory().list(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.switch.step()? {
            return Err(io::Error::other("the power went"));
        }
        self.memory().sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.memory().free_bytes(dir)
    }
}

#[derive(Debug)]
struct SimFile {
    node: u64,
    file: Arc<dyn DiskFile>,
    switch: Arc<Switch>,
}

impl DiskFile for SimFile {
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()> {
        // The power may go while this is written: then it is there, and not synced.
        let last = self.switch.step()?;
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        trace!("n{} write {offset}+{length}", self.node);
        self.file.write_at(offset, slices)?;
        if last {
            return Err(io::Error::other("the power went"));
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if self.switch.is_off() {
            return Err(io::Error::other("the power is off"));
        }
        self.file.read_at(offset, buffer)
    }

    fn write_zeros(&self, offset: u64, length: u64) -> io::Result<()> {
        self.switch.step()?;
        self.file.write_zeros(offset, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.switch.step()? {
            return Err(io::Error::other("the power went"));
        }
        if self.switch.fail_sync.swap(false, Ordering::Relaxed) {
            trace::reached("sync failed");
            self.switch.sync_failed.store(true, Ordering::Relaxed);
            trace!("n{} sync fails", self.node);
            return Err(io::Error::from_raw_os_error(5));
        }
        trace!("n{} sync", self.node);
        self.file.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}
