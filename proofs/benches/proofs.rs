//! What checking a proof costs, for 1,000 random inclusion and 1,000 random consistency proofs in a history of a million
//! events: the path alone, and a whole file as `farthing verify --proof` takes it, read and its signatures checked. Prints
//! microseconds; each figure of a proof is the best of five, so that a busy machine disturbs them little.
//!
//! `cargo bench -p farthing-proofs --profile release` (or `-- EVENTS`).
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use farthing_ledger::{AccountId, Balances, Transfer, TransferId, TransferRow};
use farthing_proofs::{Change, Checkpoint, Note, Proof, Subtrees as _, consistency, inclusion};
use shared::{Numbers, ORIGIN, Tree, signer};

#[path = "../tests/shared/mod.rs"]
mod shared;

const PROOFS: usize = 1_000;
const TIMES: usize = 5;

fn event(sequence: u64) -> Change {
    let transfer = Transfer {
        id: TransferId(u128::from(sequence) << 64 | 0x5eed),
        debit_account_id: AccountId(u128::from(sequence % 10_007)),
        credit_account_id: AccountId(u128::from(sequence % 9_973)),
        amount: u128::from(sequence % 25_000),
        ledger: 840,
        code: 1,
        timestamp: 1_795_425_930_693_453_563 + sequence,
        ..Transfer::default()
    };
    Change::Transfer(TransferRow {
        sequence,
        transfer,
        debit_after: Balances::default(),
        credit_after: Balances::default(),
    })
}

fn note(tree: &Tree, size: u64) -> Note {
    signer("node-1").sign(&Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root: tree.range(0, size).unwrap(),
        time_ns: 1_795_425_930_693_453_563,
    })
}

/// The shortest of a few times.
fn best(mut check: impl FnMut()) -> Duration {
    let times = (0..TIMES).map(|_| {
        let begun = Instant::now();
        check();
        begun.elapsed()
    });
    times.min().unwrap()
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let most = times[times.len() - 1];
    println!(
        "{what:<28} median {:6.1} us, p99 {:6.1} us, at most {:6.1} us",
        us(median),
        us(p99),
        us(most)
    );
}

fn main() {
    let given = std::env::args().find_map(|argument| argument.parse().ok());
    let events: u64 = given.unwrap_or(1_000_000);
    let tree = Tree::new((1..=events).map(|at| event(at).leaf()).collect());
    let keys = [signer("node-1").verifier()];
    let mut numbers = Numbers(5);
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..PROOFS {
        // A tree of at least two events, one of them, and an earlier tree that is not the same.
        let size = 2 + numbers.below(events as usize - 1) as u64;
        let index = numbers.below(size as usize) as u64;
        let earlier = 1 + numbers.below(size as usize - 1) as u64;
        let (before, after) = (note(&tree, earlier), note(&tree, size));
        let (root, earlier_root) = (after.checkpoint.root, before.checkpoint.root);

        let event = event(index + 1);
        let (leaf, path) = (
            event.leaf(),
            inclusion::prove(&tree, index, size).unwrap().unwrap(),
        );
        times[0].push(best(|| {
            inclusion::verify(black_box(&leaf), index, size, &path, &root).unwrap();
        }));
        let file = Proof::Inclusion {
            event,
            size,
            path,
            checkpoint: after.clone(),
        };
        let file = file.to_bytes();
        times[1].push(best(|| {
            let proof = Proof::from_bytes(black_box(&file)).unwrap();
            proof.verify(&keys).unwrap();
        }));

        let path = consistency::prove(&tree, earlier, size).unwrap().unwrap();
        times[2].push(best(|| {
            consistency::verify(earlier, black_box(&earlier_root), size, &root, &path).unwrap();
        }));
        let file = Proof::Consistency {
            earlier: before,
            path,
            checkpoint: after,
        };
        let file = file.to_bytes();
        times[3].push(best(|| {
            let proof = Proof::from_bytes(black_box(&file)).unwrap();
            proof.verify(&keys).unwrap();
        }));
    }
    let [inclusion, inclusion_file, consistency, consistency_file] = times;
    println!("{PROOFS} of each, {events} events");
    print("inclusion, the path", inclusion);
    print("inclusion, the file", inclusion_file);
    print("consistency, the path", consistency);
    print("consistency, the file", consistency_file);
}
