//! Checkpoints: who signs them and when.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use farthing_proofs::{Checkpoint, Hash, Signer};

use crate::storage;

/// Two checkpoints are no further apart while events come, in time and in events. The pause between two looks is what
/// may be added to either.
const APART: Duration = Duration::from_millis(900);
const EVENTS_APART: u64 = 8_000;
/// Between two looks at the tree, while it grows and while it does not.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_IDLE: Duration = Duration::from_millis(100);

/// A checkpoint with its signature.
#[derive(Debug)]
pub struct Signed {
    /// Leaves of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The signed note.
    pub note: String,
}

/// Signs, and keeps the newest.
pub(super) struct Signing {
    signer: Signer,
    origin: String,
    newest: ArcSwap<Signed>,
}

impl Signing {
    pub(super) fn newest(&self) -> Arc<Signed> {
        self.newest.load_full()
    }

    pub(super) fn sign(&self, size: u64, root: Hash) -> Signed {
        sign(&self.signer, &self.origin, size, root)
    }
}

/// Signs the tree as it is, and then as it grows.
pub(super) fn start(
    signer: Signer,
    origin: String,
    storage: storage::Handle,
) -> std::io::Result<Arc<Signing>> {
    let edge = storage.tree_edge();
    let first = sign(&signer, &origin, edge.size(), edge.root());
    let signing = Arc::new(Signing {
        newest: ArcSwap::from_pointee(first),
        signer,
        origin,
    });
    let weak = Arc::downgrade(&signing);
    std::thread::Builder::new()
        .name("checkpoints".into())
        .spawn(move || run(&weak, &storage))?;
    Ok(signing)
}

fn run(signing: &Weak<Signing>, storage: &storage::Handle) {
    let mut signed_at = Instant::now();
    let mut size = 0;
    while let Some(signing) = signing.upgrade() {
        let edge = storage.tree_edge();
        let newest = signing.newest();
        let more = edge.size().saturating_sub(newest.size);
        // A tree that is smaller is that of a state which was replaced, before it is seen to have grown again.
        if more >= EVENTS_APART || more > 0 && signed_at.elapsed() >= APART {
            let next = signing.sign(edge.size(), edge.root());
            signing.newest.store(Arc::new(next));
            signed_at = Instant::now();
        }
        let pause = if more == 0 && edge.size() == size {
            PAUSE_IDLE
        } else {
            PAUSE
        };
        size = edge.size();
        drop(signing);
        std::thread::sleep(pause);
    }
}

fn sign(signer: &Signer, origin: &str, size: u64, root: Hash) -> Signed {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size,
        root,
        time_ns: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
    };
    Signed {
        size: checkpoint.size,
        root: checkpoint.root,
        note: signer.sign(&checkpoint).to_string(),
    }
}
