//! The images a power cut can leave behind, built from the history of a [`MemoryDisk`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::MemoryDisk;
use super::files::Files;

/// One operation that changed a [`MemoryDisk`]. `file` is a number a file keeps over renames.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operation {
    Write {
        file: usize,
        offset: usize,
        bytes: Bytes,
    },
    Zeros {
        file: usize,
        offset: usize,
        length: usize,
    },
    SyncData {
        file: usize,
    },
    Directory {
        path: PathBuf,
    },
    Create {
        path: PathBuf,
        file: usize,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    SyncDirectory {
        path: PathBuf,
    },
}

/// The moment after a prefix of a disk's history, at which the power is cut.
///
/// The model: bytes not yet synced survive per write in any combination, each whole, in part or not at all; names
/// not yet synced survive as a prefix of their operations, because file systems with a journal keep their order.
/// What was synced survives.
#[derive(Debug, Clone)]
pub struct Crash {
    durable: Files,
    names: Vec<Operation>,
    writes: Vec<Operation>,
}

impl Crash {
    /// The state of `disk` after the first `position` operations of its history.
    pub fn after(disk: &MemoryDisk, position: usize) -> Self {
        let mut durable = disk.base();
        let mut names: Vec<(Operation, BTreeSet<PathBuf>)> = Vec::new();
        let mut writes: BTreeMap<usize, Vec<Operation>> = BTreeMap::new();
        let mut order: Vec<usize> = Vec::new();
        for operation in disk.history().into_iter().take(position) {
            match &operation {
                Operation::Write { file, .. } | Operation::Zeros { file, .. } => {
                    order.push(*file);
                    writes.entry(*file).or_default().push(operation);
                }
                Operation::SyncData { file } => {
                    order.retain(|other| other != file);
                    writes
                        .remove(file)
                        .unwrap_or_default()
                        .iter()
                        .for_each(|write| durable.apply(write));
                }
                Operation::SyncDirectory { path } => {
                    names.iter_mut().for_each(|(_, unsynced)| {
                        unsynced.remove(path);
                    });
                    // Order is kept: what is durable takes everything before it along.
                    let count = names
                        .iter()
                        .rposition(|(_, unsynced)| unsynced.is_empty())
                        .map_or(0, |at| at + 1);
                    names
                        .drain(..count)
                        .for_each(|(name, _)| durable.apply(&name));
                }
                Operation::Directory { path }
                | Operation::Create { path, .. }
                | Operation::Remove { path } => {
                    let unsynced = parents(&[path]);
                    names.push((operation, unsynced));
                }
                Operation::Rename { from, to } => {
                    let unsynced = parents(&[from, to]);
                    names.push((operation, unsynced));
                }
            }
        }
        let mut queues: BTreeMap<usize, std::vec::IntoIter<Operation>> = writes
            .into_iter()
            .map(|(file, list)| (file, list.into_iter()))
            .collect();
        let writes = order
            .iter()
            .filter_map(|file| queues.get_mut(file)?.next())
            .collect();
        Self {
            durable,
            names: names.into_iter().map(|(name, _)| name).collect(),
            writes,
        }
    }

    /// Length in bytes of each write that is not synced, in order.
    pub fn unsynced_writes(&self) -> Vec<usize> {
        self.writes.iter().map(length).collect()
    }

    /// Number of creations, renames and removals that are not synced.
    pub fn unsynced_names(&self) -> usize {
        self.names.len()
    }

    /// The disk after the power is back: the first `names` operations on names survived, and of the unsynced write
    /// number `n` the bytes that `survives(n)` covers (clipped to the write).
    pub fn image(&self, names: usize, survives: impl Fn(usize) -> Survival) -> MemoryDisk {
        let mut files = self.durable.clone();
        self.names
            .iter()
            .take(names)
            .for_each(|name| files.apply(name));
        for (number, write) in self.writes.iter().enumerate() {
            let all = length(write);
            let kept = match survives(number) {
                Survival::Lost => 0..0,
                Survival::Whole => 0..all,
                Survival::First(bytes) => 0..bytes.min(all),
                Survival::From(bytes) => bytes.min(all)..all,
            };
            match write {
                Operation::Write {
                    file,
                    offset,
                    bytes,
                } => {
                    files.put(*file, offset + kept.start, &bytes[kept]);
                }
                Operation::Zeros { file, offset, .. } => {
                    files.put(*file, offset + kept.start, &vec![0; kept.len()]);
                }
                _ => {}
            }
        }
        MemoryDisk::from_files(files)
    }

    /// Not a power cut but the state after a sync failed and its process died: readers see every byte, and the medium
    /// has only what was synced before. The kernel has marked the other pages clean, so a later sync does not write
    /// them; only bytes written again can become durable.
    pub fn image_with_clean_pages(&self) -> MemoryDisk {
        let mut durable = self.durable.clone();
        self.names.iter().for_each(|name| durable.apply(name));
        let mut seen = durable.clone();
        self.writes.iter().for_each(|write| seen.apply(write));
        MemoryDisk::from_parts(durable, seen)
    }

    /// The image in which everything survived, synced or not.
    pub fn image_with_everything(&self) -> MemoryDisk {
        self.image(self.names.len(), |_| Survival::Whole)
    }
}

/// What is left of a write that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// Nothing.
    Lost,
    /// All of it.
    Whole,
    /// Its first bytes: torn while it was written.
    First(usize),
    /// Its bytes from here on: later pages reached the medium before earlier ones.
    From(usize),
}

fn parents(paths: &[&Path]) -> BTreeSet<PathBuf> {
    paths
        .iter()
        .map(|path| path.parent().unwrap_or(Path::new("")).to_path_buf())
        .collect()
}

fn length(write: &Operation) -> usize {
    match write {
        Operation::Write { bytes, .. } => bytes.len(),
        Operation::Zeros { length, .. } => *length,
        _ => 0,
    }
}
