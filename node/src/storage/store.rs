//! What the layers above need of a state, whatever keeps it: a node has RocksDB, a simulator its memory.

use std::fmt::Debug;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::scrub::Pace;
use super::snapshot::{Checkpoint, Incoming, Manifest, SealTicket};
use super::{AppliedState, Error, Handle, LogId};

/// Room on the disk that keeps a state, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What may still be written.
    pub free_bytes: u64,
    /// The most that a compaction writes before it removes what it has read.
    pub compaction_bytes: u64,
}

/// The readers' side of a state.
pub trait Store: Send + Sync + 'static {
    /// What is applied.
    fn applied(&self) -> AppliedState;

    /// The entry a restart would begin after; `None` before the first commit.
    fn committed(&self) -> Option<LogId>;

    /// A lower bound of the time (ns) at which the next pending transfer expires; `None` when none can.
    fn next_due(&self) -> Option<u64>;

    /// The digest of the state after entry `index`, where it is known.
    fn digest_at(&self, index: u64) -> Option<u128>;

    /// Indexes and digests to offer a peer for comparison, ascending.
    fn recent_digests(&self, count: usize) -> Vec<(u64, u128)>;

    /// Room on the disk.
    ///
    /// # Errors
    /// When the disk cannot tell.
    fn room(&self) -> Result<Room, Error>;

    /// True while what is applied waits for room on the disk.
    fn is_waiting_for_space(&self) -> bool;

    /// Reads back what is at rest; the bytes read. Blocks for as long as `pace` makes it take.
    ///
    /// # Errors
    /// When something is wrong with what is at rest.
    fn scrub(&self, pace: Pace<'_>) -> Result<u64, Error>;

    /// Keeps in mind that `error` was met, if it is damage.
    fn note_damage(&self, _error: &Error) {}

    /// The first damage that anybody has met since the state was opened.
    fn damage(&self) -> Option<String> {
        None
    }

    /// Whether the newest snapshot was found damaged, so that another has to be built before one can be sent.
    fn lacks_checkpoint(&self) -> bool {
        false
    }

    /// The newest snapshot.
    fn current_checkpoint(&self) -> Option<Arc<dyn SnapshotSource>>;

    /// Makes the snapshot of a sealed window. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when a snapshot was installed meanwhile; otherwise the node must stop.
    fn build_checkpoint(&self, ticket: &SealTicket) -> Result<Arc<dyn SnapshotSource>, Error>;

    /// Begins to receive a snapshot.
    ///
    /// # Errors
    /// When it is of another cluster or there is no room for it.
    fn receive(&self, manifest: Manifest) -> Result<Box<dyn SnapshotSink>, Error>;
}

/// A snapshot that can be sent.
pub trait SnapshotSource: Debug + Send + Sync {
    /// What it is.
    fn manifest(&self) -> &Manifest;

    /// Its files are not what its manifest says: it is not to be used again.
    fn condemn(&self) {}

    /// Opens the file at a position of [`Manifest::files`].
    ///
    /// # Errors
    /// When there is no such position or the disk refuses.
    fn open(&self, position: usize) -> Result<Box<dyn Read + Send>, Error>;
}

/// A snapshot on its way in.
pub trait SnapshotSink: Send {
    /// Takes the next bytes: of file `position`, from `offset` on. Files come in the order of the manifest.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when the bytes are not what must come next.
    fn write(&mut self, position: usize, offset: u64, bytes: &[u8]) -> Result<(), Error>;

    /// Everything is here, checked and durable: where, and what it is.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when something is missing.
    fn finish(self: Box<Self>) -> Result<(PathBuf, Manifest), Error>;
}

impl Store for Handle {
    fn applied(&self) -> AppliedState {
        Self::applied(self)
    }

    fn committed(&self) -> Option<LogId> {
        Self::committed(self)
    }

    fn next_due(&self) -> Option<u64> {
        Self::next_due(self)
    }

    fn digest_at(&self, index: u64) -> Option<u128> {
        Self::digest_at(self, index)
    }

    fn recent_digests(&self, count: usize) -> Vec<(u64, u128)> {
        Self::recent_digests(self, count)
    }

    fn room(&self) -> Result<Room, Error> {
        Ok(Room {
            free_bytes: self.disk_free_bytes()?,
            compaction_bytes: self.gauges()?.compaction_bytes(),
        })
    }

    fn is_waiting_for_space(&self) -> bool {
        Self::is_waiting_for_space(self)
    }

    fn scrub(&self, pace: Pace<'_>) -> Result<u64, Error> {
        Self::scrub(self, pace)
    }

    fn note_damage(&self, error: &Error) {
        Self::note_damage(self, error);
    }

    fn damage(&self) -> Option<String> {
        Self::damage(self)
    }

    fn lacks_checkpoint(&self) -> bool {
        Self::lacks_checkpoint(self)
    }

    fn current_checkpoint(&self) -> Option<Arc<dyn SnapshotSource>> {
        Self::current_checkpoint(self).map(|found| found as Arc<dyn SnapshotSource>)
    }

    fn build_checkpoint(&self, ticket: &SealTicket) -> Result<Arc<dyn SnapshotSource>, Error> {
        Ok(Self::build_checkpoint(self, ticket)?)
    }

    fn receive(&self, manifest: Manifest) -> Result<Box<dyn SnapshotSink>, Error> {
        Ok(Box::new(Self::receive(self, manifest)?))
    }
}

impl SnapshotSource for Checkpoint {
    fn manifest(&self) -> &Manifest {
        Self::manifest(self)
    }

    fn condemn(&self) {
        Self::condemn(self);
    }

    fn open(&self, position: usize) -> Result<Box<dyn Read + Send>, Error> {
        Ok(Box::new(Self::open(self, position)?))
    }
}

impl SnapshotSink for Incoming {
    fn write(&mut self, position: usize, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        Self::write(self, position, offset, bytes)
    }

    fn finish(self: Box<Self>) -> Result<(PathBuf, Manifest), Error> {
        Self::finish(*self)
    }
}
