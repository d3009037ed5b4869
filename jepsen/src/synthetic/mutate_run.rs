//! Breaking what is seen of the run: times, digests, leaders, readiness, the harness's own rules.
// One signature for the table of mutations, whether or not one changes the length.
#![allow(clippy::ptr_arg)]

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::SmallRng;

use crate::history::{Event, Facts, Function, Kind, Process, Value};

/// Longer than any deadline of a synthetic history and its grace, ns.
const LONG_NS: u64 = 10_000_000_000;

/// An end of a worker's call somewhere in the middle.
fn some_end(events: &[Event], rng: &mut SmallRng) -> Option<usize> {
    let from = rng.random_range(events.len() / 4..events.len() / 2);
    (from..events.len()).find(|at| {
        let event = &events[*at];
        event.kind == Kind::Ok && matches!(event.process, Process::Worker(_))
    })
}

fn note(events: &mut Vec<Event>, function: Function, value: Value, facts: Facts) {
    let time = events.last().map_or(0, |event| event.time);
    let (kind, process) = (Kind::Info, Process::Harness);
    events.push(Event {
        index: 0,
        kind,
        process,
        function,
        value,
        time,
        facts,
    });
}

/// The whole system stands still: whoever waits at that moment waits too long.
pub(super) fn late_call(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let Some(end) = some_end(events, rng) else {
        return false;
    };
    events[end..]
        .iter_mut()
        .for_each(|event| event.time += LONG_NS);
    true
}

pub(super) fn never_returns(events: &mut Vec<Event>, rng: &mut SmallRng) -> bool {
    let Some(end) = some_end(events, rng) else {
        return false;
    };
    let process = events.remove(end).process;
    // The client goes on under another name, as after any unknown outcome.
    for event in events[end..]
        .iter_mut()
        .filter(|event| event.process == process)
    {
        event.process = Process::Worker(1 << 40);
    }
    events[end..]
        .iter_mut()
        .for_each(|event| event.time += LONG_NS);
    true
}

pub(super) fn digest_mismatch(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let digest = events
        .iter_mut()
        .rev()
        .find_map(|event| event.facts.digest.as_mut());
    digest.map(|digest| *digest ^= 1).is_some()
}

pub(super) fn two_leaders(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let facts = Facts {
        node: Some(3),
        term: Some(1),
        ..Facts::default()
    };
    note(events, Function::Leader, Value::None, facts);
    true
}

pub(super) fn not_ready(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let before = events.len();
    events.retain(|event| event.function != Function::Ready || event.facts.node != Some(2));
    events.len() != before
}

pub(super) fn panic(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let facts = Facts {
        node: Some(2),
        ..Facts::default()
    };
    note(
        events,
        Function::Panic,
        Value::Text("balance wraps".into()),
        facts,
    );
    true
}

pub(super) fn coverage_missed(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    for event in events {
        if let Value::Run(run) = &mut event.value {
            run.required = BTreeMap::from([("snapshot-installed".into(), 3)]);
            return true;
        }
    }
    false
}

pub(super) fn process_used_again(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    let gone = events
        .iter()
        .position(|event| event.kind == Kind::Info && matches!(event.process, Process::Worker(_)));
    let Some(gone) = gone else { return false };
    let process = events[gone].process;
    let again = (gone..events.len()).find(|at| {
        events[*at].kind == Kind::Invoke && matches!(events[*at].process, Process::Worker(_))
    });
    again.map(|at| events[at].process = process).is_some()
}

pub(super) fn trouble(events: &mut Vec<Event>, _: &mut SmallRng) -> bool {
    note(
        events,
        Function::Trouble,
        Value::Text("no room for the log".into()),
        Facts::default(),
    );
    true
}
