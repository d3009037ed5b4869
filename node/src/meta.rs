//! Whose directory this is: a node that is pointed at another node's files must not start.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bincode::{Decode, Encode};

use crate::cold;

const FILE: &str = "node.meta";
/// The same once more, written after it: one damaged file must not take a node out.
const COPY: &str = "node.meta.copy";

/// Contents of `node.meta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NodeMeta {
    /// Cluster the files belong to.
    pub cluster_id: u128,
    /// Node the files belong to.
    pub node_id: u64,
    /// Counts the starts of this directory.
    pub incarnation: u64,
}

/// Why a directory was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The files belong to somebody else.
    #[error(
        "{dir} belongs to node {found_node} of cluster {found_cluster:032x}, not to node {node} of cluster {cluster:032x}; check dir, node_id and cluster_id"
    )]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// Node of the files.
        found_node: u64,
        /// Cluster of the files.
        found_cluster: u128,
        /// This node.
        node: u64,
        /// This cluster.
        cluster: u128,
    },
    /// Another process uses the directory.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// The file is damaged.
    #[error("{path}: {why}; restore it from a backup or replace the node")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        why: String,
    },
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
}

/// Holds the directory for this process until it is dropped.
#[derive(Debug)]
pub struct Claim {
    _lock: std::fs::File,
    /// What the directory says of itself.
    pub meta: NodeMeta,
}

/// Locks the directory, checks whose it is and counts the start.
///
/// # Errors
/// See [`Error`]; nothing is changed then.
pub fn claim(dir: &Path, cluster_id: u128, node_id: u64) -> Result<Claim, Error> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    std::fs::create_dir_all(dir).map_err(io(dir))?;
    let lock_path = dir.join("LOCK");
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(io(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Err(Error::InUse(dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => {
            return Err(Error::Io {
                path: lock_path,
                source,
            });
        }
    }
    let found = match (read(dir, FILE), read(dir, COPY)) {
        (Ok(first), Ok(copy)) => first.max_by_starts(copy),
        (Ok(found), Err(error)) | (Err(error), Ok(found)) if found.0.is_some() => {
            tracing::error!(%error, "one of two files is damaged; the other one is used, and both are written again");
            found
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    if let Some(found) = found.0
        && (found.cluster_id, found.node_id) != (cluster_id, node_id)
    {
        return Err(Error::Foreign {
            dir: dir.to_owned(),
            found_node: found.node_id,
            found_cluster: found.cluster_id,
            node: node_id,
            cluster: cluster_id,
        });
    }
    let incarnation = found.0.map_or(1, |found| found.incarnation + 1);
    let meta = NodeMeta {
        cluster_id,
        node_id,
        incarnation,
    };
    write(dir, FILE, &meta)?;
    write(dir, COPY, &meta)?;
    Ok(Claim { _lock: lock, meta })
}

/// Whose directory it is, as far as one of the two files verifies, and what is wrong with them. Nothing is changed.
pub(crate) fn look(dir: &Path) -> (Option<NodeMeta>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut found = Found(None);
    for name in [FILE, COPY] {
        match read(dir, name) {
            Ok(Found(None)) => wrong.push(format!("{name}: it is missing")),
            Ok(other) => found = found.max_by_starts(other),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if found.0.is_none() && !dir.join(FILE).exists() && !dir.join(COPY).exists() {
        wrong.clear();
    }
    (found.0, wrong)
}

/// What one of the two files says; nothing when it is not there.
struct Found(Option<NodeMeta>);

impl Found {
    fn max_by_starts(self, other: Self) -> Self {
        let starts = |found: &NodeMeta| found.incarnation;
        Self(self.0.into_iter().chain(other.0).max_by_key(starts))
    }
}

fn read(dir: &Path, name: &str) -> Result<Found, Error> {
    let path = dir.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => match cold::decode(cold::Kind::Node, &bytes) {
            Ok(found) => Ok(Found(Some(found))),
            Err(error) => Err(Error::Damaged {
                path,
                why: error.to_string(),
            }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found(None)),
        Err(source) => Err(Error::Io { path, source }),
    }
}

fn write(dir: &Path, name: &str, meta: &NodeMeta) -> Result<(), Error> {
    let path = dir.join(name);
    let bytes = match cold::encode(cold::Kind::Node, meta) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Err(Error::Damaged {
                path,
                why: error.to_string(),
            });
        }
    };
    replace(dir, name, &bytes).map_err(|source| Error::Io { path, source })
}

/// Replaces a small file by a synced rename: a crash leaves the old or the new one.
pub(crate) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let path = dir.join(name);
    let temporary = dir.join(format!("{name}.new"));
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, &path)?;
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stays_with_its_node_and_counts_its_starts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(claim(dir.path(), 7, 1).unwrap().meta.incarnation, 1);
        assert_eq!(claim(dir.path(), 7, 1).unwrap().meta.incarnation, 2);
        assert!(matches!(
            claim(dir.path(), 8, 1),
            Err(Error::Foreign { .. })
        ));
        assert!(matches!(
            claim(dir.path(), 7, 2),
            Err(Error::Foreign { .. })
        ));
        let held = claim(dir.path(), 7, 1).unwrap();
        assert_eq!(held.meta.incarnation, 3);
        assert!(matches!(claim(dir.path(), 7, 1), Err(Error::InUse(_))));
    }

    fn flip(path: &Path) -> Vec<u8> {
        let mut bytes = std::fs::read(path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(path, &bytes).unwrap();
        bytes
    }

    #[test]
    fn one_damaged_file_is_mended_from_the_other() {
        let dir = tempfile::tempdir().unwrap();
        drop(claim(dir.path(), 7, 1).unwrap());
        for (starts, name) in [(2, FILE), (3, COPY)] {
            flip(&dir.path().join(name));
            assert_eq!(claim(dir.path(), 7, 1).unwrap().meta.incarnation, starts);
        }
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        assert_eq!(claim(dir.path(), 7, 1).unwrap().meta.incarnation, 4);
        assert!(read(dir.path(), FILE).is_ok_and(|found| found.0.is_some()));
    }

    #[test]
    fn damaged_files_are_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        drop(claim(dir.path(), 7, 1).unwrap());
        let path = dir.path().join(FILE);
        let bytes = flip(&path);
        flip(&dir.path().join(COPY));
        assert!(matches!(
            claim(dir.path(), 7, 1),
            Err(Error::Damaged { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}
