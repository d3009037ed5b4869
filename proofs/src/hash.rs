//! The tree's hashes: SHA-256, with a first byte that keeps leaves and inner nodes apart (RFC 6962, section 2.1).

use sha2::{Digest, Sha256};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// A hash of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// The root of a tree without leaves.
    pub fn of_nothing() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// A leaf.
    #[inline]
    pub fn of_leaf(data: &[u8]) -> Self {
        let hash = Sha256::new().chain_update([0]).chain_update(data);
        Self(hash.finalize().into())
    }

    /// A node above two others.
    #[inline]
    pub fn of_children(left: &Self, right: &Self) -> Self {
        let mut bytes = [0; 1 + 2 * HASH_BYTES];
        bytes[0] = 1;
        bytes[1..=HASH_BYTES].copy_from_slice(&left.0);
        bytes[1 + HASH_BYTES..].copy_from_slice(&right.0);
        Self(Sha256::digest(bytes).into())
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
