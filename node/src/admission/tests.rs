//! What becomes of the requests of one entry: who is answered what, and when their room is free again.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use farthing_ledger::{
    EntryReader, ItemResult, RequestBuilder, RequestResults, SectionKind, Transfer,
};
use tokio::sync::{mpsc, oneshot};

use super::batcher::{Answers, ENTRY_BYTES_MAX, ENTRY_BYTES_TARGET, build, gather, settle};
use super::room::{REQUEST_OVERHEAD_BYTES, Room};
use super::{Answer, Refusal, Waiting};
use crate::consensus::{self, Committed};
use crate::state::Outcome;

type Answered = oneshot::Receiver<Result<Answer, Refusal>>;

const LATER: Duration = Duration::from_secs(60);

fn waiting(room: &Room, request: Vec<u8>, until: Instant) -> (Waiting, Answered) {
    let (answer, answered) = oneshot::channel();
    let permit = room.permit(request.len()).unwrap();
    let waiting = Waiting {
        request,
        answer,
        deadline: until,
        permit,
    };
    (waiting, answered)
}

/// A request of `count` transfers of zeros: nothing here looks into them.
fn request(count: usize) -> Vec<u8> {
    let items = vec![0; count * Transfer::BYTES];
    let builder = RequestBuilder::new(&[]).section(SectionKind::Transfers, count, &items);
    builder.finish().unwrap()
}

/// What the requests of an entry are answered: the number of results says which one it was.
fn answered_by_count(entry: &Bytes) -> Committed {
    let reader = EntryReader::new(entry).unwrap();
    let results = reader.requests().map(|request| RequestResults {
        sections: vec![vec![ItemResult::default(); request.item_count()]],
    });
    Committed {
        term: 1,
        outcome: Arc::new(Outcome {
            log_index: 7,
            results: results.collect(),
        }),
    }
}

/// An entry of requests of 1, 2, ... `count` items; one in the middle may be out of time.
fn entry(room: &Room, count: usize, late: Option<usize>) -> (Bytes, Answers, Vec<Answered>) {
    let now = Instant::now();
    let until = |number| {
        if Some(number) == late {
            now
        } else {
            now + LATER
        }
    };
    let (gathered, answered): (Vec<_>, Vec<_>) = (1..=count)
        .map(|number| waiting(room, request(number), until(number)))
        .unzip();
    let (entry, answers) = build(gathered, 0, 5).unwrap();
    (entry, answers, answered)
}

#[test]
fn everybody_in_an_entry_gets_their_own_results() {
    let room = Room::new(1 << 20);
    let (entry, answers, answered) = entry(&room, 5, None);
    assert_eq!(EntryReader::new(&entry).unwrap().proposed_time(), 5);
    settle(Ok(answered_by_count(&entry)), answers);
    for (mut answered, count) in answered.into_iter().zip(1..) {
        let answer = answered.try_recv().unwrap().unwrap();
        assert_eq!(
            (answer.results.sections[0].len(), answer.log_index),
            (count, 7)
        );
    }
    assert_eq!(room.bytes_in_use(), 0);
}

/// Its caller was told that the outcome is unknown, so leaving it out is allowed, and its room is needed.
#[test]
fn whoever_is_out_of_time_is_left_out_and_shifts_nobodys_answer() {
    let room = Room::new(1 << 20);
    let (entry, answers, answered) = entry(&room, 5, Some(3));
    assert_eq!(EntryReader::new(&entry).unwrap().requests().count(), 4);
    settle(Ok(answered_by_count(&entry)), answers);
    for (mut answered, count) in answered.into_iter().zip(1..) {
        match answered.try_recv().unwrap() {
            Ok(answer) => assert_eq!(answer.results.sections[0].len(), count),
            Err(refusal) => assert!(count == 3 && matches!(refusal, Refusal::Deadline)),
        }
    }
    assert_eq!(room.bytes_in_use(), 0);
    let (late, _answered) = waiting(&room, request(1), Instant::now());
    assert!(build(vec![late], 0, 5).is_none(), "an entry of nothing");
    assert_eq!(room.bytes_in_use(), 0);
}

/// "It did not happen" is only said when that is certain.
#[test]
fn an_outcome_that_nobody_knows_is_not_called_a_refusal() {
    let failures = [
        (consensus::Error::NoQuorum(String::new()), false),
        (consensus::Error::Stopped(String::new()), false),
        (consensus::Error::NotLeader { leader: None }, true),
        (consensus::Error::Discarded, true),
    ];
    for (error, certain) in failures {
        let room = Room::new(1 << 20);
        let (_, answers, answered) = entry(&room, 2, None);
        settle(Err(error.clone()), answers);
        for mut answered in answered {
            let refusal = answered.try_recv().unwrap().unwrap_err();
            let expected = match refusal {
                Refusal::NotLeader { leader: None } => certain,
                Refusal::Unknown(_) => !certain,
                _ => false,
            };
            assert!(expected, "{error:?} became {refusal:?}");
        }
        assert_eq!(room.bytes_in_use(), 0);
    }
}

#[test]
fn room_is_held_until_the_answer_and_then_given_back_once() {
    let length = request(1).len();
    let room = Room::new(2 * (length + REQUEST_OVERHEAD_BYTES));
    let refused = |bytes| room.permit(bytes).err();
    for round in 0..3 {
        let (first, answered) = waiting(&room, request(1), Instant::now() + LATER);
        let (second, _kept) = waiting(&room, request(1), Instant::now() + LATER);
        assert!(
            matches!(refused(0), Some(Refusal::Overloaded { .. })),
            "{round}"
        );
        let (entry, answers) = build(vec![first, second], 0, 5).unwrap();
        assert!(
            matches!(refused(0), Some(Refusal::Overloaded { .. })),
            "{round}"
        );
        // A caller that has gone away leaves nothing behind.
        drop(answered);
        settle(Ok(answered_by_count(&entry)), answers);
        assert_eq!(room.bytes_in_use(), 0, "{round}");
    }
    let most = 2 * length + REQUEST_OVERHEAD_BYTES;
    assert!(refused(most).is_none());
    assert!(matches!(refused(most + 1), Some(Refusal::TooLarge(_))));
}

#[test]
fn an_entry_is_closed_at_its_target_and_never_over_its_maximum() {
    let room = Room::new(64 << 20);
    let lengths_gathered = |lengths: &[usize]| {
        let (queue, mut waits) = mpsc::channel(16);
        for length in lengths {
            let (waiting, _) = waiting(&room, vec![0; *length], Instant::now() + LATER);
            queue.try_send(waiting).ok().unwrap();
        }
        let (mut gathered, mut bytes, mut carried) = (Vec::new(), 0, None);
        gather(&mut waits, &mut gathered, &mut bytes, &mut carried);
        let lengths: Vec<usize> = gathered.iter().map(|each| each.request.len()).collect();
        assert_eq!(bytes, lengths.iter().sum::<usize>());
        (lengths, carried.map(|each: Waiting| each.request.len()))
    };
    let (target, max) = (ENTRY_BYTES_TARGET, ENTRY_BYTES_MAX);
    assert_eq!(lengths_gathered(&[1, 2, 3]), (vec![1, 2, 3], None));
    assert_eq!(lengths_gathered(&[target, 1]), (vec![target], None));
    assert_eq!(
        lengths_gathered(&[target - 1, 1, 1]),
        (vec![target - 1, 1], None)
    );
    assert_eq!(lengths_gathered(&[1, max - 1, 1]), (vec![1, max - 1], None));
    // What does not fit opens the next entry instead of being lost.
    assert_eq!(lengths_gathered(&[1, max]), (vec![1], Some(max)));
}
