//! That a leaf is in a tree: RFC 9162, section 2.1.3.

use crate::subtrees::cut_level;
use crate::{Hash, ProofError, Subtrees};

/// The path from leaf `index` to the root of a tree of `size` leaves, from the bottom: each step's other child.
///
/// # Errors
/// [`ProofError::OutOfRange`] when there is no such leaf; what the keeper of the tree says.
pub fn prove<T: Subtrees>(
    tree: &T,
    index: u64,
    size: u64,
) -> Result<Result<Vec<Hash>, ProofError>, T::Error> {
    if index >= size {
        return Ok(Err(ProofError::OutOfRange { index, size }));
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + (1 << cut_level(end - start));
        if index < middle {
            path.push(tree.range(middle, end)?);
            end = middle;
        } else {
            path.push(tree.range(start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(Ok(path))
}

/// Checks such a path.
///
/// # Errors
/// Why it does not show that `leaf` is leaf `index` of the tree with `size` leaves and that root.
pub fn verify(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let expected = length(index, size);
    if path.len() != expected {
        return Err(ProofError::WrongLength {
            found: path.len(),
            expected,
        });
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in path {
        if at & 1 == 1 || at == last {
            hash = Hash::of_children(other, &hash);
            // Where the right edge has no child of its own, the node rises unchanged.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_children(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}

/// Hashes in the path of a leaf.
fn length(index: u64, size: u64) -> usize {
    let inner = 64 - (index ^ (size - 1)).leading_zeros();
    let border = (index >> inner.min(63) >> u32::from(inner == 64)).count_ones();
    (inner + border) as usize
}
