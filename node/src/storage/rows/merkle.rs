//! Family `merkle`: key = `level u8, index u64 BE`; value = `log_index u64, hash 32 B`.
//!
//! Roots of complete subtrees of the tree over all changes, at every eighth level from 8 on: what lies between is
//! computed from them, and below level 8 from the changes themselves, so that a change costs a fifth of a byte.

use farthing_proofs::{HASH_BYTES, Hash};

/// Levels between two that are kept.
pub(crate) const LEVELS_APART: u32 = 8;

/// Whether subtrees of this level are kept.
#[inline]
pub(crate) const fn is_kept(level: u32) -> bool {
    level != 0 && level.is_multiple_of(LEVELS_APART)
}

/// The key of a subtree.
pub(crate) fn key(level: u32, index: u64) -> [u8; 9] {
    let mut key = [0; 9];
    key[0] = level as u8;
    super::put(&mut key, 1, index.to_be_bytes());
    key
}

/// The value: the entry that completed the subtree, and its root.
pub(crate) fn value(log_index: u64, hash: &Hash) -> [u8; 40] {
    let mut value = [0; 40];
    super::put(&mut value, 0, log_index.to_le_bytes());
    super::put(&mut value, 8, hash.0);
    value
}

/// The root in a value.
pub(crate) fn read_value(value: &[u8]) -> Option<Hash> {
    let hash: [u8; HASH_BYTES] = value.get(8..)?.try_into().ok()?;
    Some(Hash(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let hash = Hash::of_leaf(b"x");
        let value = value(5, &hash);
        assert_eq!(super::super::log_index(&value), Some(5));
        assert_eq!(read_value(&value), Some(hash));
        assert_eq!(read_value(&value[..39]), None);
        assert!(key(8, 256) > key(8, 255), "in the order of the leaves");
        let kept: Vec<u32> = (0..=24).filter(|level| is_kept(*level)).collect();
        assert_eq!(kept, [8, 16, 24]);
    }
}
