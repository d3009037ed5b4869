//! What can go wrong below the state machine.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::cold::ColdError;

/// A failure of storage. Whatever it is, the node stops serving: state that may not reach the disk is no state.
#[derive(Error, Debug)]
pub enum Error {
    /// The file system refused.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was tried, a verb.
        what: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// RocksDB refused.
    #[error("{what}: {source}")]
    Database {
        /// What was tried.
        what: &'static str,
        /// RocksDB's own words.
        source: rocksdb::Error,
    },
    /// Bytes on disk are not what was written there.
    #[error("damaged {what}: {detail}")]
    Damaged {
        /// Which family or file.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The caller or the state machine broke a rule that storage relies on.
    #[error("broken invariant: {0}")]
    Broken(String),
    /// The run writer stopped earlier; its own error was reported then.
    #[error("storage has failed: {0}")]
    Failed(String),
    /// Storage is shutting down, or a snapshot was installed meanwhile.
    #[error("cancelled: {0}")]
    Cancelled(&'static str),
    /// A snapshot from elsewhere is not acceptable.
    #[error("snapshot refused: {0}")]
    Snapshot(String),
    /// A named point where a test makes storage stop as if it had been killed.
    #[error("stopped at the failpoint {0}")]
    Failpoint(&'static str),
}

impl Error {
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn database(what: &'static str) -> impl FnOnce(rocksdb::Error) -> Self {
        move |source| Self::Database { what, source }
    }

    pub(crate) fn damaged(what: &'static str, detail: impl Into<String>) -> Self {
        Self::Damaged {
            what,
            detail: detail.into(),
        }
    }

    pub(crate) fn cold(what: &'static str) -> impl FnOnce(ColdError) -> Self {
        move |error| Self::Damaged {
            what,
            detail: error.to_string(),
        }
    }
}

/// Every step between which a process may die, in the order of a run, a snapshot and an installation: names of
/// failpoints, for the tests that kill at each.
pub const FAILPOINTS: [&str; 28] = [
    "storage.run.begin",
    "storage.run.transfers.written",
    "storage.run.transfers",
    "storage.run.ids.written",
    "storage.run.ids",
    "storage.run.history.written",
    "storage.run.history",
    "storage.run.user_data.written",
    "storage.run.user_data",
    "storage.run.events.written",
    "storage.run.events",
    "storage.run.account_times.written",
    "storage.run.account_times",
    "storage.run.merkle.written",
    "storage.run.merkle",
    "storage.run.current.written",
    "storage.run.committed",
    "storage.checkpoint.begin",
    "storage.checkpoint.linked",
    "storage.checkpoint.summed",
    "storage.checkpoint.manifest",
    "storage.checkpoint.named",
    "storage.install.checked",
    "storage.install.runs_stopped",
    "storage.install.moved",
    "storage.generation.before_switch",
    "storage.generation.after_switch",
    "storage.install.published",
];

/// Stops here when a test says so: the steps between which a process may die, each with a name.
///
/// # Errors
/// Only when the failpoint `name` is configured to return.
#[inline]
pub(crate) fn step(name: &'static str) -> Result<(), Error> {
    fail::fail_point!(name, |_| Err(Error::Failpoint(name)));
    // Without the feature the macro is nothing and the name has no other use.
    let _ = name;
    Ok(())
}
