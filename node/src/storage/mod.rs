//! The state of one replica: a recent window in memory over RocksDB, which is written in sorted runs only.
//!
//! The apply thread owns the [`Writer`]: it gathers what an entry will ask for, and puts the entry's changes into the
//! window, where readers meet them at once. A window that is full is sealed and becomes a *run*: the run writer's
//! thread turns it into sorted files and lets them into RocksDB. Rows that never change go first; then every mutable
//! row together with the commit record enters one family by one manifest edit, which is the commit point. After a
//! crash the state is the one of the commit record, and the Raft log repeats the rest. Any thread reads through a
//! [`Reader`], one consistent cut of windows and disk.
//!
//! It deliberately knows nothing of consensus, of the network, of async code or of clocks: OS threads and std locks,
//! driven by calls. `rocksdb::` appears under this folder only. The bytes are described in `docs/internals/disk.md`.
//!
//! Where to start reading: [`writer`] for the way of an entry, `run` for the way of a window to disk, [`reader`] for
//! the way back, `window` for the memory between, `snapshot` for checkpoints and installation.

mod accounts;
mod config;
mod damage;
mod database;
mod digest;
mod digest_rings;
mod error;
mod families;
mod files;
mod gauges;
mod generation;
mod handle;
mod id_ranges;
pub mod inspect;
mod lookup;
mod prefetch;
pub mod query;
pub mod reader;
mod recent;
pub(crate) mod reread;
mod rows;
mod run;
mod scrub;
mod shared;
pub mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod tree;
pub mod verify;
mod window;
pub mod writer;

use std::sync::Arc;

use bytes::Bytes;
use farthing_ledger::Clock;

pub use config::Config;
pub use damage::{put_aside, put_state_aside};
pub use digest::Digest;
pub use error::{Error, FAILPOINTS};
pub use files::used_bytes;
pub use gauges::{FamilyGauge, Gauges};
pub use handle::Handle;
pub use lookup::Lead;
pub use prefetch::Prefetched;
pub use reader::Reader;
pub use scrub::Pace;
pub use shared::DurableLog;
pub use snapshot::{Checkpoint, Incoming, Manifest, ManifestFile, SealTicket};
pub use store::{Room, SnapshotSink, SnapshotSource, Store};
pub use tree::Keeper;
pub use writer::Writer;

use database::Database;
use families::Resources;
use generation::Layout;
use id_ranges::IdRanges;
use rows::{commit, current, family};
use shared::{Published, Shared};

/// Position of an entry in the replicated log, as this module needs it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct LogId {
    /// Term of the leader that proposed it.
    pub term: u64,
    /// That leader.
    pub node: u64,
    /// Index in the log, from 0.
    pub index: u64,
}

/// What has been applied: everything the state machine must know after a restart.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AppliedState {
    /// The last entry; `None` before the first.
    pub log_id: Option<LogId>,
    /// The last membership, as opaque bytes, and its entry.
    pub membership: Option<(LogId, Bytes)>,
    /// Clock and counters of the ledger.
    pub clock: Clock,
    /// Digest of the rows.
    pub digest: Digest,
}

impl AppliedState {
    /// Rows of entries up to this index exist. Entry 0 never has rows (it is the first membership), so that "nothing"
    /// and "entry 0" can share a number.
    pub(crate) fn index(&self) -> u64 {
        self.log_id.map_or(0, |id| id.index)
    }

    /// The digest that nodes compare: of the rows and the applied log id.
    pub fn comparable_digest(&self) -> u128 {
        self.digest.at(self.log_id.unwrap_or_default())
    }
}

/// The storage of one node; see the module.
pub struct Storage;

impl Storage {
    /// Opens or creates the state below `config.dir` and starts the run writer. The state is then that of the commit
    /// record, [`Writer::applied`]; the caller applies the log from there on.
    ///
    /// The caller must hold the lock of the directory. One storage per directory and process.
    ///
    /// # Errors
    /// When the disk refuses, or when what is there is damaged: never a guess, never a silent repair.
    pub fn open(config: Config, durable: Arc<dyn DurableLog>) -> Result<(Writer, Handle), Error> {
        let (layout, generation, creating) = Layout::open(&config.dir)?;
        let resources = Resources::new(&config)?;
        let database = Arc::new(Database::open(
            &layout.generation(generation),
            &resources,
            creating,
        )?);
        if creating {
            layout.created()?;
        }
        let published = load(database, generation)?;
        let checkpoint = snapshot::newest(&layout, &config)?;
        let shared = Arc::new(Shared::new(config, layout, resources, durable, published));
        *shared::lock(&shared.checkpoint) = checkpoint.map(Arc::new);
        let handle = Handle::new(Arc::clone(&shared))?;
        Ok((Writer::new(shared), handle))
    }
}

/// What a generation says of itself.
fn load(database: Arc<Database>, generation: u32) -> Result<Published, Error> {
    let applied = match database.get(family::CURRENT, &[current::TAG_COMMIT])? {
        Some(row) => commit::from_bytes(&row)?,
        None => AppliedState::default(),
    };
    let id_ranges = match database.get(family::CURRENT, &[current::TAG_ID_RANGES])? {
        Some(row) => IdRanges::from_bytes(&row)?,
        None => IdRanges::default(),
    };
    let committed = applied.log_id;
    Ok(Published {
        database,
        generation,
        windows: vec![],
        applied,
        committed,
        id_ranges: Arc::new(id_ranges),
    })
}
