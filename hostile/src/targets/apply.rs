//! Entries applied to a ledger: whatever a request says, the books balance.

use farthing_ledger::{Applier, EntryReader, MemoryState, invariants};

use super::Part;
use crate::corpus;

pub(super) const PART: Part = Part {
    name: "apply",
    run,
    seeds,
    words: &["\u{1}\u{0}\u{1}\u{0}"],
};

/// Entries, each behind its length (u16), applied one after another.
fn run(bytes: &[u8]) {
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let mut rest = bytes;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
        let (entry, behind) = behind.split_at(length);
        rest = behind;
        let Ok(entry) = EntryReader::new(entry) else {
            continue;
        };
        // A leader whose clock is beyond all reason ends the clock for good; that is refused by nodes, not applied.
        if entry.proposed_time() > farthing_ledger::TIMESTAMP_MAX / 2 {
            continue;
        }
        let applied = applier.apply(&state, &entry);
        state.absorb(&applied.expect("no request can break the state").changes);
        invariants::check_all(&state).expect("books that balance");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let entries = corpus::entries();
    let framed: Vec<Vec<u8>> = entries
        .iter()
        .map(|entry| {
            let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
            [&length.to_le_bytes()[..], entry].concat()
        })
        .collect();
    vec![framed.concat(), framed[0].clone()]
}
