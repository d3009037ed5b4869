//! That a tree begins with an earlier one: RFC 9162, section 2.1.4.

use crate::subtrees::cut_level;
use crate::{Hash, ProofError, Subtrees};

/// The hashes that show that the tree of `size` leaves begins with that of `earlier`. None when both are the same, or the
/// earlier one is empty: the roots say it then.
///
/// # Errors
/// [`ProofError::OutOfRange`] when the earlier tree is larger; what the keeper of the tree says.
pub fn prove<T: Subtrees>(
    tree: &T,
    earlier: u64,
    size: u64,
) -> Result<Result<Vec<Hash>, ProofError>, T::Error> {
    if earlier > size {
        return Ok(Err(ProofError::OutOfRange {
            index: earlier,
            size,
        }));
    }
    if earlier == 0 || earlier == size {
        return Ok(Ok(Vec::new()));
    }
    let mut hashes = Vec::new();
    let (mut start, mut end) = (0, size);
    while end != earlier {
        let middle = start + (1 << cut_level(end - start));
        if earlier <= middle {
            hashes.push(tree.range(middle, end)?);
            end = middle;
        } else {
            hashes.push(tree.range(start, middle)?);
            start = middle;
        }
    }
    // The whole earlier tree is known to whoever asks.
    if start != 0 {
        hashes.push(tree.range(start, end)?);
    }
    hashes.reverse();
    Ok(Ok(hashes))
}

/// Checks such hashes.
///
/// # Errors
/// Why they do not show that the tree with `size` leaves and `root` begins with the one with `earlier` leaves and
/// `earlier_root`.
pub fn verify(
    earlier: u64,
    earlier_root: &Hash,
    size: u64,
    root: &Hash,
    hashes: &[Hash],
) -> Result<(), ProofError> {
    if earlier > size {
        return Err(ProofError::OutOfRange {
            index: earlier,
            size,
        });
    }
    let wrong_length = |expected| ProofError::WrongLength {
        found: hashes.len(),
        expected,
    };
    if earlier == 0 || earlier == size {
        if !hashes.is_empty() {
            return Err(wrong_length(0));
        }
        let before = match earlier {
            0 => Hash::of_nothing(),
            _ => *root,
        };
        return match before == *earlier_root {
            true => Ok(()),
            false => Err(ProofError::WrongEarlierRoot),
        };
    }
    let expected = length(earlier, size);
    if hashes.len() != expected {
        return Err(wrong_length(expected));
    }
    let mut hashes = hashes.iter();
    // Up to the first node that the earlier tree does not have whole.
    let level = earlier.trailing_zeros();
    let (mut at, mut last) = ((earlier - 1) >> level, (size - 1) >> level);
    let first = match at {
        0 => earlier_root,
        _ => hashes.next().ok_or(wrong_length(expected))?,
    };
    let (mut before, mut now) = (*first, *first);
    for other in hashes {
        if at & 1 == 1 || at == last {
            before = Hash::of_children(other, &before);
            now = Hash::of_children(other, &now);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            now = Hash::of_children(&now, other);
        }
        at >>= 1;
        last >>= 1;
    }
    if before != *earlier_root {
        return Err(ProofError::WrongEarlierRoot);
    }
    if now != *root {
        return Err(ProofError::WrongRoot);
    }
    Ok(())
}

/// Hashes of a proof between two sizes, neither zero nor equal.
fn length(earlier: u64, size: u64) -> usize {
    let (mut start, mut end, mut count) = (0_u64, size, 0);
    while end != earlier {
        let middle = start + (1 << cut_level(end - start));
        if earlier <= middle {
            end = middle;
        } else {
            start = middle;
        }
        count += 1;
    }
    count + usize::from(start != 0)
}
