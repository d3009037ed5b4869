//! A pulse expires what is due: its share of it, oldest first, whatever else the entry does.

use farthing_ledger::entry::PULSE_EXPIRIES_MAX;
use farthing_ledger::{Account, Applied, EventBody, RequestBuilder, View, invariants};

use crate::support::step;
use crate::{SECOND, pulse, reserved, single, void};

fn expired(applied: &Applied) -> Vec<(u64, u128)> {
    let events = applied
        .changes
        .events
        .iter()
        .map(|event| match &event.body {
            EventBody::TransferExpired { transfer, .. } => (event.timestamp, transfer.id.0),
            other => panic!("{other:?}"),
        });
    events.collect()
}

fn assert_all_voided(applied: &Applied) {
    let voids = &applied.results[0].sections[0];
    assert!(voids.iter().all(|result| result.status == 0));
}

#[test]
fn a_pulse_expires_so_many_oldest_first_each_at_its_own_time() {
    let (mut state, mut applier) = reserved(1_500);
    let time = 5 * SECOND;
    let first = step(&mut state, &mut applier, &pulse(time));
    let count = PULSE_EXPIRIES_MAX as u64;
    let expected: Vec<_> = (0..count)
        .map(|index| (time + index, u128::from(index) + 1))
        .collect();
    assert_eq!(expired(&first), expected);
    assert_eq!(state.clock().timestamp, time + count - 1);
    let second = step(&mut state, &mut applier, &pulse(time));
    assert_eq!(expired(&second).len(), 1_500 - PULSE_EXPIRIES_MAX);
    assert_eq!(expired(&second)[0], (time + count, u128::from(count) + 1));
    assert_eq!(state.clock().pending_count, 0);
    invariants::check_all(&state).unwrap();
}

#[test]
fn what_an_entry_resolves_before_its_pulse_does_not_use_up_the_pulse() {
    // 1,100 fall due at the time of the pulse; the entry voids the first 600 in time, one nanosecond before.
    let (mut state, mut applier) = reserved(1_100);
    let due: Vec<_> = state
        .pendings()
        .iter()
        .map(|pending| pending.due_at().unwrap().0)
        .collect();
    let voids: Vec<_> = (1..=600).map(|id| void(id + 10_000, id)).collect();
    let request = RequestBuilder::new(b"").transfers(&voids).pulse();
    // The k-th void runs at time + k and the k-th transfer expires at due[0] + k.
    let time = due[0] - 1;
    let applied = step(&mut state, &mut applier, &single(time, request));
    assert_all_voided(&applied);
    // At time + 600 everything up to due[0] + 599 is due, all of it voided: nothing is left to expire.
    assert_eq!(expired(&applied), []);
    let applied = step(&mut state, &mut applier, &pulse(due[1_099]));
    assert_eq!(expired(&applied).len(), 500);
    invariants::check_all(&state).unwrap();
}

#[test]
fn a_full_entry_of_voids_leaves_the_pulse_its_share() {
    // The first 1,100 are voided just in time; then so much time passes within the entry that all 3,000 are due. The
    // first 1,024 in the queue are then no longer pending.
    let (mut state, mut applier) = reserved(3_000);
    let first = state.pendings()[0].due_at().unwrap().0;
    let voids: Vec<_> = (1..=1_100).map(|id| void(id + 10_000, id)).collect();
    let refused = vec![Account::default(); 4_000];
    let request = RequestBuilder::new(b"")
        .transfers(&voids)
        .accounts(&refused)
        .pulse();
    let applied = step(&mut state, &mut applier, &single(first - 1, request));
    assert_all_voided(&applied);
    let expired = expired(&applied);
    assert_eq!(expired.len(), PULSE_EXPIRIES_MAX);
    assert_eq!(expired[0], (first - 1 + 5_100, 1_101));
    invariants::check_all(&state).unwrap();
}
