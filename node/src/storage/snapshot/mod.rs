//! Snapshots: checkpoints of the state, sent to nodes that are too far behind, and their installation.
//!
//! A checkpoint is a directory of hard links taken by the run writer between two runs, so it is the state of exactly
//! one commit record. `MANIFEST.farthing` with every file's checksum makes it a snapshot. A received one is checked
//! file by file, then as a state, and becomes a new generation by one synced rename.

mod checkpoint;
mod incoming;
mod install;
mod manifest;

pub use checkpoint::{Checkpoint, SealTicket};
pub use incoming::Incoming;
pub use install::Repair;
pub use manifest::{MANIFEST_NAME, Manifest, ManifestFile};

pub(crate) use checkpoint::{build, newest, take};
pub(crate) use install::install;
