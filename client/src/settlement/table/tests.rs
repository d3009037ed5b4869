use std::time::Duration;

use farthing_ledger::Transfer;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;

fn open(sequence: u64) -> Open {
    let transfer = Transfer {
        id: TransferId(1_000 + u128::from(sequence)),
        ..Transfer::default()
    };
    Open {
        pending: PendingTransfer {
            transfer,
            scale: 2,
            sequence,
            asked_before: 0,
        },
        decision: None,
        ask_at: Instant::now(),
        look_up: false,
        failures: 0,
        backoff: Backoff::between(Duration::from_millis(1), Duration::from_secs(1)),
    }
}

#[test]
fn the_mark_stays_before_the_first_that_is_open() {
    let mut table = Table::new(10, 4);
    assert_eq!(table.low_water(), 4);
    table.passed(9);
    assert_eq!(
        table.low_water(),
        9,
        "events of others are nothing to wait for"
    );
    for sequence in [12, 13, 20] {
        table.add(open(sequence));
    }
    table.passed(30);
    assert_eq!(table.low_water(), 11);
    // Out of order: the first holds it.
    assert!(table.done(13).is_some());
    assert_eq!(table.low_water(), 11);
    // Taken is not done, and neither is put off.
    let first = table.take().unwrap();
    assert_eq!((first.pending.sequence, table.low_water()), (12, 11));
    table.wait(first, Instant::now() + Duration::from_secs(3_600));
    assert_eq!((table.low_water(), table.waiting()), (11, 1));
    assert!(table.done(12).is_some());
    assert_eq!((table.low_water(), table.waiting()), (19, 0));
    assert!(table.done(12).is_none(), "once");
    assert!(table.done(20).is_some());
    assert_eq!(table.low_water(), 30);
    table.passed(7);
    assert_eq!(table.low_water(), 30, "it never goes back");
}

#[test]
fn the_stream_ends_what_no_task_has() {
    let mut table = Table::new(10, 0);
    for sequence in 1..=3 {
        table.add(open(sequence));
    }
    let first = table.take().unwrap();
    let second = table.take().unwrap();
    table.wait(second, Instant::now());
    assert!(table.ended(first.pending.transfer.id).is_none());
    assert!(table.ended(TransferId(7)).is_none(), "never heard of");
    for id in [1_002, 1_003] {
        assert!(table.ended(TransferId(id)).is_some());
        assert!(table.ended(TransferId(id)).is_none());
    }
    assert_eq!(
        (table.len(), table.waiting(), table.next_due()),
        (1, 0, None)
    );
    assert!(table.take().is_none());
    assert_eq!(table.low_water(), 0);
}

#[test]
fn those_that_waited_have_their_turn_in_the_order_of_the_stream() {
    let mut table = Table::new(10, 0);
    for sequence in 1..=3 {
        table.add(open(sequence));
    }
    let now = Instant::now();
    for seconds in [3, 2, 1] {
        let taken = table.take().unwrap();
        table.wait(taken, now + Duration::from_secs(seconds));
    }
    table.wake(now);
    assert!(table.take().is_none());
    assert_eq!(table.next_due(), Some(now + Duration::from_secs(1)));
    table.wake(now + Duration::from_secs(2));
    let woken = [table.take(), table.take(), table.take()];
    let woken = woken.map(|open| open.map(|open| open.pending.sequence));
    assert_eq!(woken, [Some(2), Some(3), None]);
}

/// Against the plainest thing that could be right, in any order of what can happen.
#[test]
fn the_mark_is_that_of_a_plain_recomputation() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let most = random.random_range(1..20);
        let mut table = Table::new(most, 0);
        let (mut read, mut still_open, mut taken) = (0, BTreeSet::new(), vec![]);
        let now = Instant::now();
        for _ in 0..300 {
            match random.random_range(0..6) {
                0 if table.has_room() => {
                    read += random.random_range(1..4);
                    table.add(open(read));
                    still_open.insert(read);
                }
                1 => {
                    read += random.random_range(1..4);
                    table.passed(read);
                }
                2 => taken.extend(table.take()),
                3 if !taken.is_empty() => {
                    let given_back = taken.swap_remove(random.random_range(0..taken.len()));
                    let until = now + Duration::from_secs(random.random_range(0..9));
                    table.wait(given_back, until);
                }
                4 if !taken.is_empty() => {
                    let done = taken.swap_remove(random.random_range(0..taken.len()));
                    assert!(table.done(done.pending.sequence).is_some());
                    still_open.remove(&done.pending.sequence);
                }
                5 => {
                    table.wake(now + Duration::from_secs(random.random_range(0..9)));
                    let all: Vec<u64> = still_open.iter().copied().collect();
                    if let Some(sequence) = all.choose(&mut random)
                        && table
                            .ended(TransferId(1_000 + u128::from(*sequence)))
                            .is_some()
                    {
                        still_open.remove(sequence);
                    }
                }
                _ => {}
            }
            let expected = still_open.first().map_or(read, |first| first - 1);
            assert_eq!(table.low_water(), expected, "seed {seed}");
            assert_eq!(table.len(), still_open.len());
            assert!(table.len() <= most && table.waiting() <= table.len());
        }
    }
}
