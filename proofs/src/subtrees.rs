//! Where a proof's hashes come from: complete subtrees, whoever keeps them.

use crate::Hash;

/// Gives the roots of complete subtrees.
pub trait Subtrees {
    /// Why one cannot be given.
    type Error;

    /// The root of subtree `index` (from 0) of a level: of the leaves from `index << level`, `1 << level` of them. Asked
    /// only for subtrees whose leaves are all below the size in question.
    ///
    /// # Errors
    /// The keeper's own.
    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;

    /// The root of the leaves from `start` to before `end`, a range that RFC 9162 (section 2.1.1) names a subtree: `start`
    /// is a multiple of the power of two that is not below its length. Not empty.
    ///
    /// # Errors
    /// As [`Subtrees::subtree`].
    fn range(&self, start: u64, end: u64) -> Result<Hash, Self::Error> {
        // From the right: the last complete subtree, then ever larger ones to the left of it.
        let mut left = end;
        let mut root: Option<Hash> = None;
        while left > start {
            let level = (left - start).trailing_zeros();
            left -= 1 << level;
            let hash = self.subtree(level, left >> level)?;
            root = Some(match root {
                Some(right) => Hash::of_children(&hash, &right),
                None => hash,
            });
        }
        Ok(root.unwrap_or_else(Hash::of_nothing))
    }
}

/// Two to the power of this is the largest that is below `size` (2 or more): where a tree of that size is cut in two.
pub(crate) fn cut_level(size: u64) -> u32 {
    (size - 1).ilog2()
}
