//! The recent window: what was applied but is not yet in a committed run.
//!
//! A window is a list of chunks, one an entry, and two indexes into them: transfer ids, and the keys of mutable rows
//! (whose older versions hang on the newest one, so that a reader at an earlier cut finds its own). The apply thread
//! appends; any number of readers look on without locks, each up to the chunk its cut allows. It knows nothing of
//! disks: the run writer reads a sealed window like any reader does.

pub(crate) mod append;
pub(crate) mod chunk;
pub(crate) mod index;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use append::AppendList;
use chunk::{Chunk, IdEntry};
use index::{CHUNKS_MAX, Index, Locator, Table};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::accounts::Memo;
use super::error::Error;
use super::rows::transfers::row_id;

/// Hashes keys under a seed of this process: ids come from outside, and nobody shall prepare collisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHash(u64);

impl KeyHash {
    /// A seed that nobody outside can foresee.
    pub(crate) fn random() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        Self(RandomState::new().build_hasher().finish())
    }

    /// A known seed, for choices that shall differ between nodes and not between runs.
    pub(crate) fn fixed(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn seed(self) -> u64 {
        self.0
    }

    /// Two folded multiplications under two secrets.
    #[inline]
    pub(crate) fn id(self, id: u128) -> u64 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a).wrapping_mul(u128::from(b));
            product as u64 ^ (product >> 64) as u64
        };
        let low = fold(id as u64 ^ self.0, 0x9e37_79b9_7f4a_7c15);
        fold(
            low ^ (id >> 64) as u64 ^ self.0.rotate_left(29),
            0xff51_afd7_ed55_8ccd,
        )
    }

    #[inline]
    pub(crate) fn key(self, key: &[u8]) -> u64 {
        xxh3_64_with_seed(key, self.0)
    }
}

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

/// Key and value of a mutable row.
type Row<'a> = (&'a [u8], &'a [u8]);

/// The tag of a key and the 16 bytes behind it as a number: sorts like the key as far as they go, which is all of it
/// for most.
fn leading(key: &[u8]) -> (u8, u128) {
    let mut leading = [0; 16];
    let rest = key.get(1..).unwrap_or_default();
    let length = rest.len().min(16);
    leading[..length].copy_from_slice(&rest[..length]);
    (
        key.first().copied().unwrap_or_default(),
        u128::from_be_bytes(leading),
    )
}

/// A window as far as one reader may see it.
#[derive(Clone)]
pub(crate) struct WindowView {
    window: Arc<Window>,
    chunk_count: usize,
    ids: Arc<Table>,
    rows: Arc<Table>,
}

impl WindowView {
    /// Value of a mutable row, if it changed in this window; `hash` is [`KeyHash::key`] of it.
    pub(crate) fn row(&self, key: &[u8], hash: u64) -> Option<&[u8]> {
        let head = self
            .rows
            .find(hash, |locator| self.window.row_key_is(locator, key))
            .1?;
        self.version(head).map(|(_, value)| value)
    }

    /// The newest version within the cut, from the newest there is.
    fn version(&self, head: Locator) -> Option<(&[u8], &[u8])> {
        let mut at = Some(head);
        while let Some(locator) = at {
            let chunk = self.window.chunks.get(locator.chunk())?;
            if locator.chunk() < self.chunk_count {
                return Some(chunk.row(locator.position()));
            }
            at = chunk.previous(locator.position());
        }
        None
    }

    /// What an id leads to, if it was used in this window; `hash` is [`KeyHash::id`] of it.
    #[inline]
    pub(crate) fn id(&self, id: u128, hash: u64) -> Option<IdEntry> {
        let same = |locator: Locator| {
            self.window
                .chunks
                .get(locator.chunk())
                .is_some_and(|chunk| chunk.id_is(locator.position(), id))
        };
        let locator = self.ids.find(hash, same).1?;
        if locator.chunk() >= self.chunk_count {
            return None;
        }
        self.window
            .chunks
            .get(locator.chunk())?
            .id(locator.position())
    }

    /// Newest versions of the mutable rows whose tag is `tag`, by key.
    pub(crate) fn rows_of(&self, tag: u8) -> Vec<(&[u8], &[u8])> {
        self.rows_where(|key| key.first() == Some(&tag))
    }

    /// Newest versions of all mutable rows, by key.
    pub(crate) fn rows(&self) -> Vec<(&[u8], &[u8])> {
        self.rows_where(|_| true)
    }

    fn rows_where(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<Row<'_>> {
        let mut heads: Vec<Locator> = self.rows.locators().collect();
        // In the order of memory first: the index knows none, and every row elsewhere is a wait.
        heads.sort_unstable();
        let is_wanted = |locator: &Locator| {
            let chunk = self.window.chunks.get(locator.chunk());
            chunk.is_some_and(|chunk| wanted(chunk.row_key(locator.position())))
        };
        let heads = heads.into_iter().filter(is_wanted);
        let mut rows: Vec<((u8, u128), Row<'_>)> = heads
            .filter_map(|head| self.version(head))
            .map(|row| (leading(row.0), row))
            .collect();
        // Most keys differ in their first bytes; the others are compared in full, where they are.
        rows.sort_unstable_by(|(one, (key, _)), (other, (other_key, _))| {
            one.cmp(other).then_with(|| key.cmp(other_key))
        });
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The chunks within the cut, in the order of the log.
    pub(crate) fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        (0..self.chunk_count).filter_map(|number| self.window.chunks.get(number))
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunk_count
    }

    pub(crate) fn window(&self) -> &Arc<Window> {
        &self.window
    }
}
