//! Killed between any two steps, storage opens again as exactly the state of a commit record, and the log repeats the
//! rest to the same rows and the same digest, whatever the run boundaries were before and after.
//!
//! The victim is this test program again, as a child that runs one test and aborts at a failpoint. Needs the feature
//! `failpoints`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use super::compare::assert_equal;
use super::install::{receive, snapshot_of};
use super::workload::{Ids, log};
use super::*;
use crate::storage::FAILPOINTS;

const ENTRIES: usize = 130;
const VARIABLE: &str = "FARTHING_STORAGE_VICTIM";

fn the_log() -> Vec<Entry> {
    log(11, ENTRIES, 30, Ids::Random)
}

/// The victim: does nothing unless it is told to.
#[test]
fn victim() {
    let Ok(orders) = std::env::var(VARIABLE) else {
        return;
    };
    let [dir, source, point, nth, transfers_max] = orders.split('\n').collect::<Vec<_>>()[..]
    else {
        panic!("orders: {orders}")
    };
    let log = the_log();
    let (mut writer, handle) = open(config(Path::new(dir), transfers_max.parse().unwrap()));
    let (nth, hits) = (nth.parse::<u64>().unwrap(), AtomicU64::new(0));
    let die = move || {
        if hits.fetch_add(1, Ordering::Relaxed) + 1 == nth {
            std::process::abort();
        }
    };
    fail::cfg_callback(point, die).unwrap();
    if !source.is_empty() {
        let (path, manifest) = receive(&handle, Path::new(source));
        writer.install(path, &manifest).unwrap();
    }
    let next = writer.applied().log_id.map_or(0, |id| id.index + 1);
    for index in next..log.len() as u64 {
        apply_entry(&mut writer, index, &log[index as usize]).unwrap();
        if index % 30 == 29 {
            let ticket = writer.seal().unwrap();
            handle.build_checkpoint(&ticket).unwrap();
        }
    }
    handle.shutdown();
}

/// Runs the victim until it dies; false when it never reached the point.
fn kill_at(dir: &Path, source: Option<&Path>, point: &str, nth: u64, transfers_max: usize) -> bool {
    let source = source.map_or(String::new(), |source| source.display().to_string());
    let orders = format!(
        "{}\n{source}\n{point}\n{nth}\n{transfers_max}",
        dir.display()
    );
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "storage::tests::kill::victim", "--nocapture"])
        .env(VARIABLE, orders)
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_ne!(
        status.code(),
        Some(101),
        "the victim failed before it died at {point}"
    );
    status.code().is_none()
}

/// The state is that of some commit, and the log repeats the rest.
fn assert_recovers(dir: &Path, transfers_max: usize, what: &str) {
    let log = the_log();
    let (mut writer, handle) = open(config(dir, transfers_max));
    let at = writer
        .applied()
        .log_id
        .map_or(0, |id| id.index as usize + 1);
    eprintln!("{what}: found {at} entries");
    assert_equal(&handle.reader().unwrap(), &reference(&log, at));
    assert_eq!(
        handle.verify().unwrap().findings,
        Vec::<String>::new(),
        "{what}"
    );
    if let Some(checkpoint) = handle.current_checkpoint() {
        let index = checkpoint.manifest().log_id.index;
        assert!(index < at as u64, "a snapshot of what is not there");
    }
    replay(&mut writer, &log).unwrap();
    wait_for_runs(&handle);
    assert_equal(&handle.reader().unwrap(), &reference(&log, log.len()));
    assert_eq!(
        handle.verify().unwrap().findings,
        Vec::<String>::new(),
        "{what}"
    );
    handle.shutdown();
}

fn points(prefix: &str) -> impl Iterator<Item = &'static str> {
    FAILPOINTS
        .into_iter()
        .filter(move |point| point.starts_with(prefix))
}

#[test]
fn killed_at_every_step_of_a_run() {
    for (number, point) in points("storage.run.").enumerate() {
        for nth in [1, 4] {
            let dir = tempfile::tempdir().unwrap();
            let what = format!("{point} ({nth})");
            assert!(
                kill_at(dir.path(), None, point, nth, 150 + 31 * number),
                "{what} was not reached"
            );
            // Killed again while the leftovers of the first time are there, at another boundary.
            kill_at(dir.path(), None, point, 2, 90 + 17 * number);
            assert_recovers(dir.path(), 60 + 43 * number, &what);
        }
    }
}

#[test]
fn killed_at_every_step_of_a_checkpoint() {
    for point in points("storage.checkpoint.") {
        for nth in [1, 2] {
            let dir = tempfile::tempdir().unwrap();
            assert!(
                kill_at(dir.path(), None, point, nth, 200),
                "{point} was not reached"
            );
            assert_recovers(dir.path(), 170, point);
        }
    }
}

#[test]
fn killed_at_every_step_of_an_installation() {
    let log = the_log();
    let source = tempfile::tempdir().unwrap();
    let checkpoint = snapshot_of(source.path(), &log, 100);
    for point in points("storage.install.").chain(points("storage.generation.")) {
        let dir = tempfile::tempdir().unwrap();
        // A state of its own, committed up to somewhere below the snapshot.
        let (mut writer, handle) = open(config(dir.path(), 100));
        replay(&mut writer, &log[..40]).unwrap();
        drop(writer.seal().unwrap());
        wait_for_runs(&handle);
        let own = handle.committed().unwrap().index;
        handle.shutdown();
        drop((writer, handle));
        assert!(
            kill_at(dir.path(), Some(checkpoint.dir()), point, 1, 80),
            "{point} was not reached"
        );
        let (writer, handle) = open(config(dir.path(), 80));
        let found = writer.applied().log_id.unwrap().index;
        assert!(
            found == own || found == 99,
            "{point}: neither the old state ({own}) nor the new one: {found}"
        );
        let switched = matches!(
            point,
            "storage.generation.after_switch" | "storage.install.published"
        );
        assert_eq!(found == 99, switched, "{point}");
        handle.shutdown();
        drop((writer, handle));
        assert_recovers(dir.path(), 130, point);
    }
}
