//! What was durable and does not verify any more is reported, never cut away.

use crate::disk::MemoryDisk;

use super::super::record::{self, RECORD_HEADER_BYTES};
use super::*;

/// Three segments, closed cleanly: everything in them is proven durable.
fn filled() -> (MemoryDisk, View) {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=30, 500));
    done(|callback| log.save_vote(vote(2), callback)).unwrap();
    done(|callback| log.truncate_after(Some(id(1, 28)), callback)).unwrap();
    append(&log, entries(2, 29..=60, 500));
    done(|callback| log.purge(id(1, 2), callback)).unwrap();
    let before = view(&log);
    assert!(log.stats().segments >= 3);
    log.close();
    (disk, before)
}

/// Where the records of a segment begin and end, read the plain way.
fn records(disk: &MemoryDisk, number: u64) -> Vec<(usize, usize)> {
    let bytes = disk.contents(&segment(number)).unwrap();
    let (_, use_sequence) = record::peek(&bytes[FIRST_RECORD..]).unwrap();
    let mut offset = FIRST_RECORD;
    let mut records = Vec::new();
    while let Ok(found) = record::decode(&bytes[offset..], use_sequence) {
        records.push((offset, offset + RECORD_HEADER_BYTES + found.payload_length));
        offset += found.length();
    }
    records
}

/// Where the record of an entry begins.
fn place_of(disk: &MemoryDisk, number: u64, index: u64) -> usize {
    let bytes = disk.contents(&segment(number)).unwrap();
    let (_, use_sequence) = record::peek(&bytes[FIRST_RECORD..]).unwrap();
    let is_entry = |offset: usize| {
        let header = record::decode(&bytes[offset..], use_sequence)
            .unwrap()
            .header;
        header.kind.entry().is_some() && header.index == index
    };
    records(disk, number)
        .into_iter()
        .map(|(start, _)| start)
        .find(|start| is_entry(*start))
        .unwrap()
}

/// Changes a byte of the record at `start` and gives it a checksum that matches.
fn forge(disk: &MemoryDisk, number: u64, start: usize, field: usize, value: u8) {
    let path = segment(number);
    let bytes = disk.contents(&path).unwrap();
    let length = u32::from_le_bytes(bytes[start + 4..start + 8].try_into().unwrap()) as usize;
    let mut changed = bytes[start..start + RECORD_HEADER_BYTES + length].to_vec();
    changed[field] = value;
    let checksum = crc32c::crc32c(&changed[4..]).to_le_bytes();
    changed[..4].copy_from_slice(&checksum);
    for (at, new) in changed.into_iter().enumerate() {
        disk.corrupt(&path, start + at, bytes[start + at] ^ new)
            .unwrap();
    }
}

fn damage_of(disk: &MemoryDisk, what: &str) -> Damage {
    match try_open(disk) {
        Err(OpenError::Damaged(damage)) => *damage,
        Err(other) => panic!("{what}: {other}"),
        Ok(log) => panic!("{what}: opened silently with {:?}", log.state()),
    }
}

#[test]
fn a_flipped_bit_anywhere_in_what_was_durable_is_damage() {
    let (disk, before) = filled();
    let untouched = disk.duplicate();
    assert_eq!(view(&open(&untouched)), before);
    let mut last = 1;
    while disk.contents(&segment(last + 1)).is_ok() {
        last += 1;
    }
    for number in 1..=last {
        let places = records(&disk, number);
        for (at, &(start, end)) in places.iter().enumerate() {
            // The last record of all is the mark, which nothing proves.
            if number == last && at + 1 == places.len() {
                continue;
            }
            // Each byte of a header, and some of the payload.
            let payload = (start + RECORD_HEADER_BYTES..end)
                .step_by(97)
                .chain(end.checked_sub(1));
            for byte in (start..start + RECORD_HEADER_BYTES).chain(payload) {
                let image = disk.duplicate();
                image
                    .corrupt(&segment(number), byte, 1 << (byte % 8))
                    .unwrap();
                let contents = image.contents(&segment(number)).unwrap();
                let what = format!("segment {number}, record at {start}, byte {byte}");
                let damage = damage_of(&image, &what);
                assert_eq!(
                    (damage.segment, damage.offset),
                    (number, start as u64),
                    "{what}: {damage}"
                );
                assert_eq!(
                    image.contents(&segment(number)).unwrap(),
                    contents,
                    "{what}: nothing is changed"
                );
            }
        }
    }
}

#[test]
fn a_damaged_or_missing_segment_is_named() {
    let (disk, _) = filled();
    for byte in [0, 8, 16, 24, 40, 50, 56, 3000, 4095] {
        let image = disk.duplicate();
        image.corrupt(&segment(2), byte, 4).unwrap();
        let damage = damage_of(&image, "header");
        assert_eq!((damage.segment, damage.offset), (2, 0));
    }
    for number in [1, 2] {
        let image = disk.duplicate();
        image.remove(&segment(number)).unwrap();
        let damage = damage_of(&image, "missing");
        assert_eq!(damage.path, segment(number), "{damage}");
        assert!(damage.to_string().contains("missing"), "{damage}");
    }
}

#[test]
fn the_report_says_what_is_lost_and_what_to_do() {
    let (disk, _) = filled();
    let start = place_of(&disk, 1, 5);
    disk.corrupt(&segment(1), start + 100, 1).unwrap();
    let damage = damage_of(&disk, "entry 5");
    assert_eq!(
        damage.index,
        Some(5),
        "three records come first, then entries from 1 on"
    );
    assert!(damage.durable_index >= Some(28), "{damage:?}");
    let text = damage.to_string();
    for part in [
        "0000000000000001.log",
        "Entries 5 to at least",
        "checksum",
        "keep a copy",
        "refilled",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn a_vote_is_proven_as_an_entry_is() {
    // Nothing after the vote has a log index, so only record numbers can tell that it was durable.
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=3, 100));
    done(|callback| log.save_vote(vote(5), callback)).unwrap();
    log.close();
    let places = records(&disk, 1);
    let (start, _) = places[places.len() - 2];
    disk.corrupt(&segment(1), start + 33, 1).unwrap();
    assert_eq!(damage_of(&disk, "vote").offset, start as u64);
}

#[test]
fn entries_that_go_bad_later_are_refused_when_read() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=40, 500));
    assert!(!log.is_in_memory(1));
    let start = place_of(&disk, 1, 2);
    disk.corrupt(&segment(1), start + 70, 1).unwrap();
    assert_eq!(log.read(1..2, 1000).unwrap(), entries(1, 1..=1, 500));
    let error = log.read(2..4, 10_000).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("entry 2"), "{error}");
    assert_eq!(log.read(3..4, 1000).unwrap(), entries(1, 3..=3, 500));
}

#[test]
fn a_record_of_a_newer_version_is_not_guessed_at() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=1, 0));
    log.close();
    let start = place_of(&disk, 1, 1);
    forge(&disk, 1, start, 16, 77);
    let refused = try_open(&disk).unwrap_err();
    assert!(
        matches!(refused, OpenError::Unsupported { .. }),
        "{refused}"
    );
}

#[test]
fn a_segment_begins_with_what_those_before_it_came_to() {
    // A record that no log wrote, with a checksum that matches: without this rule the log opened, recycled the segment
    // that the others needed, and did not open the next time.
    let (disk, _) = filled();
    let last = records(&disk, 1).last().unwrap().0;
    forge(&disk, 1, last, 16, record::Kind::Purged as u8);
    let damage = damage_of(&disk, "a purge of all entries before the next segment");
    let purged = records(&disk, 2)[2].0 as u64;
    assert_eq!((damage.segment, damage.offset), (2, purged));

    // Vote, committed and purged: what each says (its index), of which kind it is, and which entries it follows.
    for (at, (start, _)) in records(&filled().0, 2).into_iter().take(3).enumerate() {
        for (field, value) in [(24, 9), (16, record::Kind::Mark as u8), (48, 9)] {
            let (disk, _) = filled();
            forge(&disk, 2, start, field, value);
            let damage = damage_of(&disk, &format!("field {field} of record {at}"));
            assert_eq!((damage.segment, damage.offset), (2, start as u64));
        }
    }
}

#[test]
fn records_of_an_earlier_use_are_never_taken_for_new_ones() {
    // Segments are used many times over; the newest then holds a few new records before very many old ones, which
    // verify in themselves.
    let disk = MemoryDisk::new();
    let log = open(&disk);
    for index in 1..=300u64 {
        append(&log, vec![entry(1, index, 500)]);
        if index % 20 == 0 {
            done(|callback| log.purge(id(1, index - 3), callback)).unwrap();
        }
        let newest = view(&log);
        let copy = disk.duplicate();
        // The copy is taken while the pool may be renaming; only what it holds of the log matters.
        if index % 7 == 0 {
            log.flush(|_| {});
            assert_eq!(view(&open(&copy)).entries, newest.entries);
        }
    }
}
