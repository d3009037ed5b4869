//! Bytes that were damaged on their way, or were never an entry: errors, never a panic.

use farthing_ledger::{Applier, EntryError, EntryReader, MemoryState, invariants};

use crate::entry;
use crate::naive::generator::{Generator, encode};
use crate::support::{Random, step};

#[test]
fn no_bytes_make_the_reader_or_apply_panic() {
    let mut generator = Generator::new(7);
    let mut random = Random(8);
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let (mut valid, mut invalid) = (0, 0);
    for round in 0..3_000 {
        let request = generator.any(round);
        let mut bytes = entry(generator.time, &[encode(&request)]);
        if round > 0 {
            for _ in 0..=random.below(3) {
                damage(&mut random, &mut bytes);
            }
        }
        match EntryReader::new(&bytes) {
            Ok(reader) => {
                valid += 1;
                // A proposed time beyond all reason ends the clock for good: that is refused, not applied.
                if reader.proposed_time() < generator.time + 1_000_000_000_000 {
                    step(&mut state, &mut applier, &bytes);
                }
            }
            Err(_) => invalid += 1,
        }
    }
    assert!(
        valid > 300 && invalid > 300,
        "{valid} valid, {invalid} invalid"
    );
    invariants::check_all(&state).unwrap();
    for length in 0..2_000 {
        let noise: Vec<_> = (0..length)
            .map(|_| random.next().to_le_bytes()[0])
            .collect();
        assert!(EntryReader::new(&noise).is_err());
    }
}

/// Flips, cuts, adds or overwrites.
fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap();
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.next().to_le_bytes()[0]),
        2 if at < bytes.len() => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
        _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        _ => {}
    }
}

#[test]
fn every_shorter_and_longer_form_of_an_entry_is_an_error() {
    let mut generator = Generator::new(9);
    let bytes = entry(
        1,
        &[
            encode(&generator.accounts()),
            encode(&generator.request()),
            encode(&generator.pulse()),
        ],
    );
    assert!(EntryReader::new(&bytes).is_ok());
    for length in 0..bytes.len() {
        assert!(
            EntryReader::new(&bytes[..length]).is_err(),
            "{length} bytes"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(
        EntryReader::new(&longer).unwrap_err(),
        EntryError::TrailingBytes
    );
}
