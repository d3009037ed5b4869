//! Readers beside a writer: each read sees one consistent log.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::disk::{Effect, FaultDisk, MemoryDisk, Rule, Target};

use super::*;

#[test]
fn readers_see_whole_consecutive_entries_while_the_log_grows_and_is_purged() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    let stop = AtomicBool::new(false);
    let read = AtomicU64::new(0);
    let purged = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for reader in 0..2u64 {
            let (log, stop, read) = (&log, &stop, &read);
            scope.spawn(move || {
                let mut from = 0;
                while !stop.load(Ordering::Relaxed) {
                    let found = log.read(from..u64::MAX, 4000 * (1 + reader)).unwrap();
                    for (at, entry) in found.iter().enumerate() {
                        let index = found[0].log_id.index + at as u64;
                        assert_eq!(
                            entry,
                            &super::entry(entry.log_id.term, index, 400),
                            "consecutive and whole"
                        );
                    }
                    read.fetch_add(found.len() as u64, Ordering::Relaxed);
                    // One reader follows the end, the other begins again at the oldest.
                    from = match found.last() {
                        Some(last) if reader == 0 => last.log_id.index + 1,
                        Some(last) if last.log_id.index % 3 != 0 => last.log_id.index + 1,
                        _ => 0,
                    };
                }
            });
        }
        let mut term = 1;
        let mut next = 1;
        for round in 0..400u64 {
            log.append(entries(term, next..=next + 9, 400), |result| {
                result.unwrap()
            });
            next += 10;
            if round % 20 == 19 {
                let last = log.log_id_at(next - 4);
                log.truncate_after(last, |result| result.unwrap());
                next -= 3;
                term += 1;
            }
            if round % 10 == 9 {
                let to = log.log_id_at(next - 60).unwrap();
                log.purge(to, |result| result.unwrap());
                purged.store(to.index, Ordering::Relaxed);
            }
            if round % 5 == 0 {
                done(|callback| log.flush(callback)).unwrap();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(read.load(Ordering::Relaxed) > 100);
    let before = view(&log);
    log.close();
    assert_eq!(view(&open(&disk)), before);
}

#[test]
fn a_purge_does_not_pull_a_segment_from_under_a_reader() {
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let log = open(&disk);
    append(&log, entries(1, 1..=60, 500));
    let slow = Effect::Delay(Duration::from_millis(150));
    disk.add(Rule {
        target: Target::Read,
        path: String::new(),
        skip: 0,
        count: 1,
        effect: slow,
    });
    let reader = std::thread::spawn({
        let log = log.clone();
        move || log.read(1..4, u64::MAX)
    });
    std::thread::sleep(Duration::from_millis(30));
    // Purged and overwritten many times over, were it not held.
    for round in 1..=20u64 {
        append(&log, entries(1, round * 30 + 31..=round * 30 + 60, 500));
        done(|callback| log.purge(id(1, round * 30 + 50), callback)).unwrap();
    }
    assert_eq!(reader.join().unwrap().unwrap(), entries(1, 1..=3, 500));
}

#[test]
fn the_tail_in_memory_stays_within_its_bound() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    for index in 1..=200 {
        append(&log, vec![entry(1, index, 300)]);
        assert!(log.stats().tail_bytes <= config().tail_bytes_max);
    }
    assert!(log.is_in_memory(200));
    assert!(!log.is_in_memory(100));
    assert_eq!(read_all(&log), entries(1, 1..=200, 300));
}

#[test]
fn durability_is_not_claimed_for_what_replaced_truncated_entries() {
    // The write of entries 1 to 3 is under way when 2 and 3 are replaced: its end proves only 1.
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let log = open(&disk);
    append(&log, entries(1, 0..=0, 1));
    while log.stats().spare_segments < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let slow = |skip, time| Rule {
        target: Target::SyncData,
        path: String::new(),
        skip,
        count: 1,
        effect: Effect::Delay(Duration::from_millis(time)),
    };
    disk.add(slow(0, 100));
    disk.add(slow(0, 300));
    let (callback, first) = answer();
    log.append(entries(1, 1..=3, 10), callback);
    std::thread::sleep(Duration::from_millis(30));
    log.truncate_after(Some(id(1, 1)), |_| {});
    let (callback, second) = answer();
    log.append(entries(2, 2..=3, 10), callback);
    first.recv().unwrap().unwrap();
    assert_eq!(log.durable_index(), Some(1));
    assert!(!log.wait_durable(2, Duration::from_millis(20)).unwrap());
    second.recv().unwrap().unwrap();
    assert_eq!(log.durable_index(), Some(3));
}

#[test]
fn entries_that_are_not_durable_stay_in_memory_above_the_bound() {
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let log = open(&disk);
    while log.stats().spare_segments < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    for (skip, time) in [(0, 60), (0, 200)] {
        let effect = Effect::Delay(Duration::from_millis(time));
        disk.add(Rule {
            target: Target::SyncData,
            path: String::new(),
            skip,
            count: 1,
            effect,
        });
    }
    let (callback, first) = answer();
    log.append(entries(1, 1..=3, 1000), callback);
    std::thread::sleep(Duration::from_millis(20));
    let (callback, second) = answer();
    log.append(entries(1, 4..=12, 1000), callback);
    first.recv().unwrap().unwrap();
    assert!(log.stats().tail_bytes > config().tail_bytes_max);
    assert_eq!(read_all(&log), entries(1, 1..=12, 1000));
    second.recv().unwrap().unwrap();
    assert!(log.stats().tail_bytes <= config().tail_bytes_max);
    assert_eq!(read_all(&log), entries(1, 1..=12, 1000));
}
