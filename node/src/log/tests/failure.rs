//! A disk that fails stops the log, once and for good.

use std::time::Duration;

use crate::disk::{Effect, FaultDisk, MemoryDisk, Rule, Target};

use super::*;

/// Errors of the operating system.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn rule(target: Target, skip: u64, effect: Effect) -> Rule {
    Rule {
        target,
        path: String::new(),
        skip,
        count: 1,
        effect,
    }
}

fn open_watched(disk: &FaultDisk) -> (Log, Arc<Mutex<Vec<String>>>) {
    let (on_fatal, told) = fatal_recorder();
    let config = Config {
        on_fatal,
        mark_sync_idle: Duration::from_secs(600),
        ..config()
    };
    let log = Log::open(Arc::new(disk.clone()), config).unwrap();
    // Otherwise the pool's own syncs would take the fault that is meant for the writer.
    while log.stats().spare_segments < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    (log, told)
}

fn stops(effect: Effect, target: Target) {
    let memory = MemoryDisk::new();
    let disk = FaultDisk::new(Arc::new(memory.clone()));
    let (log, told) = open_watched(&disk);
    append(&log, entries(1, 1..=3, 100));
    // Marks are writes too: wait for the one after the append.
    std::thread::sleep(Duration::from_millis(20));
    disk.add(rule(target, 0, effect));
    let failed = done(|callback| log.append(entries(1, 4..=5, 100), callback)).unwrap_err();
    assert!(
        failed.to_string().contains("the log has stopped"),
        "{failed}"
    );
    // The fault is over; the log must not try again.
    for _ in 0..3 {
        assert!(done(|callback| log.save_vote(vote(4), callback)).is_err());
        assert!(done(|callback| log.append(entries(1, 6..=6, 1), callback)).is_err());
    }
    assert!(log.wait_durable(4, Duration::from_secs(20)).is_err());
    assert!(log.failure().is_some());
    assert_eq!(told.lock().unwrap().len(), 1, "the node is told once");
    assert_eq!(log.durable_index(), Some(3));
    log.close();
    let log = open(&memory);
    assert!(
        log.state().last.unwrap().index >= 3,
        "what was acknowledged is there"
    );
    assert_eq!(log.read(1..4, u64::MAX).unwrap(), entries(1, 1..=3, 100));
}

#[test]
fn a_failed_sync_is_final() {
    stops(Effect::FailOs(EIO), Target::SyncData);
}

#[test]
fn a_failed_write_is_final() {
    stops(Effect::FailOs(EIO), Target::Write);
    stops(Effect::FailOs(ENOSPC), Target::Write);
    stops(Effect::TornWrite(70), Target::Write);
}

#[test]
fn everything_waiting_fails_with_the_sync_that_failed() {
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let (log, _) = open_watched(&disk);
    disk.add(rule(
        Target::SyncData,
        0,
        Effect::Delay(Duration::from_millis(100)),
    ));
    disk.add(rule(Target::SyncData, 0, Effect::FailOs(EIO)));
    let answers: Vec<_> = (1..=20)
        .map(|index| {
            let (callback, receiver) = answer();
            log.append(vec![entry(1, index, 10)], callback);
            if index == 1 {
                std::thread::sleep(Duration::from_millis(30));
            }
            receiver
        })
        .collect();
    let results: Vec<bool> = answers
        .iter()
        .map(|receiver| receiver.recv().unwrap().is_ok())
        .collect();
    assert!(results[0], "the first sync was only slow");
    assert!(
        results[1..].iter().all(|ok| !ok),
        "the second failed for all that came meanwhile: {results:?}"
    );
}

#[test]
fn many_appends_share_a_sync() {
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let (log, _) = open_watched(&disk);
    disk.add(rule(
        Target::SyncData,
        0,
        Effect::Delay(Duration::from_millis(100)),
    ));
    log.append(entries(1, 1..=1, 10), |_| {});
    std::thread::sleep(Duration::from_millis(30));
    let before = log.stats().sync_count;
    (2..=100).for_each(|index| log.append(vec![entry(1, index, 10)], |_| {}));
    assert!(log.queued_bytes() > 99 * 64);
    done(|callback| log.flush(callback)).unwrap();
    // The slow one, at most one that began before all was submitted, and the one for the rest.
    assert!(log.stats().sync_count - before <= 3, "{:?}", log.stats());
    assert_eq!(log.queued_bytes(), 0);
}

#[test]
fn a_full_disk_is_told_before_it_stops_the_log() {
    let memory = MemoryDisk::new();
    let (on_fatal, told) = fatal_recorder();
    let log = Log::open(
        Arc::new(memory.clone()),
        Config {
            on_fatal,
            ..config()
        },
    )
    .unwrap();
    while log.stats().spare_segments < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    memory.set_capacity(Some(3 * (16 << 10)));
    let mut index = 0;
    let mut append_segment = || {
        index += 10;
        done(|callback| log.append(entries(1, index - 9..=index, 1200), callback))
    };
    while log.stats().spare_failure.is_none() {
        append_segment().unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        told.lock().unwrap().is_empty(),
        "spares are left: the log goes on"
    );
    while append_segment().is_ok() {}
    assert_eq!(told.lock().unwrap().len(), 1);
    // With space again everything acknowledged is there.
    let durable = log.durable_index().unwrap();
    log.close();
    memory.set_capacity(None);
    let log = open(&memory);
    assert!(log.state().last.unwrap().index >= durable);
    assert_eq!(
        log.read(durable..durable + 1, 0).unwrap(),
        entries(1, durable..=durable, 1200)
    );
}

#[test]
fn a_callback_that_panics_stops_the_log() {
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let (log, told) = open_watched(&disk);
    log.append(entries(1, 1..=1, 10), |_| {
        panic!("a callback of the test panics")
    });
    assert!(log.wait_durable(2, Duration::from_secs(20)).is_err());
    assert_eq!(told.lock().unwrap().len(), 1);
    assert!(done(|callback| log.save_vote(vote(1), callback)).is_err());
}

#[test]
fn a_flipped_bit_of_one_read_is_noticed() {
    let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
    let (log, _) = open_watched(&disk);
    append(&log, entries(1, 1..=40, 500));
    disk.add(rule(Target::Read, 0, Effect::FlipBit(130)));
    assert_eq!(
        log.read(1..3, 10_000).unwrap_err().kind(),
        io::ErrorKind::InvalidData
    );
    assert_eq!(log.read(1..3, 10_000).unwrap(), entries(1, 1..=2, 500));
}
