//! The tree against its definition, word by word, and proofs against everything that is not one.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;

use farthing_proofs::{Frontier, Hash, ProofError, Subtrees, consistency, inclusion};
use proptest::prelude::*;

/// RFC 9162, section 2.1.1, as it stands there.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of_nothing(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            Hash::of_children(&naive(left), &naive(right))
        }
    }
}

struct Tree(Vec<Hash>);

impl Subtrees for Tree {
    type Error = Infallible;

    fn subtree(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let (start, length) = ((index << level) as usize, 1 << level);
        Ok(naive(&self.0[start..start + length]))
    }
}

fn tree(size: u64) -> Tree {
    Tree(
        (0..size)
            .map(|at| Hash::of_leaf(&at.to_le_bytes()))
            .collect(),
    )
}

#[test]
fn hashes_are_those_of_the_standard() {
    // Of the empty string, of a leaf without bytes.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Hash::of_nothing().to_string(), empty);
    let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    assert_eq!(Hash::of_leaf(&[]).to_string(), leaf);
}

#[test]
fn a_growing_tree_has_the_root_of_its_leaves() {
    let leaves = tree(300).0;
    let mut frontier = Frontier::new();
    let mut told = Vec::new();
    for (size, leaf) in leaves.iter().enumerate() {
        assert_eq!(frontier.root(), naive(&leaves[..size]));
        let again = Frontier::from_peaks(size as u64, frontier.peaks().to_vec());
        assert_eq!(again, Some(frontier.clone()));
        frontier.push(*leaf, |level, index, hash| told.push((level, index, *hash)));
    }
    assert_eq!(frontier.root(), naive(&leaves));
    // Every complete subtree was told of, once.
    let expected: usize = (0..9).map(|level| 300 >> level).sum();
    assert_eq!(told.len(), expected);
    for (level, index, hash) in told {
        assert_eq!(tree(300).subtree(level, index), Ok(hash));
    }
    assert_eq!(Frontier::from_peaks(3, vec![]), None);
}

#[test]
fn every_leaf_and_every_pair_of_sizes_has_a_proof() {
    let tree = tree(70);
    for size in 0..=70 {
        let root = naive(&tree.0[..size as usize]);
        for index in 0..size {
            let path = inclusion::prove(&tree, index, size).unwrap().unwrap();
            let leaf = tree.0[index as usize];
            assert_eq!(inclusion::verify(&leaf, index, size, &path, &root), Ok(()));
        }
        for earlier in 0..=size {
            let before = naive(&tree.0[..earlier as usize]);
            let hashes = consistency::prove(&tree, earlier, size).unwrap().unwrap();
            let verdict = consistency::verify(earlier, &before, size, &root, &hashes);
            assert_eq!(verdict, Ok(()), "{earlier} of {size}");
        }
        let out = ProofError::OutOfRange { index: size, size };
        assert_eq!(inclusion::prove(&tree, size, size), Ok(Err(out)));
        assert!(consistency::prove(&tree, size + 1, size).unwrap().is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_else_is_an_inclusion_proof(
        size in 2_u64..200, index in any::<u64>(), what in 0..5, at in any::<usize>(), bit in 0_u32..256,
    ) {
        let index = index % size;
        let tree = tree(size);
        let (mut root, mut leaf) = (naive(&tree.0), tree.0[index as usize]);
        let mut path = inclusion::prove(&tree, index, size).unwrap().unwrap();
        let (mut told, place) = (index, at % path.len());
        match what {
            0 => flip(&mut root, bit),
            1 => flip(&mut leaf, bit),
            2 => flip(&mut path[place], bit),
            3 => drop(path.remove(place)),
            _ => told = (index + 1 + at as u64 % (size - 1)) % size,
        }
        prop_assert!(inclusion::verify(&leaf, told, size, &path, &root).is_err());
    }

    #[test]
    fn nothing_else_is_a_consistency_proof(
        size in 2_u64..200, earlier in any::<u64>(), what in 0..4, at in any::<usize>(), bit in 0_u32..256,
    ) {
        let earlier = 1 + earlier % (size - 1);
        let tree = tree(size);
        let mut before = naive(&tree.0[..earlier as usize]);
        let mut root = naive(&tree.0);
        let mut hashes = consistency::prove(&tree, earlier, size).unwrap().unwrap();
        match what {
            0 => flip(&mut before, bit),
            1 => flip(&mut root, bit),
            2 => { let at = at % hashes.len(); flip(&mut hashes[at], bit) }
            _ => { hashes.remove(at % hashes.len()); }
        }
        prop_assert!(consistency::verify(earlier, &before, size, &root, &hashes).is_err());
    }

    #[test]
    fn a_leaf_changed_behind_a_checkpoint_is_noticed(size in 2_u64..200, earlier in any::<u64>(), at in any::<u64>()) {
        let earlier = 1 + earlier % (size - 1);
        let mut tree = tree(size);
        let before = naive(&tree.0[..earlier as usize]);
        flip(&mut tree.0[(at % earlier) as usize], 7);
        let root = naive(&tree.0);
        let hashes = consistency::prove(&tree, earlier, size).unwrap().unwrap();
        prop_assert!(consistency::verify(earlier, &before, size, &root, &hashes).is_err());
    }
}

fn flip(hash: &mut Hash, bit: u32) {
    hash.0[bit as usize / 8] ^= 1 << (bit % 8);
}
