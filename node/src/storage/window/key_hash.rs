//! How keys are hashed in memory.

use xxhash_rust::xxh3::xxh3_64_with_seed;

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
