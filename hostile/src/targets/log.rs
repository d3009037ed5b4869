//! A log whose files hold whatever a disk may give back: everything that was durable, or a typed refusal.

use std::collections::BTreeSet;
use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use farthing_node::disk::{Disk, MemoryDisk, OpenMode};
use farthing_node::log::{Config, Driver, Entry, EntryKind, Log, LogId, OpenError, Vote};

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "log",
    run,
    seeds,
    words: &["\u{0}\u{0}\u{0}\u{0}", "FARTHLOG", "\u{1}\u{1}"],
};

const DIR: &str = "log";
const SEGMENTS: u64 = 3;
const HEADER_BYTES: usize = 4_096;
/// Segments of 16 KiB, spare ones, their copies in memory and in the disk's history; never a length from a record.
const BUDGET_BYTES: usize = 8 << 20;

struct Base {
    disk: MemoryDisk,
    /// Everything that was ever appended, replaced entries included.
    written: BTreeSet<(u64, u64, Bytes)>,
    /// Where records begin: segment, offset.
    records: Vec<(u64, usize)>,
}

fn config() -> Config {
    Config {
        segment_bytes: 16 << 10,
        tail_bytes_max: 4 << 10,
        ..Config::new(DIR, 0xC1, 7)
    }
}

fn segment(number: u64) -> PathBuf {
    PathBuf::from(DIR).join(format!("{number:016x}.log"))
}

fn entry(term: u64, index: u64) -> Entry {
    let payload: Vec<u8> = (0..500)
        .map(|at| (term * 31 + index * 7 + at) as u8 | 1)
        .collect();
    Entry {
        log_id: LogId {
            term,
            node: 3,
            index,
        },
        kind: EntryKind::Normal,
        payload: payload.into(),
    }
}

/// Does what the log's threads would do, and the same each time.
fn perform(driver: &mut Driver) {
    driver.prepare();
    while driver.work() {
        driver.prepare();
    }
    driver.settle();
}

/// A small log with a vote, a truncation and a purge in it.
fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let disk = MemoryDisk::new();
        let (log, mut driver) =
            Log::open_driven(Arc::new(disk.clone()), config()).expect("an empty disk");
        let (first, second): (Vec<_>, Vec<_>) = (
            (1..=30).map(|index| entry(1, index)).collect(),
            (29..=60).map(|index| entry(2, index)).collect(),
        );
        let all = first.iter().chain(&second);
        let written = all
            .map(|entry| (entry.log_id.term, entry.log_id.index, entry.payload.clone()))
            .collect();
        let vote = Vote {
            term: 2,
            node: 3,
            committed: true,
        };
        log.append(first, |_| ());
        log.save_vote(vote, |_| ());
        log.truncate_after(Some(entry(1, 28).log_id), |_| ());
        perform(&mut driver);
        log.append(second, |_| ());
        log.purge(entry(1, 2).log_id, |_| ());
        perform(&mut driver);
        assert_eq!(log.durable_index(), Some(60), "the base is durable");
        log.close();
        let records = (1..=SEGMENTS)
            .flat_map(|number| records(&disk, number))
            .collect();
        Base {
            disk: disk.duplicate(),
            written,
            records,
        }
    })
}

/// Where the records of a segment begin, by the format alone.
fn records(disk: &MemoryDisk, number: u64) -> Vec<(u64, usize)> {
    let bytes = disk.contents(&segment(number)).unwrap_or_default();
    let mut places = Vec::new();
    let mut at = HEADER_BYTES;
    while let Some(header) = bytes.get(at..at + 64)
        && header[16] != 0
    {
        places.push((number, at));
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        at += (64 + length).next_multiple_of(64);
    }
    places
}

fn run(bytes: &[u8]) {
    let base = base();
    let disk = base.disk.duplicate();
    let Ok(sealed) = damage(&mut Unstructured::new(bytes), base, &disk) else {
        return;
    };
    // Bytes that carry a fresh checksum say what they like; all others say what was once written, or nothing.
    let genuine = |log: &Log| {
        for (term, index, payload) in entries(log) {
            let known = base.written.contains(&(term, index, payload));
            assert!(
                sealed || known,
                "entry {index} of term {term} was never written"
            );
        }
    };
    let before = contents(&disk);
    let open = || Log::open_driven(Arc::new(disk.clone()), config());
    match within(BUDGET_BYTES, open) {
        Ok((log, driver)) => {
            genuine(&log);
            goes_on(&disk, log, driver);
        }
        Err(OpenError::Damaged(damage)) => {
            assert_eq!(contents(&disk), before, "{damage}: something was changed");
            let cut = || Log::open_before_damage(Arc::new(disk.clone()), config());
            if let Ok(log) = within(BUDGET_BYTES, cut) {
                genuine(&log);
                let (state, vote) = (log.state(), log.vote());
                log.close();
                let (log, driver) = open().expect("a log that was cut opens");
                assert_eq!((log.state(), log.vote()), (state, vote));
                goes_on(&disk, log, driver);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A log that opened takes another entry and a vote, and has both when it is opened again.
fn goes_on(disk: &MemoryDisk, log: Log, mut driver: Driver) {
    let (mut state, vote) = (log.state(), log.vote());
    let last = state.last.or(state.last_purged);
    let next = LogId {
        term: last.map_or(0, |last| last.term),
        node: 3,
        index: last.map_or(0, |last| last.index.saturating_add(1)),
    };
    let vote = Vote {
        term: vote.map_or(1, |vote| vote.term.saturating_add(1)),
        node: 7,
        committed: false,
    };
    // The last index of all stands for "none" and cannot be written.
    if next.index < u64::MAX {
        log.append(
            vec![Entry {
                log_id: next,
                ..entry(0, 0)
            }],
            |result| result.expect("an entry that follows the last one"),
        );
        state.last = Some(next);
    }
    log.save_vote(vote, |result| result.expect("a vote"));
    perform(&mut driver);
    log.close();
    drop(driver);
    let (again, _driver) = Log::open_driven(Arc::new(disk.clone()), config())
        .expect("a log that opened and went on opens again");
    assert_eq!((again.state(), again.vote()), (state, Some(vote)));
    again.close();
}

fn contents(disk: &MemoryDisk) -> Vec<Vec<u8>> {
    let numbers = 1..=SEGMENTS + 1;
    numbers
        .map(|number| disk.contents(&segment(number)).unwrap_or_default())
        .collect()
}

fn entries(log: &Log) -> Vec<(u64, u64, Bytes)> {
    let mut all: Vec<(u64, u64, Bytes)> = Vec::new();
    loop {
        let from = all.last().map_or(0, |last| last.1.saturating_add(1));
        let more = log
            .read(from..u64::MAX, 1 << 20)
            .expect("what was verified can be read");
        if more.is_empty() {
            return all;
        }
        all.extend(
            more.into_iter()
                .map(|entry| (entry.log_id.term, entry.log_id.index, entry.payload)),
        );
    }
}

/// Damages the disk; says whether any checksum was made to fit.
fn damage(source: &mut Unstructured<'_>, base: &Base, disk: &MemoryDisk) -> Result<bool> {
    let mut sealed = false;
    for _ in 0..source.int_in_range(1..=5)? {
        let &(number, record) = source.choose(&base.records)?;
        let path = segment(number);
        let Ok(bytes) = disk.contents(&path) else {
            continue;
        };
        let place = if source.ratio(3, 4)? {
            record + source.int_in_range(0..=80_usize)?
        } else {
            source.int_in_range(0..=bytes.len().max(1) - 1)?
        };
        let kind = source.int_in_range(0..=7_u8)?;
        match kind {
            0 => drop(disk.corrupt(&path, place, source.arbitrary()?)),
            1 | 2 => {
                let length = source.int_in_range(1..=64)?.min(source.len());
                let new = source.bytes(length)?;
                overwrite(disk, number, place, new);
            }
            3 => {
                let from = source.choose(&base.records)?.1;
                let length = source.int_in_range(64..=2_048_usize)?;
                let end = bytes.len().min(from + length);
                let copied = bytes.get(from..end).unwrap_or_default();
                overwrite(disk, number, record, copied);
            }
            4 => shorten(disk, number, &bytes[..place.min(bytes.len())]),
            5 => drop(disk.remove(&path)),
            6 => overwrite(disk, number, place / 512 * 512, &[0; 512]),
            _ => {
                let field = source.int_in_range(4..=63)?;
                disk.corrupt(&path, record + field, source.arbitrary()?)
                    .ok();
                reseal(disk, number, record);
                sealed = true;
            }
        }
    }
    Ok(sealed)
}

fn overwrite(disk: &MemoryDisk, number: u64, at: usize, bytes: &[u8]) {
    if let Ok(file) = disk.open(&segment(number), OpenMode::Existing) {
        let room = file.length().unwrap_or(0).saturating_sub(at as u64);
        let bytes = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(0))];
        file.write_at(at as u64, &[IoSlice::new(bytes)]).ok();
    }
}

fn shorten(disk: &MemoryDisk, number: u64, bytes: &[u8]) {
    let path = segment(number);
    disk.remove(&path).ok();
    if let Ok(file) = disk.open(&path, OpenMode::CreateNew) {
        file.write_at(0, &[IoSlice::new(bytes)]).ok();
    }
}

/// Gives the record at `at` the checksum of what it now says.
fn reseal(disk: &MemoryDisk, number: u64, at: usize) {
    let bytes = disk.contents(&segment(number)).unwrap_or_default();
    let Some(header) = bytes.get(at..at + 64) else {
        return;
    };
    let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
    if let Some(record) = bytes.get(at + 4..(at + 64).saturating_add(length)) {
        overwrite(disk, number, at, &crc32c::crc32c(record).to_le_bytes());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    (0..8_u32)
        .map(|seed| {
            (0..160_u32)
                .map(|at| (at * (seed * 2 + 31) + seed * 17) as u8)
                .collect()
        })
        .collect()
}
