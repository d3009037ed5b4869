//! What is told of a directory, and that nothing in it changes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use super::*;
use crate::disk::RealDisk;
use crate::log::{Config, Entry, EntryKind, Log, LogId, OpenError};

const CLUSTER: u128 = 7;
const NODE: u64 = 2;

fn config(dir: &Path) -> Config {
    Config {
        segment_bytes: 64 << 10,
        spare_segments: 1,
        ..Config::new(dir.join("log"), CLUSTER, NODE)
    }
}

/// A directory with an identity and a log of so many entries, closed.
fn made(dir: &Path, entries: u64) {
    drop(meta::claim(dir, CLUSTER, NODE).unwrap());
    let log = Log::open(Arc::new(RealDisk), config(dir)).unwrap();
    for index in 0..entries {
        let entry = Entry {
            log_id: LogId {
                term: 1 + index / 100,
                node: NODE,
                index,
            },
            kind: EntryKind::Normal,
            payload: vec![7; 500].into(),
        };
        let (durable, is_durable) = mpsc::sync_channel(1);
        log.append(vec![entry], move |done| durable.send(done).unwrap());
        is_durable.recv().unwrap().unwrap();
    }
    log.close();
}

fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), vec![]);
            found.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

#[test]
fn a_whole_log_is_told_and_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), 150);
    let before = contents(dir.path());
    let report = inspect(dir.path(), true).unwrap();
    assert!(contents(dir.path()) == before);
    assert!(report.ok, "{:?}", report.problems);
    let identity = report.identity.unwrap();
    assert_eq!((identity.node_id, identity.incarnation), (NODE, 1));
    assert_eq!(
        report.log.last,
        Some(Position {
            index: 149,
            term: 2
        })
    );
    assert!(report.log.segments.len() > 1);
    let entries: u64 = report
        .log
        .segments
        .iter()
        .flat_map(|s| s.terms.values())
        .sum();
    assert_eq!(entries, 150);
    assert!(
        report
            .log
            .segments
            .iter()
            .all(|segment| segment.record_bytes < segment.bytes)
    );
}

#[test]
fn damage_is_told_in_the_words_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), 20);
    let segment = dir.path().join("log/0000000000000001.log");
    let segment = if segment.exists() {
        segment
    } else {
        dir.path().join("log/0000000000000000.log")
    };
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[4096 + 3 * 64 + 100] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let before = contents(dir.path());
    let report = inspect(dir.path(), false).unwrap();
    assert!(contents(dir.path()) == before);
    let Err(OpenError::Damaged(damage)) = Log::open(Arc::new(RealDisk), config(dir.path())) else {
        panic!("a log with a flipped bit was opened");
    };
    assert_eq!(report.problems, [format!("log: {damage}")]);
    assert_eq!(report.log.damage.unwrap().offset, damage.offset);
}

#[test]
fn a_directory_in_use_and_one_of_nobody_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        inspect(dir.path(), false),
        Err(Error::NotANode(_))
    ));
    assert!(matches!(
        inspect(&dir.path().join("none"), false),
        Err(Error::Io { .. })
    ));
    let claim = meta::claim(dir.path(), CLUSTER, NODE).unwrap();
    assert!(matches!(inspect(dir.path(), false), Err(Error::InUse(_))));
    drop(claim);
    // No log and no state yet: a node that was claimed and ended.
    assert!(inspect(dir.path(), true).unwrap().ok);
    // While it is looked at, no node starts.
    let held = lock(dir.path()).unwrap();
    assert!(meta::claim(dir.path(), CLUSTER, NODE).is_err());
    drop(held);
}

#[test]
fn what_is_damaged_beside_log_and_state_is_told() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path(), 1);
    std::fs::write(dir.path().join("claims.meta"), b"FART nonsense").unwrap();
    std::fs::write(dir.path().join("node.meta"), b"?").unwrap();
    std::fs::create_dir(dir.path().join("state.damaged.1")).unwrap();
    let report = inspect(dir.path(), false).unwrap();
    assert!(!report.ok);
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
    assert!(report.problems[0].contains("node.meta") && report.problems[1].contains("claims.meta"));
    assert_eq!(report.put_aside, ["state.damaged.1"]);
    assert_eq!(report.identity.unwrap().node_id, NODE, "the copy tells");
}
