//! The recent window: what was applied but is not yet in a committed run.
//!
//! A window is a list of chunks, one an entry, and two indexes into them: transfer ids, and the keys of mutable rows
//! (whose older versions hang on the newest one, so that a reader at an earlier cut finds its own). The apply thread
//! appends; any number of readers look on without locks, each up to the chunk its cut allows. It knows nothing of
//! disks: the run writer reads a sealed window like any reader does.

pub(crate) mod append;
pub(crate) mod chunk;
pub(crate) mod index;
mod key_hash;
mod lists;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use key_hash::KeyHash;
pub(crate) use lists::{Found, ListKey};
pub(crate) use view::WindowView;

use append::AppendList;
use chunk::Chunk;
use index::{CHUNKS_MAX, Index, Locator, Table};
use lists::Lists;

use super::accounts::Memo;
use super::error::Error;
use super::rows::transfers::row_id;

/// Where the newest version of a mutable row stands: in which window, in which slot of its index as long as that has
/// not grown. The default is nowhere: windows count from 1.
#[derive(Clone, Copy, Default)]
pub(crate) struct KnownRow {
    window: u32,
    slots: u32,
    slot: u32,
}

impl KnownRow {
    /// The slot, if it is of this window and table.
    #[inline]
    fn slot_in(self, window: u64, rows: &Table) -> Option<usize> {
        let known = u64::from(self.window) == window && self.slots as usize == rows.capacity();
        known.then_some(self.slot as usize)
    }
}

/// A window; see the module.
pub(crate) struct Window {
    /// Counts up, over the life of the process.
    pub(crate) number: u64,
    hash: KeyHash,
    chunks: AppendList<Chunk>,
    ids: Index,
    rows: Index,
    id_count: AtomicUsize,
    row_count: AtomicUsize,
    transfer_count: AtomicUsize,
    chunk_bytes: AtomicUsize,
    lists: Lists,
}

impl Window {
    /// An empty window with room for about as many keys as the one before it held.
    pub(crate) fn new(number: u64, hash: KeyHash, like: Option<&Self>) -> Self {
        let room = |count: fn(&Self) -> &AtomicUsize| {
            like.map_or(0, |like| count(like).load(Ordering::Relaxed))
        };
        Self {
            number,
            hash,
            chunks: AppendList::new(),
            ids: Index::with_capacity(room(|window| &window.id_count)),
            rows: Index::with_capacity(room(|window| &window.row_count)),
            id_count: AtomicUsize::new(0),
            row_count: AtomicUsize::new(0),
            transfer_count: AtomicUsize::new(0),
            chunk_bytes: AtomicUsize::new(0),
            lists: Lists::new(),
        }
    }

    /// Adds the chunk of the next entry; `new_ids` are those of its transfers, then the refused ones. `memos` may know
    /// where the first mutable rows stood before, and know afterwards where they stand. One thread at a time.
    pub(crate) fn push(
        &self,
        mut chunk: Chunk,
        new_ids: impl Iterator<Item = u128>,
        memos: &mut [Memo],
    ) -> Result<(), Error> {
        let number = self.chunks.len();
        if number >= CHUNKS_MAX.min(append::ITEMS_MAX) {
            return Err(Error::Broken(
                "a window took more entries than it can".into(),
            ));
        }
        let row_count = self.row_count.load(Ordering::Relaxed);
        let rows = self.rows.table_with(row_count + chunk.row_count(), || {
            let heads = self.rows.table();
            let heads: Vec<Locator> = heads.locators().collect();
            heads
                .into_iter()
                .map(|locator| (self.row_hash(locator), locator))
        });
        let mut found = Vec::with_capacity(chunk.row_count());
        let mut added = 0;
        for position in 0..chunk.row_count() {
            let known = memos.get(position).map(|memo| memo.row);
            let place = match known.and_then(|known| known.slot_in(self.number, &rows)) {
                Some(slot) => (slot, rows.hash_bits(slot), rows.locator(slot)),
                None => {
                    let key = chunk.row_key(position);
                    let hash = self.hash.key(key);
                    let (at, previous) = rows.find(hash, |locator| self.row_key_is(locator, key));
                    added += usize::from(previous.is_none());
                    (at, hash, previous)
                }
            };
            chunk.set_previous(position, place.2);
            found.push(place);
        }
        let id_count = self.id_count.load(Ordering::Relaxed) + chunk.id_count();
        let ids = self.ids.table_with(id_count, || self.id_hashes());

        self.chunk_bytes
            .fetch_add(chunk.memory_bytes(), Ordering::Relaxed);
        self.transfer_count
            .fetch_add(chunk.transfer_count(), Ordering::Relaxed);
        self.id_count.store(id_count, Ordering::Relaxed);
        self.row_count.store(row_count + added, Ordering::Relaxed);
        if self.chunks.push(chunk).is_err() {
            return Err(Error::Broken(
                "a window took more entries than it can".into(),
            ));
        }
        // From here on the chunk can be found, though no reader's cut reaches it yet.
        for (position, (at, hash, previous)) in found.into_iter().enumerate() {
            let locator = Locator::new(number, position);
            let slot = match previous {
                Some(_) => rows.replace(at, hash, locator),
                None => rows.add_from(at, hash, locator),
            };
            if let Some(memo) = memos.get_mut(position) {
                memo.row = KnownRow {
                    window: self.number as u32,
                    slots: rows.capacity() as u32,
                    slot: slot as u32,
                };
            }
        }
        for (position, id) in new_ids.enumerate() {
            ids.add(self.hash.id(id), Locator::new(number, position));
        }
        Ok(())
    }

    fn row_hash(&self, locator: Locator) -> u64 {
        self.chunks
            .get(locator.chunk())
            .map_or(0, |chunk| self.hash.key(chunk.row_key(locator.position())))
    }

    // Called for each candidate of a search, also from `view`.
    #[inline]
    fn row_key_is(&self, locator: Locator, key: &[u8]) -> bool {
        self.chunks
            .get(locator.chunk())
            .is_some_and(|chunk| chunk.row_key(locator.position()) == key)
    }

    /// Every id's hash and place, in the order of the log: decoding a block once is much quicker than once for each
    /// of its rows.
    fn id_hashes(&self) -> impl Iterator<Item = (u64, Locator)> {
        let chunks =
            (0..self.chunks.len()).filter_map(|number| Some((number, self.chunks.get(number)?)));
        chunks.flat_map(move |(number, chunk)| {
            let transfers = chunk.transfers().map(|(_, _, row)| row_id(&row));
            let ids = transfers.chain(chunk.refused().iter().copied());
            ids.enumerate()
                .map(move |(position, id)| (self.hash.id(id), Locator::new(number, position)))
        })
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    pub(crate) fn chunk(&self, number: usize) -> Option<&Chunk> {
        self.chunks.get(number)
    }

    pub(crate) fn transfer_count(&self) -> usize {
        self.transfer_count.load(Ordering::Relaxed)
    }

    /// Keys of mutable rows in it.
    pub(crate) fn row_count(&self) -> usize {
        self.row_count.load(Ordering::Relaxed)
    }

    pub(crate) fn id_count(&self) -> usize {
        self.id_count.load(Ordering::Relaxed)
    }

    /// Memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.chunk_bytes.load(Ordering::Relaxed)
            + self.ids.table().bytes()
            + self.rows.table().bytes()
            + self.lists.memory_bytes()
    }

    /// The window up to and without chunk `chunk_count`.
    pub(crate) fn view(self: &Arc<Self>, chunk_count: usize) -> WindowView {
        WindowView {
            chunk_count,
            ids: self.ids.table(),
            rows: self.rows.table(),
            window: Arc::clone(self),
        }
    }
}
