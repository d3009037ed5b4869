//! A map from 128-bit ids to small numbers, made for the apply path: open addressing in one allocation, no hashing
//! of byte strings, and no way to iterate, so that its order can never leak into a result.

/// Marks an empty slot; not a value.
const EMPTY: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Slot {
    key: u128,
    value: u32,
}

/// A map from `u128` to `u32` (any value but `u32::MAX`).
///
/// The seed decides where keys land and nothing else: the answers are the same under every seed. A caller whose
/// keys come from outside passes one that the outside cannot foresee, so that nobody can prepare ids that collide.
#[derive(Clone)]
pub struct IdMap {
    slots: Vec<Slot>,
    mask: usize,
    count: usize,
    seed: u64,
}

impl IdMap {
    /// A map that takes `capacity` keys before it grows.
    pub fn with_capacity(capacity: usize, seed: u64) -> Self {
        let slots = capacity.max(8).saturating_mul(2).next_power_of_two();
        Self {
            slots: vec![
                Slot {
                    key: 0,
                    value: EMPTY
                };
                slots
            ],
            mask: slots - 1,
            count: 0,
            seed,
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True without keys.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Forgets all keys, keeps the memory when it is not far more than `capacity` keys need, takes a new seed.
    pub fn reset(&mut self, capacity: usize, seed: u64) {
        let wanted = capacity.max(8).saturating_mul(2).next_power_of_two();
        if wanted > self.slots.len() || self.slots.len() / 8 > wanted {
            *self = Self::with_capacity(capacity, seed);
        } else {
            self.slots.fill(Slot {
                key: 0,
                value: EMPTY,
            });
            self.count = 0;
            self.seed = seed;
        }
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: u128) -> Option<u32> {
        let mut at = self.home(key);
        loop {
            let slot = &self.slots[at];
            if slot.value == EMPTY {
                return None;
            }
            if slot.key == key {
                return Some(slot.value);
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Sets the value of a key and returns the former one. `u32::MAX` is not a value: it is refused and nothing is
    /// changed.
    #[inline]
    pub fn insert(&mut self, key: u128, value: u32) -> Option<u32> {
        if value == EMPTY {
            return None;
        }
        if (self.count + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mut at = self.home(key);
        loop {
            let slot = &mut self.slots[at];
            if slot.value == EMPTY {
                *slot = Slot { key, value };
                self.count += 1;
                return None;
            }
            if slot.key == key {
                return Some(std::mem::replace(&mut slot.value, value));
            }
            at = (at + 1) & self.mask;
        }
    }

    /// Forgets a key and returns its value.
    pub fn remove(&mut self, key: u128) -> Option<u32> {
        let mut hole = self.home(key);
        let value = loop {
            let slot = &self.slots[hole];
            if slot.value == EMPTY {
                return None;
            }
            if slot.key == key {
                break slot.value;
            }
            hole = (hole + 1) & self.mask;
        };
        self.count -= 1;
        // Keys behind the hole move into it when their way from home leads across it.
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let slot = self.slots[at];
            if slot.value == EMPTY {
                break;
            }
            let from_home = at.wrapping_sub(self.home(slot.key)) & self.mask;
            let from_hole = at.wrapping_sub(hole) & self.mask;
            if from_home >= from_hole {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole].value = EMPTY;
        Some(value)
    }

    fn grow(&mut self) {
        let mut bigger = Self::with_capacity(self.slots.len(), self.seed);
        for slot in &self.slots {
            if slot.value != EMPTY {
                bigger.insert(slot.key, slot.value);
            }
        }
        *self = bigger;
    }

    /// Two folded multiplications: every bit of the key reaches the low bits that choose the slot.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // the folding is the point: halves of a product, bits of an index
    fn home(&self, key: u128) -> usize {
        let low = key as u64 ^ self.seed ^ 0x9e37_79b9_7f4a_7c15;
        let high = (key >> 64) as u64 ^ self.seed.rotate_left(32) ^ 0xd1b5_4a32_d192_ed03;
        let product = u128::from(low).wrapping_mul(0xff51_afd7_ed55_8ccd) ^ u128::from(high);
        let folded = (product >> 64) as u64 ^ product as u64;
        let product = u128::from(folded).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        ((product >> 64) as u64 ^ product as u64) as usize & self.mask
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn behaves_like_a_map_under_insertions_and_removals() {
        let mut map = IdMap::with_capacity(4, 7);
        let mut model = BTreeMap::new();
        let mut random = 1_u64;
        for step in 0..100_000_u32 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let key = u128::from(random >> 54) << (random >> 20 & 64);
            if random >> 10 & 3 == 0 {
                assert_eq!(map.remove(key), model.remove(&key));
            } else {
                assert_eq!(map.insert(key, step), model.insert(key, step));
            }
            assert_eq!(map.len(), model.len());
        }
        for key in 0..2048_u128 {
            assert_eq!(map.get(key), model.get(&key).copied());
            assert_eq!(map.get(key << 64), model.get(&(key << 64)).copied());
        }
    }

    #[test]
    fn a_reset_map_is_empty() {
        let mut map = IdMap::with_capacity(1000, 7);
        map.insert(5, 1);
        map.reset(1000, 8);
        assert_eq!(map.get(5), None);
        assert!(map.is_empty());
        map.insert(0, 1);
        assert_eq!(map.get(0), Some(1));
    }
}
