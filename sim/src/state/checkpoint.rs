//! Snapshots: as they are given, and as they arrive.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use farthing_node::storage::{Error, Manifest, ManifestFile, SnapshotSink, SnapshotSource};

use super::lock;
use super::machine::Machine;

/// Bytes in one file of a snapshot.
const PART_BYTES: usize = 8 << 10;

/// A snapshot: its files are parts of the history.
#[derive(Debug)]
pub(super) struct Checkpoint {
    manifest: Manifest,
    parts: Vec<Bytes>,
}

impl Checkpoint {
    pub(super) fn new(cluster_id: u128, machine: &Machine) -> Self {
        let bytes = Bytes::from(machine.encode());
        let parts: Vec<Bytes> = bytes
            .chunks(PART_BYTES)
            .map(Bytes::copy_from_slice)
            .collect();
        let file = |(number, part): (usize, &Bytes)| ManifestFile {
            name: format!("{number:06}.part"),
            length: part.len() as u64,
            crc32c: crc32c::crc32c(part),
        };
        let manifest = Manifest {
            cluster_id,
            log_id: machine.applied.log_id.unwrap_or_default(),
            membership: machine.applied.membership.clone(),
            digest: machine.applied.digest,
            generation: 1,
            files: parts.iter().enumerate().map(file).collect(),
        };
        Self { manifest, parts }
    }
}

impl SnapshotSource for Checkpoint {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn open(&self, position: usize) -> Result<Box<dyn Read + Send>, Error> {
        let part = self.parts.get(position).cloned();
        let part = part.ok_or_else(|| Error::Snapshot("no such file".into()))?;
        Ok(Box::new(std::io::Cursor::new(part)))
    }
}

/// A snapshot as it arrives.
pub(super) struct Incoming {
    manifest: Manifest,
    file: usize,
    bytes: Vec<u8>,
    /// Where the current file begins.
    begin: usize,
    /// Where it is put when it is complete.
    incoming: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
}

impl Incoming {
    /// Nothing of it yet.
    pub(super) fn new(
        manifest: Manifest,
        incoming: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
    ) -> Self {
        Self {
            manifest,
            file: 0,
            bytes: Vec::new(),
            begin: 0,
            incoming,
        }
    }
}

impl SnapshotSink for Incoming {
    fn write(&mut self, position: usize, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let wrong = || Error::Snapshot("these bytes do not come next".into());
        let file = self.manifest.files.get(position).ok_or_else(wrong)?;
        if position != self.file || offset != (self.bytes.len() - self.begin) as u64 {
            return Err(wrong());
        }
        self.bytes.extend_from_slice(bytes);
        let received = &self.bytes[self.begin..];
        if received.len() as u64 == file.length {
            if crc32c::crc32c(received) != file.crc32c {
                return Err(Error::Snapshot("damaged on the way".into()));
            }
            self.file += 1;
            self.begin = self.bytes.len();
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(PathBuf, Manifest), Error> {
        if self.file != self.manifest.files.len() {
            return Err(Error::Snapshot("it is not complete".into()));
        }
        let id = self.manifest.log_id;
        let dir = PathBuf::from(format!("{}-{}", id.term, id.index));
        lock(&self.incoming).insert(dir.clone(), self.bytes);
        Ok((dir, self.manifest))
    }
}
