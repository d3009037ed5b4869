//! Readers beside the writer: every cut is whole, whatever is applied, written and dropped meanwhile. And what is
//! damaged is said, not guessed.

use std::sync::atomic::AtomicBool;

use farthing_ledger::View;

use super::compare::{assert_equal, reference_digest};
use super::workload::{Ids, log};
use super::*;
use crate::storage::{Reader, verify};

struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn every_reader_meets_one_whole_cut() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(31, 400, 30, Ids::Random);
    let mut state = MemoryState::new();
    let digests: Vec<_> = log
        .iter()
        .map(|entry| {
            apply_reference(&mut state, entry);
            (reference_digest(&state), state.clock().sequence)
        })
        .collect();
    let (mut writer, handle) = open(config(dir.path(), 60));
    let done = AtomicBool::new(false);
    let met: usize = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut met, mut last) = (0, 0);
                    while !done.load(Ordering::Acquire) {
                        let reader = handle.reader().unwrap();
                        let Some(id) = reader.applied().log_id else {
                            continue;
                        };
                        assert!(id.index >= last, "time does not run backwards");
                        last = id.index;
                        let (digest, sequence) = digests[id.index as usize];
                        assert_eq!(
                            verify::digest(&reader, &mut |_| Ok(())).unwrap(),
                            digest,
                            "the rows of cut {last}"
                        );
                        assert_eq!(reader.changes(1).unwrap().count() as u64, sequence);
                        met += 1;
                    }
                    met
                })
            })
            .collect();
        // Ends the readers also when the writer fails.
        let ended = Ended(&done);
        replay(&mut writer, &log).unwrap();
        wait_for_runs(&handle);
        drop(ended);
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .sum()
    });
    assert!(met > 20, "only {met} cuts were met");
    assert!(handle.gauges().unwrap().runs > 20);
}

#[test]
fn a_flipped_bit_on_disk_is_found_and_never_a_panic() {
    let log = log(32, 60, 30, Ids::TimeOrdered);
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 10_000));
    replay(&mut writer, &log).unwrap();
    drop(writer.seal().unwrap());
    wait_for_runs(&handle);
    handle.shutdown();
    drop((writer, handle));
    let state = dir.path().join("state/00000001");
    let files: Vec<_> = std::fs::read_dir(&state)
        .unwrap()
        .flatten()
        .map(|file| file.path())
        .collect();
    let mut found = 0;
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "sst"))
    {
        let good = std::fs::read(file).unwrap();
        for part in [4, 2] {
            let mut bytes = good.clone();
            let at = bytes.len() / part;
            bytes[at] ^= 0x10;
            std::fs::write(file, &bytes).unwrap();
            let outcome = Storage::open(config(dir.path(), 10_000), TestLog::ahead()).and_then(
                |(_writer, handle)| {
                    let report = handle.verify();
                    handle.shutdown();
                    Ok(report?.is_sound())
                },
            );
            found += usize::from(!matches!(outcome, Ok(true)));
        }
        std::fs::write(file, &good).unwrap();
    }
    assert!(
        found >= files.len() / 2,
        "{found} of the flipped bits were noticed"
    );
    let (_writer, handle) = open(config(dir.path(), 10_000));
    assert_equal(&handle.reader().unwrap(), &reference(&log, 60));
}

#[test]
fn what_the_expiry_queue_says_is_a_lower_bound() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(33, 200, 30, Ids::TimeOrdered);
    let (mut writer, handle) = open(config(dir.path(), 150));
    let mut state = MemoryState::new();
    for (index, entry) in log.iter().enumerate() {
        apply_entry(&mut writer, index as u64, entry).unwrap();
        apply_reference(&mut state, entry);
        if let Some(next) = state.next_expiry() {
            assert!(
                handle.next_due().is_some_and(|due| due <= next),
                "entry {index}"
            );
        }
    }
}

#[test]
fn a_cut_that_the_disk_has_overtaken_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(34, 60, 30, Ids::TimeOrdered);
    let (mut writer, handle) = open(config(dir.path(), 10_000));
    replay(&mut writer, &log[..30]).unwrap();
    let hash = handle.shared().hash;
    let early = handle.shared().published();
    drop(writer.seal().unwrap());
    wait_for_runs(&handle);
    // Its windows hold all that was committed: the cut is as good as it was.
    let reader = Reader::try_of(Arc::clone(&early), hash).unwrap().unwrap();
    assert_equal(&reader, &reference(&log, 30));
    replay(&mut writer, &log).unwrap();
    let reader = Reader::try_of(Arc::clone(&early), hash).unwrap().unwrap();
    assert_equal(&reader, &reference(&log, 30));
    drop(writer.seal().unwrap());
    wait_for_runs(&handle);
    assert!(
        Reader::try_of(early, hash).unwrap().is_none(),
        "rows of later entries are on disk"
    );
    assert_equal(&handle.reader().unwrap(), &reference(&log, 60));
}
