//! The right edge of a growing tree: all that is needed to add leaves and to know the root.

use crate::Hash;

/// A tree without its inside: the roots of the largest complete subtrees, from the left, one for each bit of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of so many leaves, by the roots of its largest complete subtrees from the left; `None` unless there are as
    /// many as the size has bits that are one.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() as u32 == size.count_ones()).then_some(Self { size, peaks })
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its largest complete subtrees, from the left.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf. `complete` is told of every subtree that is complete by it, the leaf first: level (0 for a leaf; it
    /// has two to the power of it leaves), number within the level from 0, root.
    #[inline]
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(u32, u64, &Hash)) {
        let mut hash = leaf;
        complete(0, self.size, &hash);
        for level in 0..self.size.trailing_ones() {
            // As many ones at the end of the size, as many peaks of just these heights.
            if let Some(left) = self.peaks.pop() {
                hash = Hash::of_children(&left, &hash);
                complete(level + 1, self.size >> (level + 1), &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return Hash::of_nothing();
        };
        peaks.fold(*last, |right, left| Hash::of_children(left, &right))
    }
}
