//! Files in memory that remember in which order they were written and synced.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::Files;
use super::{Disk, DiskFile, OpenMode, Operation};

/// A disk in memory. Clones share the files.
///
/// It records every operation that changes something ([`MemoryDisk::history`]), from which
/// [`super::Crash`] builds the images that a power cut could leave.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Files,
    base: Files,
    history: Vec<Operation>,
    capacity: Option<u64>,
}

#[derive(Debug)]
struct MemoryFile {
    state: Arc<Mutex<State>>,
    file: usize,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// A disk whose files are durable as given, with an empty history.
    pub(super) fn from_files(files: Files) -> Self {
        Self::from_parts(files.clone(), files)
    }

    /// A disk whose readers see other bytes than are durable, with an empty history.
    pub(super) fn from_parts(base: Files, files: Files) -> Self {
        let state = State {
            base,
            files,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Operations so far that changed something, in order.
    pub fn history(&self) -> Vec<Operation> {
        self.lock().history.clone()
    }

    /// Number of operations in the history: a position in time.
    pub fn position(&self) -> usize {
        self.lock().history.len()
    }

    pub(super) fn base(&self) -> Files {
        self.lock().base.clone()
    }

    /// Total bytes the files may take; writes that need more fail with `StorageFull`. `None` is without a limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// Flips the bits of `mask` in one byte of a file, as a failing medium would; not part of the history.
    pub fn corrupt(&self, path: &Path, offset: usize, mask: u8) -> io::Result<()> {
        let mut state = self.lock();
        let file = *state.files.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        let byte = state.files.contents[file]
            .get_mut(offset)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        *byte ^= mask;
        Ok(())
    }

    /// Takes the end of a file away, as a careless copy would; not part of the history.
    pub fn cut(&self, path: &Path, length: usize) -> io::Result<()> {
        let mut state = self.lock();
        let file = *state.files.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        state.files.contents[file].truncate(length);
        Ok(())
    }

    /// The bytes of a file as a reader sees them now.
    pub fn contents(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.lock();
        let file = *state.files.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(state.files.contents[file].clone())
    }

    /// An independent copy of what a reader sees now, taken as durable.
    pub fn duplicate(&self) -> Self {
        Self::from_files(self.lock().files.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic while the lock is held can only come from a failing test; the bytes are still worth looking at.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn perform(&mut self, operation: Operation) -> io::Result<()> {
        if let Some(capacity) = self.capacity {
            let used: u64 = self
                .files
                .names
                .values()
                .map(|&f| self.files.contents[f].len() as u64)
                .sum();
            if used + self.files.growth(&operation) > capacity {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        self.files.apply(&operation);
        self.history.push(operation);
        Ok(())
    }
}

impl Disk for MemoryDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let mut missing: Vec<PathBuf> = dir
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty() && !state.files.directories.contains(*path))
            .map(Path::to_path_buf)
            .collect();
        missing.reverse();
        missing
            .into_iter()
            .try_for_each(|path| state.perform(Operation::Directory { path }))
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        let file = match (state.files.names.get(path), mode) {
            (Some(&file), OpenMode::Existing) => file,
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (None, OpenMode::Existing) => return Err(io::ErrorKind::NotFound.into()),
            (None, OpenMode::CreateNew) => {
                let parent = path.parent().unwrap_or(Path::new(""));
                if !parent.as_os_str().is_empty() && !state.files.directories.contains(parent) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                let file = state.files.contents.len();
                state.perform(Operation::Create {
                    path: path.to_path_buf(),
                    file,
                })?;
                file
            }
        };
        Ok(Arc::new(MemoryFile {
            state: Arc::clone(&self.state),
            file,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if !state.files.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.perform(Operation::Rename {
            from: from.to_path_buf(),
            to: to.to_path_buf(),
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if !state.files.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.perform(Operation::Remove {
            path: path.to_path_buf(),
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        if !state.files.directories.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = state
            .files
            .names
            .keys()
            .filter(|path| path.parent() == Some(dir));
        Ok(names
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.lock().perform(Operation::SyncDirectory {
            path: dir.to_path_buf(),
        })
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let state = self.lock();
        let used: u64 = state
            .files
            .names
            .values()
            .map(|&f| state.files.contents[f].len() as u64)
            .sum();
        Ok(state.capacity.unwrap_or(1 << 40).saturating_sub(used))
    }
}

impl DiskFile for MemoryFile {
    fn write_at(&self, offset: u64, slices: &[IoSlice<'_>]) -> io::Result<()> {
        let bytes: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        lock(&self.state).perform(Operation::Write {
            file: self.file,
            offset: offset as usize,
            bytes: bytes.into(),
        })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = lock(&self.state);
        let contents = &state.files.contents[self.file];
        let range = offset as usize..offset as usize + buffer.len();
        buffer.copy_from_slice(contents.get(range).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_zeros(&self, offset: u64, length: u64) -> io::Result<()> {
        let operation = Operation::Zeros {
            file: self.file,
            offset: offset as usize,
            length: length as usize,
        };
        lock(&self.state).perform(operation)
    }

    fn sync_data(&self) -> io::Result<()> {
        lock(&self.state).perform(Operation::SyncData { file: self.file })
    }

    fn length(&self) -> io::Result<u64> {
        Ok(lock(&self.state).files.contents[self.file].len() as u64)
    }
}
