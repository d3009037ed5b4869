//! What an entry does depends on nothing but the state and its requests: not on how requests were merged, not on the
//! tables, not on which ids meet.

use farthing_ledger::{Account, AccountId, Applier, EntryReader, MemoryState, View, apply};

use crate::entry;
use crate::naive::Item;
use crate::naive::generator::{Generator, encode};
use crate::support::step;

/// Both states hold the same, in the same order.
fn assert_equal(left: &MemoryState, right: &MemoryState, context: &str) {
    assert_eq!(left.clock(), right.clock(), "{context}");
    let first = |same: Option<usize>, what: &str| {
        assert_eq!(same, None, "{context}: the {what} at this place differ")
    };
    first(difference(left.accounts(), right.accounts()), "accounts");
    first(difference(left.transfers(), right.transfers()), "transfers");
    first(difference(left.refused(), right.refused()), "refused ids");
    first(
        difference(left.pendings(), right.pendings()),
        "pending transfers",
    );
    first(difference(left.events(), right.events()), "events");
    assert!(
        left.records().eq(right.records()),
        "{context}: records differ"
    );
    assert!(
        left.ledgers().eq(right.ledgers()),
        "{context}: ledgers differ"
    );
}

/// The first place at which two lists differ.
fn difference<T: PartialEq>(left: &[T], right: &[T]) -> Option<usize> {
    let common = left
        .iter()
        .zip(right)
        .position(|(left, right)| left != right);
    common.or((left.len() != right.len()).then_some(left.len().min(right.len())))
}

#[test]
fn requests_that_share_an_entry_get_the_results_they_would_have_had_alone() {
    for seed in 0..40 {
        let mut generator = Generator::new(seed);
        let (mut merged, mut alone) = (MemoryState::new(), MemoryState::new());
        let (mut one, mut other) = (Applier::new(), Applier::new());
        for round in 0..60 {
            let count = 1 + generator.random.below(6);
            let pulse_at = generator
                .random
                .one_in(4)
                .then(|| generator.random.below(count));
            let mut requests = Vec::new();
            for index in 0..count {
                requests.push(encode(&match (round, index) {
                    (0, 0) => generator.accounts(),
                    _ if pulse_at == Some(index) => generator.pulse(),
                    _ => generator.request(),
                }));
            }
            let together = step(&mut merged, &mut one, &entry(generator.time, &requests));
            assert_eq!(together.results.len(), requests.len());
            for (request, results) in requests.iter().zip(&together.results) {
                let separate = step(
                    &mut alone,
                    &mut other,
                    &entry(generator.time, std::slice::from_ref(request)),
                );
                assert_eq!(&separate.results[0], results, "seed {seed}, round {round}");
            }
            generator.learn(&together.changes);
        }
        assert_equal(&merged, &alone, &format!("seed {seed}"));
    }
}

#[test]
fn results_do_not_depend_on_the_tables_or_on_what_they_held_before() {
    let mut generator = Generator::new(5);
    let mut state = MemoryState::new();
    let mut used = Applier::new();
    for round in 0..200 {
        let request = generator.any(round);
        let bytes = entry(generator.time, &[encode(&request)]);
        let fresh = apply(&state, &EntryReader::new(&bytes).unwrap()).unwrap();
        assert_eq!(step(&mut state, &mut used, &bytes), fresh);
        generator.learn(&fresh.changes);
    }
}

#[test]
fn changes_say_what_was_before_and_leave_out_what_stayed() {
    let mut generator = Generator::new(6);
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    for round in 0..300 {
        let request = generator.any(round);
        let before = state.clone();
        let applied = step(
            &mut state,
            &mut applier,
            &entry(generator.time, &[encode(&request)]),
        );
        let changes = applied.changes;
        for change in &changes.accounts {
            assert_eq!(change.before, before.account(change.after.id));
            assert_ne!(change.before, Some(change.after));
        }
        for change in &changes.pendings {
            assert_eq!(change.before, before.pending(change.after.transfer.id));
            assert_ne!(change.before, Some(change.after));
        }
        for change in &changes.ledgers {
            assert_eq!(change.before, before.ledger(change.after.ledger));
        }
        for change in &changes.records {
            assert_eq!(change.before, before.record(&change.key));
            assert_ne!(change.before.as_ref(), Some(&change.after));
        }
        for change in &changes.namespaces {
            assert_eq!(change.before, before.namespace(change.namespace));
        }
        generator.learn(&changes);
    }
}

#[test]
fn a_colliding_pair_of_ids_is_still_two_ids() {
    // Ids that differ in one bit each, and ids that share their low or high half.
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let ids: Vec<_> = (0..127)
        .map(|bit| 1_u128 << bit)
        .chain((1..100).map(|half| half << 64 | 1 << 63))
        .collect();
    let items = ids.iter().map(|id| {
        Item::Account(Account {
            id: AccountId(*id),
            ledger: 1,
            code: 1,
            ..Account::default()
        })
    });
    let request = encode(&[items.collect()]);
    let applied = step(&mut state, &mut applier, &entry(1, &[request]));
    assert!(
        applied.results[0].sections[0]
            .iter()
            .all(|result| result.status == 0)
    );
    assert_eq!(state.accounts().len(), ids.len());
}
