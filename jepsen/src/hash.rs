//! A hash for ids and other small keys of our own making. Histories are not hostile, and millions of lookups are.

use std::hash::{BuildHasherDefault, Hasher};

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads the bits of an id; ids that follow each other must not share a bucket.
#[inline]
pub(crate) fn hash_id(id: u128) -> u64 {
    let (low, high) = (id as u64, (id >> 64) as u64);
    let mixed = (low ^ high.rotate_left(29)).wrapping_mul(ODD);
    (mixed ^ mixed >> 32).wrapping_mul(ODD)
}

/// A map by ids or other small keys.
pub(crate) type FastMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<FastHasher>>;
/// A set of ids or other small keys.
pub(crate) type FastSet<K> = std::collections::HashSet<K, BuildHasherDefault<FastHasher>>;

/// Mixes one number after the other.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.write_u128(u128::from(number));
    }

    fn write_u128(&mut self, number: u128) {
        self.0 = hash_id(number ^ u128::from(self.0.rotate_left(5)));
    }
}
