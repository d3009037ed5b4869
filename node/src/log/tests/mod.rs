//! Tests of the log.
#![allow(clippy::unwrap_used)] // a failure is a panic here

mod basics;
mod bytes_on_disk;
mod concurrent;
mod crash;
mod damage;
mod failure;
mod model;
mod real;
mod restart;
mod salvage;
mod variants;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use crate::disk::Disk;

use super::*;

pub(super) const DIR: &str = "node/log";
/// Where the records of a segment begin.
pub(super) const FIRST_RECORD: usize = 4096;

/// A small log in a directory of a disk in memory. A failure panics in the callback of the test, not here.
pub(super) fn config() -> Config {
    Config {
        segment_bytes: 16 << 10,
        tail_bytes_max: 4 << 10,
        ..Config::new(DIR, 0xC1, 7)
    }
}

pub(super) fn open(disk: &(impl Disk + Clone)) -> Log {
    try_open(disk).unwrap()
}

pub(super) fn try_open(disk: &(impl Disk + Clone)) -> Result<Log, OpenError> {
    Log::open(Arc::new(disk.clone()), config())
}

pub(super) fn segment(number: u64) -> PathBuf {
    PathBuf::from(DIR).join(format!("{number:016x}.log"))
}

pub(super) fn id(term: u64, index: u64) -> LogId {
    LogId {
        term,
        node: 3,
        index,
    }
}

pub(super) fn vote(term: u64) -> Vote {
    Vote {
        term,
        node: 3,
        committed: term.is_multiple_of(2),
    }
}

/// An entry whose payload is a function of its id and length.
pub(super) fn entry(term: u64, index: u64, bytes: usize) -> Entry {
    let kind = match index % 5 {
        3 => EntryKind::Membership,
        4 => EntryKind::Blank,
        _ => EntryKind::Normal,
    };
    let bytes = if kind == EntryKind::Blank { 0 } else { bytes };
    let payload: Vec<u8> = (0..bytes)
        .map(|at| (term * 31 + index * 7 + at as u64) as u8 | 1)
        .collect();
    Entry {
        log_id: id(term, index),
        kind,
        payload: Bytes::from(payload),
    }
}

pub(super) fn entries(
    term: u64,
    indexes: std::ops::RangeInclusive<u64>,
    bytes: usize,
) -> Vec<Entry> {
    indexes.map(|index| entry(term, index, bytes)).collect()
}

/// A callback and where its answer arrives.
pub(super) fn answer() -> (
    impl FnOnce(io::Result<()>) + Send + 'static,
    Receiver<io::Result<()>>,
) {
    let (sender, receiver) = sync_channel(1);
    (move |result| drop(sender.send(result)), receiver)
}

/// Runs one operation and waits for its answer.
pub(super) fn done(submit: impl FnOnce(Done)) -> io::Result<()> {
    let (callback, receiver) = answer();
    submit(Box::new(callback));
    receiver.recv_timeout(Duration::from_secs(20)).unwrap()
}

pub(super) fn append(log: &Log, entries: Vec<Entry>) {
    done(|callback| log.append(entries, callback)).unwrap();
}

pub(super) fn read_all(log: &Log) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    loop {
        let from = all.last().map_or(0, |entry| entry.log_id.index + 1);
        let more = log.read(from..u64::MAX, 3000).unwrap();
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

/// Everything a caller can ask a log for, but the committed hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) vote: Option<Vote>,
    pub(super) state: LogState,
    pub(super) entries: Vec<Entry>,
}

pub(super) fn view(log: &Log) -> View {
    View {
        vote: log.vote(),
        state: log.state(),
        entries: read_all(log),
    }
}

/// Collects what `on_fatal` is told.
pub(super) fn fatal_recorder() -> (OnFatal, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::clone(&told);
    (
        Arc::new(move |error: &io::Error| recorder.lock().unwrap().push(error.to_string())),
        told,
    )
}
