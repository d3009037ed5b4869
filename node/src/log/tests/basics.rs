//! What a caller does on a good day: append, read, vote, truncate, purge, close and open again.

use std::time::{Duration, Instant};

use crate::disk::{Crash, MemoryDisk, Operation, Survival};

use super::*;

#[test]
fn a_new_log_is_empty_and_one_reopened_holds_everything() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    assert_eq!(
        view(&log),
        View {
            vote: None,
            state: LogState::default(),
            entries: vec![]
        }
    );
    let all = entries(1, 1..=100, 300);
    for chunk in all.chunks(7) {
        append(&log, chunk.to_vec());
    }
    done(|callback| log.save_vote(vote(2), callback)).unwrap();
    log.save_committed(Some(id(1, 90)));
    let before = view(&log);
    assert_eq!(before.entries, all);
    assert_eq!(log.durable_index(), Some(100));
    assert!(log.stats().segments > 1, "the test is to cross segments");
    log.close();

    let log = open(&disk);
    assert_eq!(view(&log), before);
    assert_eq!(log.committed(), Some(id(1, 90)), "closing writes the hint");
    assert_eq!(log.durable_index(), Some(100));
    assert_eq!(log.open_report().entries, 100);
    assert_eq!(log.open_report().torn_bytes_cut, 0);
    append(&log, entries(2, 101..=102, 50));
    assert_eq!(log.log_id_at(100), Some(id(1, 100)));
    assert_eq!(log.log_id_at(101), Some(id(2, 101)));
    assert_eq!(log.log_id_at(103), None);
}

#[test]
fn entries_are_read_before_they_are_durable_and_within_the_bytes_asked_for() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    let (callback, receiver) = answer();
    log.append(entries(1, 0..=29, 100), callback);
    assert_eq!(read_all(&log), entries(1, 0..=29, 100));
    receiver.recv().unwrap().unwrap();
    assert_eq!(log.read(0..30, 0).unwrap().len(), 1, "at least one");
    assert_eq!(log.read(0..30, 300).unwrap().len(), 3);
    assert_eq!(log.read(5..9, u64::MAX).unwrap(), entries(1, 5..=8, 100));
    assert_eq!(log.read(30..90, u64::MAX).unwrap(), vec![]);
}

#[test]
fn a_gap_and_an_oversized_entry_are_refused_and_change_nothing() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 5..=6, 10));
    let gap = done(|callback| log.append(entries(1, 8..=8, 10), callback)).unwrap_err();
    assert_eq!(gap.kind(), io::ErrorKind::InvalidInput);
    let bytes = config().entry_bytes_max() + 1;
    let large = done(|callback| log.append(entries(1, 7..=7, bytes), callback)).unwrap_err();
    assert_eq!(large.kind(), io::ErrorKind::InvalidInput);
    append(&log, entries(1, 7..=7, bytes - 1));
    log.close();
    let log = open(&disk);
    assert_eq!(
        log.state(),
        LogState {
            last_purged: None,
            last: Some(id(1, 7))
        }
    );
    assert_eq!(log.read(7..8, 0).unwrap(), entries(1, 7..=7, bytes - 1));
}

#[test]
fn truncated_entries_are_gone_and_their_places_taken_under_a_new_term() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=80, 300));
    done(|callback| log.truncate_after(Some(id(1, 20)), callback)).unwrap();
    assert_eq!(log.state().last, Some(id(1, 20)));
    assert_eq!(log.durable_index(), Some(20));
    append(&log, entries(3, 21..=60, 200));
    let mut want = entries(1, 1..=20, 300);
    want.extend(entries(3, 21..=60, 200));
    assert_eq!(read_all(&log), want);
    log.close();
    let log = open(&disk);
    assert_eq!(read_all(&log), want);
    assert_eq!(log.log_id_at(20), Some(id(1, 20)));
    assert_eq!(log.log_id_at(21), Some(id(3, 21)));
    done(|callback| log.truncate_after(None, callback)).unwrap();
    assert_eq!(log.state(), LogState::default());
}

#[test]
fn purging_gives_segments_back_and_they_are_used_again() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    for round in 0..40u64 {
        append(&log, entries(1, round * 10 + 1..=round * 10 + 10, 1000));
        done(|callback| log.purge(id(1, round * 10 + 5), callback)).unwrap();
        // The pool's thread gives them back when it gets to it, and nothing here is as slow as a disk.
        let began = Instant::now();
        while log.bytes_on_disk() > 10 * (16 << 10) {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "round {round}: {} bytes for 15 entries of 1000",
                log.bytes_on_disk()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let created = disk.history().into_iter();
    let created = created.filter(|operation| matches!(operation, Operation::Create { .. }));
    assert!(
        created.count() <= 24,
        "400 entries of 1000 pass through few files"
    );
    assert_eq!(read_all(&log), entries(1, 396..=400, 1000));
    assert_eq!(log.log_id_at(395), Some(id(1, 395)));
    assert_eq!(log.log_id_at(394), None);
    let before = view(&log);
    log.close();
    let log = open(&disk);
    assert_eq!(
        view(&log),
        before,
        "stale records of recycled segments are refused"
    );
}

#[test]
fn purging_beyond_the_end_resets_the_log_to_a_snapshot() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=70, 300));
    done(|callback| log.purge(id(4, 500), callback)).unwrap();
    let empty = LogState {
        last_purged: Some(id(4, 500)),
        last: Some(id(4, 500)),
    };
    assert_eq!(log.state(), empty);
    log.close();
    let log = open(&disk);
    assert_eq!(log.state(), empty);
    assert_eq!(log.durable_index(), Some(500));
    append(&log, entries(4, 501..=540, 300));
    log.close();
    let log = open(&disk);
    assert_eq!(read_all(&log), entries(4, 501..=540, 300));
    done(|callback| log.truncate_after(Some(id(1, 3)), callback)).unwrap();
    assert_eq!(log.state(), empty, "what is purged stays purged");
}

#[test]
fn waiting_for_durability_ends_with_it_or_with_the_time_or_with_the_log() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    assert!(!log.wait_durable(1, Duration::from_millis(5)).unwrap());
    let waiter = std::thread::spawn({
        let log = log.clone();
        move || log.wait_durable(2, Duration::from_secs(20))
    });
    append(&log, entries(1, 0..=2, 10));
    assert!(waiter.join().unwrap().unwrap());
    let waiter = std::thread::spawn({
        let log = log.clone();
        move || log.wait_durable(9, Duration::from_secs(20))
    });
    log.close();
    assert!(waiter.join().unwrap().is_err(), "it would wait in vain");
    assert!(done(|callback| log.save_vote(vote(9), callback)).is_err());
    assert_eq!(log.vote(), None, "a refused vote is not the vote");
}

#[test]
fn the_mark_and_the_committed_hint_become_durable_when_the_log_falls_idle() {
    let disk = MemoryDisk::new();
    let log = open(&disk);
    append(&log, entries(1, 1..=3, 10));
    log.save_committed(Some(id(1, 3)));
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let copy = loop {
        let crash = Crash::after(&disk, disk.position());
        let copy = open(&crash.image(crash.unsynced_names(), |_| Survival::Lost));
        if copy.committed().is_some() {
            break copy;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "nothing but the power cut would write it"
        );
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(copy.committed(), Some(id(1, 3)));
    let records = copy.open_report().records;
    // Three at the start, a mark, the entries, a mark (the first may have come late), the hint.
    assert!(
        (8..=9).contains(&records),
        "{records}: an idle log writes no more"
    );
}

#[test]
fn a_directory_of_another_node_is_refused() {
    let disk = MemoryDisk::new();
    open(&disk).close();
    let other = Config {
        node_id: 8,
        ..config()
    };
    let refused = Log::open(Arc::new(disk), other).unwrap_err();
    assert!(
        matches!(
            refused,
            OpenError::Foreign {
                found_node: 7,
                node: 8,
                ..
            }
        ),
        "{refused}"
    );
}
