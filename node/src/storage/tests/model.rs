//! Storage against the reference, entry by entry, under different run boundaries and kinds of ids.

use std::time::Duration;

use farthing_ledger::MemoryState;

use super::compare::assert_equal;
use super::workload::{Ids, log};
use super::*;

#[test]
fn every_cut_is_the_reference() {
    for (seed, ids) in [(1, Ids::TimeOrdered), (2, Ids::Random)] {
        let dir = tempfile::tempdir().unwrap();
        let log = log(seed, 300, 40, ids);
        let (mut writer, handle) = open(config(dir.path(), 500));
        let mut state = MemoryState::new();
        for (index, entry) in log.iter().enumerate() {
            apply_entry(&mut writer, index as u64, entry).unwrap();
            apply_reference(&mut state, entry);
            if index % 29 == 0 {
                assert_equal(&handle.reader().unwrap(), &state);
            }
        }
        assert!(handle.gauges().unwrap().runs > 3, "runs happened");
        assert!(
            state.transfers().len() > 2_000 && state.refused().len() > 20,
            "the workload has something in it"
        );
        assert!(state.pendings().len() > 200 && state.events().len() > 100);
        let report = handle.verify().unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        assert!(report.complete && report.events > 0);
        handle.shutdown();
    }
}

#[test]
fn a_restart_continues_from_the_commit_record() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(3, 400, 30, Ids::TimeOrdered);
    let mut done = 0;
    for restart in 0..8 {
        // Other run boundaries each time.
        let (mut writer, handle) = open(config(dir.path(), 100 + 137 * restart));
        let at = writer
            .applied()
            .log_id
            .map_or(0, |id| id.index as usize + 1);
        assert!(at <= done, "state is never ahead of what was applied");
        assert_equal(&handle.reader().unwrap(), &reference(&log, at));
        done = (done + 50).min(log.len());
        replay(&mut writer, &log[..done]).unwrap();
        assert_equal(&handle.reader().unwrap(), &reference(&log, done));
        if restart % 2 == 0 {
            wait_for_runs(&handle);
        }
        handle.shutdown();
    }
    let (mut writer, handle) = open(config(dir.path(), 1_000));
    replay(&mut writer, &log).unwrap();
    assert_equal(&handle.reader().unwrap(), &reference(&log, log.len()));
    assert_eq!(handle.verify().unwrap().findings, Vec::<String>::new());
}

#[test]
fn run_boundaries_leave_no_trace() {
    let log = log(4, 90, 40, Ids::Random);
    let mut digests = vec![];
    for transfers_max in [1, 40, 100_000] {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, handle) = open(config(dir.path(), transfers_max));
        replay(&mut writer, &log).unwrap();
        wait_for_runs(&handle);
        assert_equal(&handle.reader().unwrap(), &reference(&log, log.len()));
        digests.push(handle.digest_at(89).unwrap());
        handle.shutdown();
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn no_run_starts_before_the_log_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(5, 60, 30, Ids::TimeOrdered);
    let durable = TestLog::up_to(0);
    let (mut writer, handle) = Storage::open(config(dir.path(), 10_000), durable.clone()).unwrap();
    replay(&mut writer, &log).unwrap();
    let ticket = writer.seal().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(handle.committed(), None);
    durable.set(58);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(handle.committed(), None, "the last entry is not durable");
    durable.set(59);
    handle.build_checkpoint(&ticket).unwrap();
    assert_eq!(handle.committed(), Some(log_id(59)));
}

#[test]
fn apply_waits_while_two_sealed_windows_are_unwritten() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(6, 200, 30, Ids::TimeOrdered);
    let durable = TestLog::up_to(0);
    let (mut writer, handle) = Storage::open(config(dir.path(), 100), durable.clone()).unwrap();
    let applier = {
        let log = log.clone();
        std::thread::spawn(move || {
            replay(&mut writer, &log).unwrap();
            writer
        })
    };
    let began = std::time::Instant::now();
    while handle.gauges().unwrap().apply_waits == 0 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "nobody ever waited"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    let gauges = handle.gauges().unwrap();
    assert_eq!(gauges.sealed_windows, 2);
    assert!(
        handle.applied().log_id.unwrap().index < 199,
        "it got through without waiting"
    );
    let at = handle.applied().log_id.unwrap().index as usize + 1;
    assert_equal(&handle.reader().unwrap(), &reference(&log, at));
    durable.set(u64::MAX);
    let _writer = applier.join().unwrap();
    assert_equal(&handle.reader().unwrap(), &reference(&log, log.len()));
}

#[test]
fn old_windows_are_sealed_without_new_entries() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        run_interval: Duration::from_millis(10),
        ..config(dir.path(), 100_000)
    };
    let (mut writer, handle) = open(config);
    apply_entry(&mut writer, 0, &Entry::Blank).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    writer.tick().unwrap();
    wait_for_runs(&handle);
    assert_eq!(handle.committed(), Some(log_id(0)));
    std::thread::sleep(Duration::from_millis(20));
    writer.tick().unwrap();
    assert_eq!(
        handle.gauges().unwrap().runs,
        1,
        "an empty window is not worth a run"
    );
}

#[test]
fn entries_out_of_order_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _handle) = open(config(dir.path(), 100));
    apply_entry(&mut writer, 0, &Entry::Blank).unwrap();
    assert!(matches!(
        apply_entry(&mut writer, 2, &Entry::Blank),
        Err(Error::Broken(_))
    ));
    assert!(matches!(
        apply_entry(&mut writer, 0, &Entry::Blank),
        Err(Error::Broken(_))
    ));
    apply_entry(&mut writer, 1, &Entry::Blank).unwrap();
}
