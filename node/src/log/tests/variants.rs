//! What a power cut can leave of the operations that were not synced.

use std::collections::BTreeSet;
use std::path::PathBuf;

use xxhash_rust::xxh3::Xxh3;

use crate::disk::{Crash, Disk, MemoryDisk, Survival};

use super::DIR;
use super::model::Dice;

/// One crash: how many names survived, and what of each write.
pub(super) struct Variant {
    names: usize,
    pub(super) writes: Vec<Survival>,
}

impl Variant {
    pub(super) fn image(&self, crash: &Crash) -> MemoryDisk {
        crash.image(self.names, |write| self.writes[write])
    }
}

/// How finely writes are torn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cuts {
    /// At and inside records, as the dice say where there are many.
    Chosen,
    /// Behind every byte, the other writes lost and whole, and every subset of whole writes. Spares being filled are
    /// cut at every page only: what survives of zeros is zeros.
    Every,
}

/// Subsets of more unsynced writes than this are not all tried. A log has two or three at a time.
const SUBSET_WRITES_MAX: usize = 10;
/// No batch is this long: it is a spare being filled.
const SPARE_BYTES: usize = 16 << 10;

pub(super) fn variants(crash: &Crash, cuts: Cuts, dice: &mut Dice) -> Vec<Variant> {
    let lengths = crash.unsynced_writes();
    let all_names = crash.unsynced_names();
    let mut variants = Vec::new();
    let mut add = |names, writes| variants.push(Variant { names, writes });
    for names in 0..=all_names {
        add(names, vec![Survival::Lost; lengths.len()]);
        add(names, vec![Survival::Whole; lengths.len()]);
    }
    for subset in subsets(lengths.len(), cuts, dice) {
        let survives = |at: usize| match subset >> (at % 64) & 1 {
            1 => Survival::Whole,
            _ => Survival::Lost,
        };
        add(all_names, (0..lengths.len()).map(survives).collect());
    }
    for (torn, &length) in lengths.iter().enumerate() {
        let places = match cuts {
            Cuts::Chosen => chosen_cuts(length, dice),
            Cuts::Every if length >= SPARE_BYTES => (4096..length).step_by(4096).collect(),
            Cuts::Every => (1..length).collect(),
        };
        for cut in places {
            for survival in [Survival::First(cut), Survival::From(cut)] {
                let with_others = |others| {
                    let survives = |at| if at == torn { survival } else { others };
                    (0..lengths.len()).map(survives).collect()
                };
                match cuts {
                    Cuts::Chosen if dice.roll(3) == 0 => {
                        add(all_names, with_others(Survival::Lost))
                    }
                    Cuts::Chosen => add(all_names, with_others(Survival::Whole)),
                    Cuts::Every => {
                        add(all_names, with_others(Survival::Whole));
                        if lengths.len() > 1 {
                            add(all_names, with_others(Survival::Lost));
                        }
                    }
                }
            }
        }
    }
    variants
}

/// Sets of writes that survive whole, as bits, but for none and all.
fn subsets(count: usize, cuts: Cuts, dice: &mut Dice) -> Vec<u64> {
    let few = match cuts {
        Cuts::Chosen => 4,
        Cuts::Every => SUBSET_WRITES_MAX,
    };
    match count {
        0 | 1 => Vec::new(),
        count if count <= few => (1..(1 << count) - 1).collect(),
        _ => (0..16).map(|_| dice.roll(u64::MAX)).collect(),
    }
}

/// Places at and inside each record of a write, at most 120.
fn chosen_cuts(length: usize, dice: &mut Dice) -> Vec<usize> {
    let mut cuts: BTreeSet<usize> = [1, 8, 16, 31, 63].into();
    cuts.extend(
        (64..length)
            .step_by(64)
            .flat_map(|at| [at, at + 1, at + 24, at + 63]),
    );
    while cuts.len() > 120 {
        let at = dice.roll(cuts.len() as u64) as usize;
        let cut = cuts.iter().copied().nth(at).unwrap();
        cuts.remove(&cut);
    }
    cuts.retain(|cut| *cut < length);
    cuts.into_iter().collect()
}

/// Names and bytes of everything in the log's directory, as one number.
pub(super) fn fingerprint(image: &MemoryDisk) -> u128 {
    let mut hash = Xxh3::new();
    for dir in [PathBuf::from(DIR), PathBuf::from(DIR).join("pool")] {
        for name in image.list(&dir).unwrap_or_default() {
            let path = dir.join(&name);
            if let Ok(bytes) = image.contents(&path) {
                hash.update(path.as_os_str().as_encoded_bytes());
                hash.update(&(bytes.len() as u64).to_le_bytes());
                hash.update(&bytes);
            }
        }
    }
    hash.digest128()
}
