//! The log's named points, when they are compiled in (`--features failpoints`): an operation that fails at any of them
//! is never acknowledged, and the log opens again with everything that was.
//!
//! The points are global, so this is a test program of its own.
#![allow(clippy::unwrap_used)] // a failure is a panic here

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use farthing_node::disk::MemoryDisk;
use farthing_node::log::{Config, Entry, EntryKind, Log, LogId};

const POINTS: [&str; 8] = [
    "log.append.before_write",
    "log.append.after_write",
    "log.append.before_sync",
    "log.append.after_sync",
    "log.roll.before_sync",
    "log.roll.before_start",
    "log.roll.before_rename",
    "log.roll.after_start",
];

fn open(disk: &MemoryDisk) -> Log {
    let config = Config {
        segment_bytes: 16 << 10,
        tail_bytes_max: 4 << 10,
        ..Config::new("log", 1, 1)
    };
    Log::open(Arc::new(disk.clone()), config).unwrap()
}

fn entry(index: u64) -> Entry {
    let log_id = LogId {
        term: 1,
        node: 1,
        index,
    };
    Entry {
        log_id,
        kind: EntryKind::Normal,
        payload: Bytes::from(vec![index as u8; 1000]),
    }
}

fn append(log: &Log, index: u64) -> io::Result<()> {
    let (sender, receiver) = sync_channel(1);
    log.append(vec![entry(index)], move |result| drop(sender.send(result)));
    receiver.recv().unwrap()
}

#[test]
fn a_failure_at_any_point_stops_the_log_and_loses_nothing_acknowledged() {
    if !fail::has_failpoints() {
        return;
    }
    for point in POINTS {
        let disk = MemoryDisk::new();
        let log = open(&disk);
        append(&log, 1).unwrap();
        fail::cfg(point, "1*off->1*return").unwrap();
        let mut last = 1;
        let failed = loop {
            match append(&log, last + 1) {
                Ok(()) => last += 1,
                Err(error) => break error,
            }
        };
        fail::remove(point);
        assert!(failed.to_string().contains("stopped"), "{point}: {failed}");
        log.close();
        let log = open(&disk);
        let found = log.state().last.unwrap().index;
        assert!(
            found == last || found == last + 1,
            "{point}: {last} acknowledged, {found} found"
        );
        let entries: Vec<Entry> = (1..=found).map(entry).collect();
        assert_eq!(
            log.read(1..found + 1, u64::MAX).unwrap(),
            entries,
            "{point}"
        );
    }
}
