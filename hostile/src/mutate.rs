//! Seeded mutations: a poor man's fuzzer for toolchains without one. It measures no coverage; its seeds come from
//! whole messages and its words from the formats, so that it gets behind the first checks all the same.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Target;
use crate::random::Random;

/// No input grows beyond this.
const BYTES_MAX: usize = 64 << 10;
/// Numbers at which decoders go wrong.
const NUMBERS: &[u64] = &[
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    i64::MAX as u64,
    u64::MAX,
];

/// An input that breaks what must hold.
#[derive(Debug)]
pub struct Failure {
    /// The input.
    pub bytes: Vec<u8>,
    /// What the panic said.
    pub what: String,
}

/// Runs the target over `seeds` and then over `count` mutations of them.
///
/// # Errors
/// The first input that breaks what must hold.
pub fn rounds(
    target: &Target,
    seeds: &[Vec<u8>],
    count: usize,
    seed: u64,
) -> Result<(), Box<Failure>> {
    let words = target.words();
    for bytes in seeds {
        attempt(target, bytes)?;
    }
    let mut random = Random(seed);
    for _ in 0..count {
        let mut bytes = random.pick(seeds).cloned().unwrap_or_default();
        for _ in 0..=random.below(4) {
            change(&mut random, &mut bytes, &words, seeds);
        }
        bytes.truncate(BYTES_MAX);
        attempt(target, &bytes)?;
    }
    Ok(())
}

/// Runs the target over one input.
///
/// # Errors
/// When the input breaks what must hold.
pub fn attempt(target: &Target, bytes: &[u8]) -> Result<(), Box<Failure>> {
    catch_unwind(AssertUnwindSafe(|| target.run(bytes))).map_err(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without words".to_owned());
        Box::new(Failure {
            bytes: bytes.to_vec(),
            what,
        })
    })
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, words: &[&str], seeds: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let length = random.below(bytes.len() - at + 1);
    match random.below(10) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        2 if at < bytes.len() => bytes[at] = random.next() as u8,
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..at + length.min(64))),
        5 => bytes.insert(at, random.next() as u8),
        6 => {
            let copy = bytes[at..at + length].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        7 => {
            let width = [1, 2, 4, 8][random.below(4)];
            let number = random.pick(NUMBERS).copied().unwrap_or(0).to_le_bytes();
            let end = bytes.len().min(at + width);
            bytes.splice(at..end, number[..width].iter().copied());
        }
        8 => {
            if let Some(word) = random.pick(words) {
                bytes.splice(at..at, word.bytes());
            }
        }
        _ => {
            if let Some(other) = random.pick(seeds) {
                let from = random.below(other.len() + 1);
                let end = from + random.below(other.len() - from + 1);
                let until = bytes.len().min(at + (end - from));
                bytes.splice(at..until, other[from..end].iter().copied());
            }
        }
    }
}
