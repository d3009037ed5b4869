//! Names and contents of files in memory, and what each operation does to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Operation;

/// Names and contents. A file keeps its number when it is renamed, and its contents while a handle is open.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub(super) directories: BTreeSet<PathBuf>,
    pub(super) names: BTreeMap<PathBuf, usize>,
    pub(super) contents: Vec<Vec<u8>>,
}

impl Files {
    /// Bytes by which the operation makes a file longer.
    pub(super) fn growth(&self, operation: &Operation) -> u64 {
        let (file, end) = match operation {
            Operation::Write {
                file,
                offset,
                bytes,
            } => (*file, offset + bytes.len()),
            Operation::Zeros {
                file,
                offset,
                length,
            } => (*file, offset + length),
            _ => return 0,
        };
        (end as u64).saturating_sub(self.contents[file].len() as u64)
    }

    /// Performs the operation; the caller has checked that it can be performed.
    pub(super) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Write {
                file,
                offset,
                bytes,
            } => self.put(*file, *offset, bytes),
            Operation::Zeros {
                file,
                offset,
                length,
            } => self.put(*file, *offset, &vec![0; *length]),
            Operation::Directory { path } => {
                self.directories.insert(path.clone());
            }
            Operation::Create { path, file } => {
                if self.contents.len() <= *file {
                    self.contents.resize(*file + 1, Vec::new());
                }
                self.names.insert(path.clone(), *file);
            }
            Operation::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Operation::Remove { path } => {
                self.names.remove(path);
            }
            Operation::SyncData { .. } | Operation::SyncDirectory { .. } => {}
        }
    }

    pub(super) fn put(&mut self, file: usize, offset: usize, bytes: &[u8]) {
        if self.contents.len() <= file {
            self.contents.resize(file + 1, Vec::new());
        }
        let contents = &mut self.contents[file];
        if contents.len() < offset + bytes.len() {
            contents.resize(offset + bytes.len(), 0);
        }
        contents[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}
