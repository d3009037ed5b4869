//! Histories are read back as they were written, and what is no history is refused.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Cursor;

use farthing_jepsen::history::{
    Event, Facts, Function, HistoryError, Kind, Outcome, Process, Reader, Recorder, Value, read_all,
};
use farthing_jepsen::synthetic::{Config, Synthetic};

fn text(events: &[Event]) -> String {
    let lines = events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap() + "\n");
    lines.collect()
}

#[test]
fn every_event_comes_back_as_it_was_written() {
    let config = Config {
        operations: 20_000,
        ..Config::default()
    };
    let events: Vec<Event> = Synthetic::new(config).collect();
    // Longer than one block, so that blocks and their order are tested too.
    let text = text(&events);
    assert!(text.len() > 3 << 20);
    let read: Vec<Event> = Reader::new(Cursor::new(text))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(read.len(), events.len());
    for (read, written) in read.iter().zip(&events) {
        assert_eq!(read, written);
    }
}

#[test]
fn a_line_cut_by_a_crash_is_left_out() {
    let config = Config {
        operations: 100,
        ..Config::default()
    };
    let events: Vec<Event> = Synthetic::new(config).collect();
    let mut text = text(&events[..50]);
    text.push_str("{\"index\":50,\"type\":\"inv");
    let read: Vec<Event> = Reader::new(Cursor::new(text))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(read, events[..50]);
}

#[test]
fn what_is_no_history_is_refused_with_its_line() {
    let good = r#"{"index":0,"type":"info","process":"harness","f":"heal","value":null,"time":0}"#;
    let cases = [
        ("{\"index\":1}", "a field is missing"),
        (
            r#"{"index":1,"type":"ok","process":"x","f":"heal","value":null,"time":0}"#,
            "process",
        ),
        (
            r#"{"index":1,"type":"ok","process":1,"f":"dance","value":null,"time":0}"#,
            "f",
        ),
        (
            r#"{"index":1,"type":"ok","process":1,"f":"heal","value":null,"time":0,"x":1}"#,
            "field",
        ),
        (
            r#"{"index":1,"type":"ok","process":1,"f":"transfers","value":[[0]],"time":0}"#,
            "value",
        ),
    ];
    for (bad, what) in cases {
        let read: Result<Vec<Event>, HistoryError> =
            Reader::new(Cursor::new(format!("{good}\n{bad}\n"))).collect();
        assert!(
            matches!(read, Err(HistoryError::Line { line: 2, .. })),
            "{what}: {read:?}"
        );
    }
    let gap = format!("{good}\n{}\n", good.replace("\"index\":0", "\"index\":2"));
    let read: Result<Vec<Event>, HistoryError> = Reader::new(Cursor::new(gap)).collect();
    assert!(
        matches!(read, Err(HistoryError::Index { line: 2, index: 2 })),
        "{read:?}"
    );
}

#[test]
fn an_invocation_is_on_file_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let recorder = Recorder::create(&path).unwrap();
    let value = || Value::Transfers(vec![farthing_client::Transfer::default()]);
    let first = recorder.invoke(0, Function::Transfers, value(), 100);
    // The harness may die here: the file has it already.
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    first.ok(
        Value::Outcomes(vec![Outcome(5, 9)]),
        Facts {
            log_index: Some(3),
            ..Facts::default()
        },
    );
    drop(recorder.invoke(1, Function::Transfers, value(), 100));
    recorder.note(
        Kind::Info,
        Process::Harness,
        Function::Heal,
        Value::None,
        Facts::default(),
    );
    recorder.finish().unwrap();
    let events = read_all(&path).unwrap();
    let kinds: Vec<Kind> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Invoke, Kind::Ok, Kind::Invoke, Kind::Info, Kind::Info]
    );
    assert_eq!(
        events[3].process,
        Process::Worker(1),
        "an abandoned call is unknown"
    );
    assert!(events.windows(2).all(|pair| pair[0].time <= pair[1].time));
}
