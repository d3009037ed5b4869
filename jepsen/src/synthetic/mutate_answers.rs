//! Breaking what calls were answered.
// One signature for the table of mutations, whether or not one changes the length.
#![allow(clippy::ptr_arg)]

use std::collections::HashMap;

use farthing_client::{Account, CreateTransferStatus as Status, TransferFlags};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::history::{Consistency, Event, Function, Kind, Lookup, Outcome, Process, Value};

/// For each answered call of a kind: its invocation and its end.
fn calls(events: &[Event], function: &Function) -> Vec<(usize, usize)> {
    let mut open = HashMap::new();
    let mut calls = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if !matches!(event.process, Process::Worker(_)) {
            continue;
        }
        if event.kind == Kind::Invoke {
            open.insert(event.process, at);
        } else if let Some(invoked) = open.remove(&event.process)
            && event.kind == Kind::Ok
            && event.function == *function
        {
            calls.push((invoked, at));
        }
    }
    calls
}

fn outcomes(event: &mut Event) -> &mut [Outcome] {
    match &mut event.value {
        Value::Outcomes(outcomes) => outcomes,
        _ => &mut [],
    }
}

fn statuses(event: &Event) -> Vec<u32> {
    match &event.value {
        Value::Outcomes(outcomes) => outcomes.iter().map(|outcome| outcome.status()).collect(),
        _ => Vec::new(),
    }
}

/// Changes the first item of a status in a random answer.
fn restate(events: &mut [Event], rng: &mut SmallRng, from: Status, to: Status) -> bool {
    let calls = calls(events, &Function::Transfers);
    let has = |end: &usize| statuses(&events[*end]).contains(&from.code());
    let ends: Vec<usize> = calls.into_iter().map(|(_, end)| end).filter(has).collect();
    let Some(end) = ends.choose(rng) else {
        return false;
    };
    let outcomes = outcomes(&mut events[*end]);
    if let Some(outcome) = outcomes
        .iter_mut()
        .find(|outcome| outcome.status() == from.code())
    {
        outcome.0 = to.code();
    }
    true
}

pub(super) fn wrong_status(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    restate(events, rng, Status::Created, Status::ExceedsCredits)
}

pub(super) fn refused_yet_created(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    restate(events, rng, Status::ExceedsCredits, Status::Created)
}

pub(super) fn broken_chain(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    restate(events, rng, Status::LinkedEventFailed, Status::Created)
}

/// A call that was answered `exists` for one item is answered `created` with a tick of its own.
pub(super) fn created_twice(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let only_exists = |end: &usize| statuses(&events[*end]) == [Status::Exists.code()];
    let calls = calls(events, &Function::Transfers);
    let ends: Vec<usize> = calls
        .into_iter()
        .map(|(_, end)| end)
        .filter(only_exists)
        .collect();
    let Some(end) = ends.choose(rng) else {
        return false;
    };
    for outcome in outcomes(&mut events[*end]) {
        *outcome = Outcome(0, outcome.timestamp() + 1);
    }
    true
}

pub(super) fn exists_since_another_time(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let exists = |end: &usize| statuses(&events[*end]).contains(&Status::Exists.code());
    let calls = calls(events, &Function::Transfers);
    let ends: Vec<usize> = calls
        .into_iter()
        .map(|(_, end)| end)
        .filter(exists)
        .collect();
    let Some(end) = ends.choose(rng) else {
        return false;
    };
    for outcome in outcomes(&mut events[*end]) {
        if outcome.status() == Status::Exists.code() {
            outcome.1 -= 1;
        }
    }
    true
}

/// A read of a deposed leader: everything as it was some entries ago, exact at that index.
pub(super) fn stale_read(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let reads = calls(events, &Function::ReadAccounts);
    let linearizable = |at: usize| matches!(&events[at].value, Value::ReadIds(read) if read.consistency == Consistency::Linearizable);
    let mut pairs = Vec::new();
    for (number, (invoked, end)) in reads
        .iter()
        .enumerate()
        .filter(|(_, (at, _))| linearizable(*at))
    {
        // An answer of some while ago replaces this one. That is wrong for certain when a read that ended before this
        // one was sent had already seen something newer.
        if let Some((old_invoked, old_end)) = number.checked_sub(30).map(|number| reads[number])
            && reads[number - 29..number].iter().any(|newer| {
                events[newer.1].time < events[*invoked].time
                    && is_newer(events, *newer, (old_invoked, old_end))
            })
        {
            pairs.push((old_invoked, old_end, *invoked, *end));
        }
    }
    let Some((old_invoked, old_end, invoked, end)) = pairs.choose(rng).copied() else {
        return false;
    };
    let (asked, answer) = (
        events[old_invoked].value.clone(),
        events[old_end].value.clone(),
    );
    let Value::ReadIds(mut asked) = asked else {
        return false;
    };
    asked.consistency = Consistency::Linearizable;
    events[invoked].value = Value::ReadIds(asked);
    events[end].value = answer;
    true
}

/// Whether a read of accounts saw a later state than another, and a row of it that had changed meanwhile.
fn is_newer(events: &[Event], read: (usize, usize), older: (usize, usize)) -> bool {
    let (Some(read), Some(older)) = (rows_read(events, read), rows_read(events, older)) else {
        return false;
    };
    let differs =
        |(id, row): (&u128, &Option<Account>)| older.1.get(id).is_some_and(|old| old != row);
    read.0 > older.0 && read.1.iter().any(differs)
}

/// What a read of accounts saw: the index at which it is exact, and the row of each id.
fn rows_read(
    events: &[Event],
    (invoked, end): (usize, usize),
) -> Option<(u64, HashMap<u128, Option<Account>>)> {
    match (&events[invoked].value, &events[end].value) {
        (Value::ReadIds(asked), Value::AccountsRead(reply)) => {
            let rows = asked.ids.iter().copied().zip(reply.rows.iter().copied());
            Some((reply.applied_index, rows.collect()))
        }
        _ => None,
    }
}

pub(super) fn wrong_read(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let reads = calls(events, &Function::ReadAccounts);
    let Some((_, end)) = reads[reads.len() / 2..].choose(rng) else {
        return false;
    };
    let Value::AccountsRead(reply) = &mut events[*end].value else {
        return false;
    };
    let row = reply.rows.iter_mut().flatten().next();
    row.map(|row| row.credits_posted += 1).is_some()
}

pub(super) fn read_misses_a_write(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let reads = calls(events, &Function::ReadTransfers);
    let found = |at: usize| match &events[at].value {
        Value::TransfersRead(reply) => reply.rows.iter().any(|row| matches!(row, Lookup::Found(_))),
        _ => false,
    };
    let ends: Vec<usize> = reads
        .into_iter()
        .map(|(_, end)| end)
        .filter(|end| found(*end))
        .collect();
    let Some(end) = ends.choose(rng) else {
        return false;
    };
    let Value::TransfersRead(reply) = &mut events[*end].value else {
        return false;
    };
    let row = reply
        .rows
        .iter_mut()
        .find(|row| matches!(row, Lookup::Found(_)));
    row.map(|row| *row = Lookup::Absent).is_some()
}

pub(super) fn min_log_index_ignored(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    for (invoked, end) in calls(events, &Function::ReadAccounts) {
        let Value::AccountsRead(reply) = &events[end].value else {
            continue;
        };
        let applied = reply.applied_index;
        if let Value::ReadIds(read) = &mut events[invoked].value
            && matches!(read.consistency, Consistency::MinLogIndex(_))
        {
            read.consistency = Consistency::MinLogIndex(applied + 1);
            return true;
        }
    }
    false
}

/// Two single transfers, the second sent after the first was answered, change places in the log.
pub(super) fn against_real_time(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let single = |(invoked, end): &(usize, usize)| {
        let plain = matches!(&events[*invoked].value, Value::Transfers(items)
            if items.len() == 1 && items[0].flags == TransferFlags::default());
        plain && statuses(&events[*end]) == [0]
    };
    let calls: Vec<_> = calls(events, &Function::Transfers)
        .into_iter()
        .filter(single)
        .collect();
    let pairs: Vec<_> = calls
        .windows(40)
        .map(|window| (window[0], window[39]))
        .filter(|((_, first_end), (second, _))| first_end < second)
        .collect();
    let Some(((_, one), (_, other))) = pairs.choose(rng).copied() else {
        return false;
    };
    let [first, second] = [statement(events, one), statement(events, other)];
    for (end, (timestamp, log_index)) in [(one, second), (other, first)] {
        events[end].facts.log_index = log_index;
        outcomes(&mut events[end])[0].1 = timestamp;
    }
    true
}

fn statement(events: &mut [Event], end: usize) -> (u64, Option<u64>) {
    let log_index = events[end].facts.log_index;
    (outcomes(&mut events[end])[0].timestamp(), log_index)
}

pub(super) fn log_index_backwards(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let calls = calls(events, &Function::Transfers);
    let created = |end: &usize| statuses(&events[*end]).contains(&0);
    let ends: Vec<usize> = calls
        .into_iter()
        .map(|(_, end)| end)
        .filter(created)
        .collect();
    let Some(end) = ends[ends.len() / 2..].choose(rng) else {
        return false;
    };
    events[*end].facts.log_index = Some(2);
    true
}

pub(super) fn shared_tick(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let calls = calls(events, &Function::Transfers);
    let refused = |end: &usize| statuses(&events[*end]) == [Status::CodeMustNotBeZero.code()];
    let created = |end: &usize| statuses(&events[*end]) == [0];
    let ends: Vec<usize> = calls.iter().map(|(_, end)| *end).collect();
    let refused: Vec<usize> = ends.iter().copied().filter(refused).collect();
    let created: Vec<usize> = ends.iter().copied().filter(created).collect();
    let (Some(refused), Some(created)) = (refused.choose(rng), created.choose(rng)) else {
        return false;
    };
    let (timestamp, log_index) = statement(events, *created);
    events[*refused].facts.log_index = log_index;
    outcomes(&mut events[*refused])[0].1 = timestamp;
    true
}
