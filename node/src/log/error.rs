//! Why a log does not open, and why it stops.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why [`super::Log::open`] refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The configuration cannot work.
    #[error("log configuration: {0}")]
    Config(String),
    /// The disk failed.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Bytes that were durable do not verify. Nothing has been changed.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// The segment belongs to another node or cluster.
    #[error(
        "{} belongs to node {found_node} of cluster {found_cluster:032x}, not to node {node} of cluster {cluster:032x}: \
         the directory was copied or the configuration names the wrong one",
        path.display()
    )]
    Foreign {
        /// The segment.
        path: PathBuf,
        /// Cluster expected.
        cluster: u128,
        /// Node expected.
        node: u64,
        /// Cluster found in the segment.
        found_cluster: u128,
        /// Node found in the segment.
        found_node: u64,
    },
    /// A newer version wrote it; this one must not guess.
    #[error("{} at byte {offset}: {what}; a newer version of the node wrote it, start that one", path.display())]
    Unsupported {
        /// The segment.
        path: PathBuf,
        /// Where in it, bytes.
        offset: u64,
        /// What is not understood.
        what: String,
    },
}

impl OpenError {
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

/// What is damaged, as exactly as can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
    pub path: PathBuf,
    /// The segment's number.
    pub segment: u64,
    /// Where the first record that does not verify begins, bytes from the start of the file.
    pub offset: u64,
    /// Number of that record.
    pub record_number: u64,
    /// The first log index that can no longer be read, if it is known; what came before it was read and verified.
    pub index: Option<u64>,
    /// Highest log index that the rest of the log proves to have been durable, if any.
    pub durable_index: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the log is damaged: {} at byte {}, record {}: {}. ",
            self.path.display(),
            self.offset,
            self.record_number,
            self.reason
        )?;
        match (self.index, self.durable_index) {
            (Some(index), Some(durable)) if durable >= index => {
                write!(
                    f,
                    "Entries {index} to at least {durable}, votes or purges were durable and cannot be read. "
                )?;
            }
            (Some(index), _) => write!(
                f,
                "Entries from {index} on, or votes, were durable and cannot be read. "
            )?,
            (None, _) => write!(f, "Entries or votes were durable and cannot be read. ")?,
        }
        write!(
            f,
            "Nothing was changed. Other nodes count on what this one acknowledged, so it must not go on without it: \
             check the disk, keep a copy of the directory, and let the node be refilled by the cluster or replaced by \
             a new member"
        )
    }
}

impl From<Damage> for OpenError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

/// The failure that stopped the log. `io::Error` cannot be cloned, and every waiting caller gets one.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    kind: io::ErrorKind,
    text: String,
}

impl Failure {
    pub(super) fn new(what: &str, error: &io::Error) -> Self {
        Self {
            kind: error.kind(),
            text: format!("the log has stopped: {what}: {error}"),
        }
    }

    pub(super) fn closed() -> Self {
        Self {
            kind: io::ErrorKind::BrokenPipe,
            text: "the log is closed".to_owned(),
        }
    }

    pub(super) fn error(&self) -> io::Error {
        io::Error::new(self.kind, self.text.clone())
    }
}
