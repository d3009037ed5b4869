//! What keeps the state that entries are applied to.

use std::path::PathBuf;

use bytes::Bytes;
use farthing_ledger::{Applied, Applier, EntryReader, RequestResults};

use super::Error;
use crate::storage::{self, LogId, Manifest, SealTicket, Writer};

/// A state that takes entries in order: RocksDB and its window in a node, memory in a simulator. An error stops the
/// node.
pub trait Backend: Send + 'static {
    /// Index of the last entry; `None` before the first.
    fn applied_index(&self) -> Option<u64>;

    /// Applies a decoded entry, `bytes` of the log; readers see what it changed when this returns.
    ///
    /// # Errors
    /// See [`Error`].
    fn apply(
        &mut self,
        log_id: LogId,
        bytes: &Bytes,
        entry: &EntryReader<'_>,
    ) -> Result<Vec<RequestResults>, Error>;

    /// Takes an entry without changes: a blank one, or a membership.
    ///
    /// # Errors
    /// When storage failed, or the entry does not follow the last one.
    fn push_empty(
        &mut self,
        log_id: LogId,
        membership: Option<Bytes>,
    ) -> Result<(), storage::Error>;

    /// Ends what is gathered for the disk, so that a snapshot can contain exactly what is applied now.
    ///
    /// # Errors
    /// When storage failed, or nothing was applied yet.
    fn seal(&mut self) -> Result<SealTicket, storage::Error>;

    /// Replaces everything by a received snapshot.
    ///
    /// # Errors
    /// When it is not what its manifest says, or storage failed.
    fn install(&mut self, dir: PathBuf, manifest: &Manifest) -> Result<(), storage::Error>;

    /// Called about once a second while no entries come.
    ///
    /// # Errors
    /// When storage failed.
    fn tick(&mut self) -> Result<(), storage::Error>;
}

/// The state of a node: in storage.
pub(super) struct Stored {
    writer: Writer,
    applier: Applier,
}

impl Stored {
    pub(super) fn new(writer: Writer) -> Self {
        Self {
            writer,
            applier: Applier::new(),
        }
    }
}

impl Backend for Stored {
    fn applied_index(&self) -> Option<u64> {
        self.writer.applied().log_id.map(|id| id.index)
    }

    fn apply(
        &mut self,
        log_id: LogId,
        _bytes: &Bytes,
        entry: &EntryReader<'_>,
    ) -> Result<Vec<RequestResults>, Error> {
        let view = self.writer.prefetch(entry)?;
        fail::fail_point!("state.before_apply");
        let applied = self.applier.apply(&view, entry);
        // First of all: a rule that asked for what was not gathered may have been answered wrongly.
        view.check()?;
        let Applied { results, changes } = applied.map_err(|broken| Error::Broken {
            index: log_id.index,
            why: broken.to_string(),
        })?;
        self.writer.push(log_id, &changes, None)?;
        Ok(results)
    }

    fn push_empty(
        &mut self,
        log_id: LogId,
        membership: Option<Bytes>,
    ) -> Result<(), storage::Error> {
        self.writer.push_empty(log_id, membership)
    }

    fn seal(&mut self) -> Result<SealTicket, storage::Error> {
        self.writer.seal()
    }

    fn install(&mut self, dir: PathBuf, manifest: &Manifest) -> Result<(), storage::Error> {
        self.writer.install(dir, manifest)
    }

    fn tick(&mut self) -> Result<(), storage::Error> {
        self.writer.tick()
    }
}
