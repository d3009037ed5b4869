//! Ids as small numbers: every table of the checker is a list indexed by them.

use hashbrown::HashTable;

/// Ids in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct IdTable {
    ids: Vec<u128>,
    slots: HashTable<u32>,
}

impl IdTable {
    /// The slot of an id; a new one if it is new.
    pub(super) fn slot(&mut self, id: u128) -> u32 {
        let ids = &mut self.ids;
        let hash = hash(id);
        if let Some(slot) = self.slots.find(hash, |slot| ids[*slot as usize] == id) {
            return *slot;
        }
        let slot = ids.len() as u32;
        ids.push(id);
        self.slots.insert_unique(hash, slot, |slot| {
            crate::check::ids::hash(ids[*slot as usize])
        });
        slot
    }

    pub(super) fn find(&self, id: u128) -> Option<u32> {
        self.slots
            .find(hash(id), |slot| self.ids[*slot as usize] == id)
            .copied()
    }

    pub(super) fn id(&self, slot: u32) -> u128 {
        self.ids[slot as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
}

/// Spreads the bits of an id; ids that follow each other must not share a bucket.
fn hash(id: u128) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (low, high) = (id as u64, (id >> 64) as u64);
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(ODD);
    (mixed ^ mixed >> 32).wrapping_mul(ODD) ^ high
}
