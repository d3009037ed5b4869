//! Names of files in a cluster's directory, and the description of the cluster that is kept there.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::process::Identity;
use crate::failure::{Code, Failure};

/// Version of `cluster.toml`.
const FORMAT_VERSION: u32 = 1;

/// Paths of a local cluster.
#[derive(Clone, Debug)]
pub struct Layout {
    dir: PathBuf,
}

/// What `cluster.toml` holds: identity and addresses, fixed when the cluster is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of this file's format.
    pub format_version: u32,
    /// The cluster's id, UUID text.
    pub cluster_id: String,
    /// The nodes, by id.
    pub nodes: Vec<NodeEntry>,
}

/// One node of a local cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// Node id, from 1.
    pub id: u64,
    /// Where clients connect.
    pub client_address: SocketAddr,
    /// Where the other nodes connect.
    pub peer_address: SocketAddr,
}

impl Description {
    /// Client addresses of the nodes.
    #[must_use]
    pub fn endpoints(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| node.client_address.to_string())
            .collect()
    }
}

/// Holds the directory's lock; dropping it releases the lock.
#[derive(Debug)]
pub struct LayoutLock {
    _file: fs::File,
}

impl Layout {
    /// The layout of a directory, which need not exist.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The cluster's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn description_path(&self) -> PathBuf {
        self.dir.join("cluster.toml")
    }

    /// Directory of a node, with its configuration, log and process id.
    #[must_use]
    pub fn node_dir(&self, id: u64) -> PathBuf {
        self.dir.join(format!("node-{id}"))
    }

    /// Where the directory of a node goes when the node is no member any more. Its id is never used again.
    #[must_use]
    pub fn removed_node_dir(&self, id: u64) -> PathBuf {
        self.dir.join(format!("removed-node-{id}"))
    }

    /// Configuration of a node.
    #[must_use]
    pub fn node_config(&self, id: u64) -> PathBuf {
        self.node_dir(id).join("node.toml")
    }

    /// Process id and start time of a node.
    #[must_use]
    pub fn node_pid(&self, id: u64) -> PathBuf {
        self.node_dir(id).join("node.pid")
    }

    /// Process id of a node that runs or is paused; `None` when it is not there.
    #[must_use]
    pub fn pid(&self, id: u64) -> Option<i32> {
        let identity = Identity::load(&self.node_pid(id))?;
        identity.activity().map(|_| identity.pid)
    }

    /// Text log of a node.
    #[must_use]
    pub fn node_log(&self, id: u64) -> PathBuf {
        self.node_dir(id).join("node.log")
    }

    /// What a node printed when it began to listen.
    #[must_use]
    pub fn node_ready(&self, id: u64) -> PathBuf {
        self.node_dir(id).join("ready.json")
    }

    /// Reads the description; `None` when no cluster was made here.
    ///
    /// # Errors
    /// [`Code::Io`] when it cannot be read, [`Code::Usage`] when it is not a description of this version.
    pub fn description(&self) -> Result<Option<Description>, Failure> {
        let path = self.description_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io("read", &path, &error)),
        };
        let description: Description = toml::from_str(&text).map_err(|error| {
            Failure::new(
                Code::Usage,
                format!("{} is not a cluster description", path.display()),
            )
            .because(error.message())
            .advise("restore the file, or name another directory with --dir")
        })?;
        if description.format_version != FORMAT_VERSION {
            return Err(Failure::new(
                Code::Usage,
                format!(
                    "{} has format version {}, this program knows version {FORMAT_VERSION}",
                    path.display(),
                    description.format_version
                ),
            )
            .advise("use the version of farthing that made the cluster, or a newer one"));
        }
        Ok(Some(description))
    }

    /// Reads the description of a cluster that must exist.
    ///
    /// # Errors
    /// [`Code::NoCluster`] when there is none, and as [`Layout::description`].
    pub fn existing(&self) -> Result<Description, Failure> {
        self.description()?.ok_or_else(|| {
            Failure::new(
                Code::NoCluster,
                format!("no cluster is configured in {}", self.dir.display()),
            )
            .because("it was never started there, or --dir names another directory")
            .advise("start one with `farthing cluster up`, or name nodes with --endpoints")
        })
    }

    /// Writes the description so that a crash leaves the old file or the new one.
    ///
    /// # Errors
    /// [`Code::Io`] when it cannot be written.
    pub fn save(&self, cluster_id: String, nodes: Vec<NodeEntry>) -> Result<Description, Failure> {
        let description = Description {
            format_version: FORMAT_VERSION,
            cluster_id,
            nodes,
        };
        let text = toml::to_string(&description).map_err(|error| {
            Failure::new(Code::Internal, "cannot encode the cluster's description").because(error)
        })?;
        let text = format!(
            "# Made by `farthing cluster up`. The ports were free when it was made, and are kept since.\n{text}"
        );
        write_whole(&self.description_path(), text.as_bytes())?;
        Ok(description)
    }

    /// Takes the directory's lock, so that two commands do not start the same nodes. Held until dropped.
    ///
    /// # Errors
    /// [`Code::Busy`] when another command holds it, [`Code::Io`] when the directory cannot be made.
    pub fn lock(&self) -> Result<LayoutLock, Failure> {
        fs::create_dir_all(&self.dir)
            .map_err(|error| Failure::io("make the directory", &self.dir, &error))?;
        let path = self.dir.join("lock");
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| Failure::io("open", &path, &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(LayoutLock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::new(
                Code::Busy,
                format!("another command is working on {}", self.dir.display()),
            )
            .advise("wait until it has ended, then run this again")),
            Err(error) => Err(Failure::io("lock", &path, &error.into())),
        }
    }
}

/// Writes a file by way of a synced temporary one beside it.
///
/// # Errors
/// [`Code::Io`] naming the path.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let temporary = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| Failure::io("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_survives_writing_and_reading() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        assert_eq!(layout.description().unwrap(), None);
        assert_eq!(layout.existing().unwrap_err().code, Code::NoCluster);
        let node = NodeEntry {
            id: 1,
            client_address: "127.0.0.1:4001".parse().unwrap(),
            peer_address: "127.0.0.1:4002".parse().unwrap(),
        };
        let saved = layout.save("an-id".into(), vec![node]).unwrap();
        assert_eq!(layout.existing().unwrap(), saved);
    }

    #[test]
    fn an_unknown_version_or_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        for text in [
            "format_version = 2\ncluster_id = \"x\"\nnodes = []\n",
            "format_version = 1\ncluster_id = \"x\"\nnodes = []\nmystery = 1\n",
        ] {
            fs::write(dir.path().join("cluster.toml"), text).unwrap();
            assert_eq!(layout.existing().unwrap_err().code, Code::Usage);
        }
    }

    #[test]
    fn the_lock_is_held_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path().join("new"));
        let held = layout.lock().unwrap();
        assert_eq!(layout.lock().unwrap_err().code, Code::Busy);
        drop(held);
        assert!(layout.lock().is_ok());
    }
}
