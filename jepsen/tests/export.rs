//! Exports for other people's checkers say what the history says.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use farthing_jepsen::export::{View, export};
use farthing_jepsen::history::{Consistency, Event, Function, Kind, Process, Value};
use farthing_jepsen::synthetic::{Config, Synthetic};

/// A history of nothing but single transfers and reads.
fn history() -> Vec<Event> {
    let config = Config {
        operations: 4000,
        accounts: 40,
        batches_per_mille: 0,
        reads_per_mille: 300,
        plain: true,
        ..Config::default()
    };
    Synthetic::new(config).collect()
}

fn exported(events: &[Event], view: View) -> String {
    let mut out = Vec::new();
    export(events.iter().cloned().map(Ok), view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A checker of lists in the size of a test: every read is a prefix of the longest list of its account, it has every
/// append that ended before it began, and none that began after it ended. The number of reads it refuses.
fn refused_reads(lines: &str) -> usize {
    let mut keys: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        keys.entry(line["key"].as_str().unwrap().into())
            .or_default()
            .push(line);
    }
    let number = |line: &serde_json::Value, name: &str| line[name].as_u64().unwrap();
    let mut refused = 0;
    for lines in keys.values() {
        let (appends, reads): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line["op"] == "append");
        for read in reads {
            let length = number(read, "length") as usize;
            let before = appends
                .iter()
                .filter(|append| number(append, "return") < number(read, "call"));
            let possible = appends
                .iter()
                .filter(|append| number(append, "call") < number(read, "return"));
            if before.count() > length || possible.count() < length {
                refused += 1;
            }
        }
    }
    refused
}

#[test]
fn porcupine_accepts_what_is_right_and_refuses_a_stale_read() {
    let mut events = history();
    let right = exported(&events, View::PorcupineAppend);
    assert!(
        right
            .lines()
            .filter(|line| line.contains("\"read\""))
            .count()
            > 1000,
        "too few reads"
    );
    assert_eq!(refused_reads(&right), 0);

    // The last read of some account sees it as it was created.
    let stale = events
        .iter_mut()
        .rev()
        .find_map(|event| match &mut event.value {
            Value::AccountsRead(reply) => {
                let mut rows = reply.rows.iter_mut().flatten();
                rows.find(|row| row.credits_posted + row.debits_posted != 0)
            }
            _ => None,
        });
    let stale = stale.unwrap();
    (stale.credits_posted, stale.debits_posted) = (0, 0);
    let wrong = exported(&events, View::PorcupineAppend);
    assert_eq!(refused_reads(&wrong), 1);
}

/// Lines of Porcupine's view that have a word in them.
fn lines_with(events: &[Event], word: &str) -> usize {
    let lines = exported(events, View::PorcupineAppend);
    lines.lines().filter(|line| line.contains(word)).count()
}

#[test]
fn reads_that_may_be_stale_are_left_out() {
    let mut events = history();
    let before = lines_with(&events, "\"read\"");
    for event in &mut events {
        if let Value::ReadIds(read) = &mut event.value {
            read.consistency = Consistency::Stale;
        }
    }
    assert!(before > 1000);
    assert_eq!(lines_with(&events, "\"read\""), 0);
}

#[test]
fn a_transfer_asked_for_twice_without_an_answer_was_appended_once() {
    let mut events = history();
    let before = lines_with(&events, "\"append\"");
    // Its request gets no answer, and somebody asks again, also without one.
    let answered = events.iter().position(|event| {
        event.kind == Kind::Ok
            && matches!(&event.value, Value::Outcomes(outcomes) if outcomes.len() == 1 && outcomes[0].status() == 0)
    });
    let answered = answered.unwrap();
    let process = events[answered].process;
    let asked = events[..answered]
        .iter()
        .rposition(|event| event.process == process && event.kind == Kind::Invoke);
    let mut again = events[asked.unwrap()].clone();
    again.process = Process::Worker(1_000_000);
    events.remove(answered);
    events.insert(answered, again);
    assert_eq!(lines_with(&events, "\"append\""), before);
}

#[test]
fn elle_gets_both_ends_of_every_call() {
    let events = history();
    let edn = exported(&events, View::EdnAppend);
    let count = |what: &str| edn.lines().filter(|line| line.contains(what)).count();
    let ends = count(":type :ok") + count(":type :fail") + count(":type :info");
    assert_eq!(count(":type :invoke"), ends);
    assert!(count("[:append ") > 1000 && count("[:r ") > 500);
    // A transfer stands in the lists of both its accounts.
    let transfer = edn.lines().find(|line| line.contains(":append")).unwrap();
    assert_eq!(transfer.matches(":append").count(), 2, "{transfer}");
}

#[test]
fn edn_of_every_event_is_balanced() {
    let events = history();
    let edn = exported(&events, View::EdnFull);
    assert_eq!(edn.lines().count(), events.len());
    for line in edn.lines() {
        assert!(line.starts_with("{:"), "{line}");
        assert_eq!(
            line.matches('{').count(),
            line.matches('}').count(),
            "{line}"
        );
        assert_eq!(
            line.matches('[').count(),
            line.matches(']').count(),
            "{line}"
        );
    }
    assert!(edn.contains(":f :pause") && edn.contains(":process :nemesis"));
}

#[test]
fn the_bank_has_transfers_and_balances() {
    let events = history();
    let edn = exported(&events, View::EdnBank);
    let calls = events.iter().filter(|event| {
        let ours = matches!(event.function, Function::Transfers | Function::ReadAccounts);
        ours && matches!(event.process, Process::Worker(_))
    });
    assert_eq!(edn.lines().count(), calls.count());
    assert!(edn.contains(":f :transfer") && edn.contains(":f :read"));
}
