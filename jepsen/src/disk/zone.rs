//! Parts of a node's directory by the names of files.

use clap::ValueEnum;

/// A part of what a node keeps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum)]
pub enum Zone {
    /// Segments of the log, with votes in them.
    Log,
    /// Sorted files of the state.
    Sst,
    /// The list of those, and which generation is in use.
    Manifest,
    /// Snapshots, own ones and those being received.
    Snapshot,
    /// Everything else: cold metadata, locks.
    Other,
}

impl Zone {
    /// Every one of them.
    pub const ALL: [Self; 5] = [
        Self::Log,
        Self::Sst,
        Self::Manifest,
        Self::Snapshot,
        Self::Other,
    ];

    /// The zone of a file by its path under the mount.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let within = |folder: &str| folders.split('/').any(|part| part == folder);
        if within("snapshots") || within("incoming") {
            Self::Snapshot
        } else if within("state") {
            if name.starts_with("MANIFEST-") || name.starts_with("CURRENT") {
                Self::Manifest
            } else {
                Self::Sst
            }
        } else if within("log") {
            Self::Log
        } else {
            Self::Other
        }
    }

    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Sst => "sst",
            Self::Manifest => "manifest",
            Self::Snapshot => "snapshot",
            Self::Other => "other",
        }
    }
}
