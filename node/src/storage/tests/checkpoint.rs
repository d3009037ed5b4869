//! Snapshots of a node's own: which are built, kept and dropped.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::install::{receive, snapshot_of};
use super::workload::{Ids, log};
use super::*;
use crate::storage::snapshot::MANIFEST_NAME;

fn wait_for(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn only_the_newest_snapshot_is_kept_unless_somebody_holds_an_older_one() {
    let log = log(23, 90, 30, Ids::TimeOrdered);
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    let mut held = vec![];
    for count in [30, 60, 90] {
        replay(&mut writer, &log[..count]).unwrap();
        let ticket = writer.seal().unwrap();
        held.push(handle.build_checkpoint(&ticket).unwrap());
        let again = writer.seal().unwrap();
        assert!(
            Arc::ptr_eq(
                &handle.build_checkpoint(&again).unwrap(),
                held.last().unwrap()
            ),
            "nothing new to build"
        );
    }
    let snapshots = || {
        std::fs::read_dir(dir.path().join("snapshots"))
            .unwrap()
            .count()
    };
    // A ticket nobody waits for leaves nothing, once the run writer has seen it: it has when it has
    // taken the one after it.
    drop(writer.seal().unwrap());
    let after = writer.seal().unwrap();
    handle.build_checkpoint(&after).unwrap();
    drop(after);
    assert_eq!(snapshots(), 3);
    let mut bytes = vec![];
    held[0].open(0).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, held[0].manifest().files[0].length);
    held.truncate(1);
    assert_eq!(snapshots(), 2);
    drop(held);
    assert_eq!(snapshots(), 1);
    let manifest = handle.current_checkpoint().unwrap().manifest().clone();
    assert_eq!(manifest.log_id, log_id(89));
    handle.shutdown();
    drop((writer, handle));

    // An unfinished one and one that is not valid go at the next start.
    let snapshots_dir = dir.path().join("snapshots");
    std::fs::create_dir(snapshots_dir.join("building-9-9")).unwrap();
    std::fs::create_dir(snapshots_dir.join("9-9")).unwrap();
    std::fs::write(snapshots_dir.join("9-9").join(MANIFEST_NAME), b"FART").unwrap();
    let (_writer, handle) = open(config(dir.path(), 100));
    assert_eq!(handle.current_checkpoint().unwrap().manifest(), &manifest);
    assert_eq!(snapshots(), 1);
}

#[test]
fn a_ticket_whose_run_was_abandoned_is_refused() {
    let log = log(24, 60, 30, Ids::TimeOrdered);
    let source = tempfile::tempdir().unwrap();
    let checkpoint = snapshot_of(source.path(), &log, 60);
    let dir = tempfile::tempdir().unwrap();
    let durable = TestLog::up_to(0);
    let (mut writer, handle) = Storage::open(config(dir.path(), 10_000), durable).unwrap();
    replay(&mut writer, &log[..20]).unwrap();
    let ticket = writer.seal().unwrap();
    let (path, manifest) = receive(&handle, checkpoint.dir());
    writer.install(path, &manifest).unwrap();
    assert!(matches!(
        handle.build_checkpoint(&ticket),
        Err(Error::Snapshot(_))
    ));
    assert_eq!(
        handle.current_checkpoint().unwrap().manifest().log_id,
        log_id(59)
    );
}

#[test]
fn a_ticket_that_is_dropped_takes_nothing_from_another_for_the_same_entry() {
    let log = log(27, 30, 30, Ids::TimeOrdered);
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    replay(&mut writer, &log).unwrap();
    let (dropped, kept) = (writer.seal().unwrap(), writer.seal().unwrap());
    let snapshots = dir.path().join("snapshots");
    wait_for(|| std::fs::read_dir(&snapshots).unwrap().count() == 2);
    drop(dropped);
    let checkpoint = handle.build_checkpoint(&kept).unwrap();
    assert_eq!(checkpoint.manifest().log_id, log_id(29));
}
