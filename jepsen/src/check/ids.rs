//! Ids as small numbers: every table of the checker is a list indexed by them.

use hashbrown::HashTable;

use crate::hash::hash_id as hash;

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
        let hashed = hash(id);
        if let Some(slot) = self.slots.find(hashed, |slot| ids[*slot as usize] == id) {
            return *slot;
        }
        let slot = ids.len() as u32;
        ids.push(id);
        self.slots
            .insert_unique(hashed, slot, |slot| hash(ids[*slot as usize]));
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
