//! Where the hashes of a proof come from: what waits in memory, rows, and below them the changes themselves.

use std::sync::Arc;

use farthing_proofs::{Frontier, Hash, Subtrees, change};

use super::Tree;
use crate::storage::database::Database;
use crate::storage::error::Error;
use crate::storage::handle::Handle;
use crate::storage::reader::Reader;
use crate::storage::rows::{family, merkle};
use crate::storage::shared::{Published, Shared};
use crate::storage::window::KeyHash;

/// Gives subtrees of the tree as far as it had grown when this was made.
pub struct Keeper {
    reader: Reader,
    /// What is not on disk yet; none for a state that nobody changes.
    shared: Option<Arc<Shared>>,
    edge: Frontier,
}

impl Keeper {
    /// The right edge: its size, and its root.
    pub fn edge(&self) -> &Frontier {
        &self.edge
    }

    /// The root of the first `size` leaves, at most as many as the edge has.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub fn root(&self, size: u64) -> Result<Hash, Error> {
        match size {
            0 => Ok(Hash::of_nothing()),
            size if size == self.edge.size() => Ok(self.edge.root()),
            size => self.range(0, size),
        }
    }

    /// The roots of the largest complete subtrees of the first `size` leaves, from the left: a [`Frontier`]'s.
    ///
    /// # Errors
    /// As [`Keeper::root`].
    pub fn peaks(&self, size: u64) -> Result<Vec<Hash>, Error> {
        let levels = (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1);
        // Subtree `size >> level` of a level whose bit is set would end behind the size: the one before it is the peak.
        levels
            .map(|level| self.subtree(level, (size >> level) - 1))
            .collect()
    }

    /// The bytes of the change with a sequence: those that are hashed.
    ///
    /// # Errors
    /// As [`Keeper::root`], and when there is no such change.
    pub fn event(&self, sequence: u64) -> Result<Vec<u8>, Error> {
        let mut found = vec![];
        self.reader.each_body(sequence, &mut |at, kind, body| {
            if at == sequence {
                change::write(at, kind, body, &mut found);
            }
            false
        })?;
        match found.is_empty() {
            false => Ok(found),
            true => Err(missing(sequence)),
        }
    }

    fn database(&self) -> Arc<Database> {
        match &self.shared {
            // Not the reader's: what waited when it was made may have gone to disk since.
            Some(shared) => Arc::clone(&shared.published().database),
            None => self.reader.database_shared(),
        }
    }

    fn tree(&self) -> Option<&Tree> {
        self.shared.as_ref().map(|shared| &shared.tree)
    }

    /// A subtree of a level that is kept.
    fn kept(&self, level: u32, index: u64) -> Result<Hash, Error> {
        if let Some(hash) = self.tree().and_then(|tree| tree.waiting(level, index)) {
            return Ok(hash);
        }
        let database = self.database();
        let row = database.get(family::MERKLE, &merkle::key(level, index))?;
        let missing = || {
            Error::damaged(
                "merkle",
                format!("subtree {index} of level {level} is missing or malformed"),
            )
        };
        row.and_then(|row| merkle::read_value(&row))
            .ok_or_else(missing)
    }

    /// The root of `1 << level` leaves from `first` on, fewer than the lowest level that is kept has.
    fn leaves(&self, first: u64, level: u32) -> Result<Hash, Error> {
        let count = 1_u64 << level;
        let (mut tree, mut buffer) = (Frontier::new(), vec![]);
        self.reader
            .each_body(first + 1, &mut |sequence, kind, body| {
                if sequence == first + 1 + tree.size() && tree.size() < count {
                    let leaf = change::leaf(sequence, kind, body, &mut buffer);
                    tree.push(leaf, |_, _, _| ());
                }
                tree.size() < count
            })?;
        if tree.size() < count {
            return Err(missing(first + 1 + tree.size()));
        }
        Ok(tree.root())
    }
}

impl Subtrees for Keeper {
    type Error = Error;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Error> {
        if level < merkle::LEVELS_APART {
            return self.leaves(index << level, level);
        }
        if merkle::is_kept(level) {
            return self.kept(level, index);
        }
        let above = level % merkle::LEVELS_APART;
        let mut tree = Frontier::new();
        for child in 0..1_u64 << above {
            let hash = self.kept(level - above, (index << above) + child)?;
            tree.push(hash, |_, _, _| ());
        }
        Ok(tree.root())
    }
}

fn missing(sequence: u64) -> Error {
    Error::damaged("changes", format!("sequence {sequence} is missing"))
}

/// The right edge of what is committed in a state.
pub(crate) fn frontier(published: Arc<Published>) -> Result<Frontier, Error> {
    let committed = Published {
        windows: vec![],
        ..Published::clone(&published)
    };
    let reader = Reader::of(Arc::new(committed), KeyHash::random())?;
    let size = reader.committed_sequence();
    let keeper = Keeper {
        reader,
        shared: None,
        edge: Frontier::new(),
    };
    let peaks = keeper.peaks(size)?;
    Frontier::from_peaks(size, peaks)
        .ok_or_else(|| Error::Broken(format!("the edge of a tree of {size} leaves")))
}

impl Handle {
    /// The right edge of the tree as it has grown by now: its size, and its root.
    pub fn tree_edge(&self) -> Frontier {
        self.shared().tree.edge().1
    }

    /// The tree as it has grown by now: at most a few ms behind what is applied.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub fn tree(&self) -> Result<Keeper, Error> {
        let shared = Arc::clone(self.shared());
        loop {
            // The edge first: what it covers is in every later cut of the same generation.
            let (generation, edge) = shared.tree.edge();
            let reader = Reader::new(&shared)?;
            if generation.is_none_or(|generation| generation == reader.generation()) {
                return Ok(Keeper {
                    reader,
                    shared: Some(shared),
                    edge,
                });
            }
            // A snapshot was installed and the thread has not seen it yet.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}
