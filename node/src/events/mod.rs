//! The event stream as this node has it: events from any sequence on, and signed checkpoints of the tree over them.
//!
//! An event is a change of the state, fixed when its entry was applied and the same on every node. This layer reads and
//! signs; it changes nothing, knows no wire and no subscribers. Start reading at [`Handle`], then `read` for how a part
//! of the stream is found, and `sign` for checkpoints.

mod key;
mod read;
mod sign;

use std::path::Path;
use std::sync::Arc;

use farthing_proofs::{self as proofs, Hash, Signer, Verifier};

use crate::storage;

pub use self::read::{Asked, Part, read};
pub use self::sign::Signed;

use self::sign::Signing;

struct Inner {
    storage: storage::Handle,
    signing: Arc<Signing>,
    verifier: Verifier,
}

/// Reads the stream and its checkpoints. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

impl Handle {
    /// The newest checkpoint.
    pub fn checkpoint(&self) -> Arc<Signed> {
        self.inner.signing.newest()
    }

    /// A checkpoint of an earlier tree, signed now.
    pub fn sign(&self, size: u64, root: Hash) -> Signed {
        self.inner.signing.sign(size, root)
    }

    /// The key that checks this node's checkpoints.
    pub fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    /// The tree as it has grown by now.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub fn tree(&self) -> Result<storage::Keeper, storage::Error> {
        self.inner.storage.tree()
    }
}

/// Reads or makes this node's key, and signs from now on, on a thread of its own that ends with the last handle.
///
/// # Errors
/// When the key cannot be read or written, or there is no thread to be had.
pub fn start(
    dir: &Path,
    cluster_id: u128,
    node_id: u64,
    storage: storage::Handle,
) -> anyhow::Result<Handle> {
    let secret = key::read_or_make(dir)?;
    let signer = Signer::new(&proofs::key_name(cluster_id, node_id), &secret)?;
    let verifier = signer.verifier();
    let signing = sign::start(signer, proofs::origin(cluster_id), storage.clone())?;
    let inner = Inner {
        storage,
        signing,
        verifier,
    };
    Ok(Handle {
        inner: Arc::new(inner),
    })
}
