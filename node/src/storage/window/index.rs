//! A hash table from keys that stand in a window's chunks to where they stand; one writer, any readers, no lock.
//!
//! A slot is one atomic word: 22 bits of the hash, 20 of the chunk number, 22 of the position in it. The keys
//! themselves are compared in the chunks, so a key costs 16 to 32 bytes less than in a map of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

const CHUNK_BITS: u32 = 20;
const POSITION_BITS: u32 = 22;
/// Chunks an index can tell apart.
pub(crate) const CHUNKS_MAX: usize = (1 << CHUNK_BITS) - 1;
/// Keys of one kind in a chunk.
pub(crate) const POSITIONS_MAX: usize = 1 << POSITION_BITS;

const LOCATOR_BITS: u32 = CHUNK_BITS + POSITION_BITS;
const LOCATOR_MASK: u64 = (1 << LOCATOR_BITS) - 1;

/// Where a key stands: a chunk of the window and a position in it. Never zero inside, so that zero is an empty slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Locator(u64);

impl Locator {
    #[inline]
    pub(crate) fn new(chunk: usize, position: usize) -> Self {
        debug_assert!(chunk < CHUNKS_MAX && position < POSITIONS_MAX);
        Self((chunk as u64 + 1) << POSITION_BITS | position as u64)
    }

    #[inline]
    pub(crate) fn chunk(self) -> usize {
        (self.0 >> POSITION_BITS) as usize - 1
    }

    #[inline]
    pub(crate) fn position(self) -> usize {
        (self.0 & ((1 << POSITION_BITS) - 1)) as usize
    }

    /// As stored in a chunk, where zero means none.
    #[inline]
    pub(crate) fn to_word(locator: Option<Self>) -> u64 {
        locator.map_or(0, |locator| locator.0)
    }

    /// Reads [`Locator::to_word`].
    #[inline]
    pub(crate) fn from_word(word: u64) -> Option<Self> {
        (word != 0).then_some(Self(word))
    }
}

/// The slots of an index at one size.
pub(crate) struct Table {
    slots: Box<[AtomicU64]>,
}

impl Table {
    fn with_slots(count: usize) -> Self {
        Self {
            slots: (0..count.next_power_of_two())
                .map(|_| AtomicU64::new(0))
                .collect(),
        }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// The slot that holds a key, or the empty one where the search for it ended.
    #[inline]
    pub(crate) fn find(
        &self,
        hash: u64,
        mut same: impl FnMut(Locator) -> bool,
    ) -> (usize, Option<Locator>) {
        let tag = hash & !LOCATOR_MASK;
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at].load(Ordering::Acquire);
            if slot == 0 {
                return (at, None);
            }
            if slot & !LOCATOR_MASK == tag {
                let locator = Locator(slot & LOCATOR_MASK);
                if same(locator) {
                    return (at, Some(locator));
                }
            }
            at = self.next(at);
        }
    }

    /// Where the key of a slot stands.
    #[inline]
    pub(crate) fn locator(&self, at: usize) -> Option<Locator> {
        Locator::from_word(self.slots[at].load(Ordering::Relaxed) & LOCATOR_MASK)
    }

    /// What a slot keeps of its key's hash: all that [`Table::replace`] needs of it.
    #[inline]
    pub(crate) fn hash_bits(&self, at: usize) -> u64 {
        self.slots[at].load(Ordering::Relaxed) & !LOCATOR_MASK
    }

    /// Lets the key whose slot is `at` lead to `locator` from now on. Returns the slot.
    #[inline]
    pub(crate) fn replace(&self, at: usize, hash: u64, locator: Locator) -> usize {
        self.slots[at].store(hash & !LOCATOR_MASK | locator.0, Ordering::Release);
        at
    }

    /// Adds a key that is not in the table, searching for room from `at`, an end of [`Table::find`]. Returns its slot.
    #[inline]
    pub(crate) fn add_from(&self, mut at: usize, hash: u64, locator: Locator) -> usize {
        while self.slots[at].load(Ordering::Relaxed) != 0 {
            at = self.next(at);
        }
        self.replace(at, hash, locator)
    }

    /// Adds a key that is not in the table.
    #[inline]
    pub(crate) fn add(&self, hash: u64, locator: Locator) {
        self.add_from(self.home(hash), hash, locator);
    }

    /// Every key's locator, in no order.
    pub(crate) fn locators(&self) -> impl Iterator<Item = Locator> + '_ {
        self.slots.iter().filter_map(|slot| {
            let slot = slot.load(Ordering::Acquire);
            (slot != 0).then_some(Locator(slot & LOCATOR_MASK))
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<AtomicU64>()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len() / 2
    }
}

/// A table that grows. Readers take it once and keep it: what they may see is in it.
pub(crate) struct Index {
    table: ArcSwap<Table>,
}

impl Index {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        Self {
            table: ArcSwap::from_pointee(Table::with_slots(keys.max(32) * 2)),
        }
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// The table with room for `keys` in all, at most half full; `all` gives hash and locator of every key when it has
    /// to be made anew. Writer only.
    pub(crate) fn table_with<I>(&self, keys: usize, all: impl FnOnce() -> I) -> Arc<Table>
    where
        I: Iterator<Item = (u64, Locator)>,
    {
        let table = self.table();
        if keys <= table.capacity() {
            return table;
        }
        let bigger = Table::with_slots(keys.max(table.capacity() * 4) * 2);
        all().for_each(|(hash, locator)| bigger.add(hash, locator));
        let bigger = Arc::new(bigger);
        self.table.store(Arc::clone(&bigger));
        bigger
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn behaves_like_a_map_while_it_grows() {
        let mut keys: Vec<u64> = vec![];
        let mut heads: HashMap<u64, Locator> = HashMap::new();
        let index = Index::with_capacity(1);
        let hash = |key: u64| key.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_fc00_0000_00ff;
        for step in 0..5_000_u64 {
            let key = step * step % 1_237;
            keys.push(key);
            let locator = Locator::new(keys.len() - 1, step as usize % POSITIONS_MAX);
            let table = index.table_with(heads.len() + 1, || {
                heads.iter().map(|(&key, &locator)| (hash(key), locator))
            });
            let (at, found) = table.find(hash(key), |locator| keys[locator.chunk()] == key);
            assert_eq!(found, heads.insert(key, locator));
            match found {
                Some(_) => table.replace(at, hash(key), locator),
                None => table.add_from(at, hash(key), locator),
            };
        }
        let mut all: Vec<u64> = index.table().locators().map(|locator| locator.0).collect();
        let mut expected: Vec<u64> = heads.values().map(|locator| locator.0).collect();
        all.sort_unstable();
        expected.sort_unstable();
        assert_eq!(all, expected);
    }

    #[test]
    fn locators_survive_their_word() {
        for locator in [
            Locator::new(0, 0),
            Locator::new(CHUNKS_MAX - 1, POSITIONS_MAX - 1),
        ] {
            assert_eq!(
                Locator::from_word(Locator::to_word(Some(locator))),
                Some(locator)
            );
        }
        assert_eq!(Locator::new(CHUNKS_MAX - 1, 5).chunk(), CHUNKS_MAX - 1);
        assert_eq!(
            Locator::new(3, POSITIONS_MAX - 1).position(),
            POSITIONS_MAX - 1
        );
        assert_eq!(Locator::from_word(0), None);
    }
}
