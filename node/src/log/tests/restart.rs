//! The process dies and the machine does not: the next process sees what was written and not synced, and must not take
//! it for durable. Then the power is cut.

use std::collections::BTreeMap;
use std::io::IoSlice;

use crate::disk::{Crash, Disk, DiskFile, MemoryDisk, OpenMode, Operation, Survival};

use super::model::{Recording, script};
use super::*;

/// A disk on which the same operations were performed and nothing else was: what they did not sync is not durable.
fn performed(history: &[Operation]) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let mut files: BTreeMap<usize, Arc<dyn DiskFile>> = BTreeMap::new();
    for operation in history {
        match operation {
            Operation::Write {
                file,
                offset,
                bytes,
            } => files[file].write_at(*offset as u64, &[IoSlice::new(bytes)]),
            Operation::Zeros {
                file,
                offset,
                length,
            } => files[file].write_zeros(*offset as u64, *length as u64),
            Operation::SyncData { file } => files[file].sync_data(),
            Operation::Directory { path } => disk.create_dir_all(path),
            Operation::Create { path, file } => disk
                .open(path, OpenMode::CreateNew)
                .map(|opened| drop(files.insert(*file, opened))),
            Operation::Rename { from, to } => disk.rename(from, to),
            Operation::Remove { path } => disk.remove(path),
            Operation::SyncDirectory { path } => disk.sync_dir(path),
        }
        .unwrap();
    }
    disk
}

#[test]
fn what_a_new_process_finds_and_adds_survives_the_power() {
    for seed in 1..=3 {
        let recording = Recording::run(&script(seed, 60));
        let history = recording.disk.history();
        for position in 0..=history.len() {
            let disk = performed(&history[..position]);
            let log = open(&disk);
            let mut want = view(&log);
            let after_opening = disk.position();
            let next = want.state.last.map_or(0, |id| id.index + 1);
            append(&log, vec![entry(1000, next, 100)]);
            let acknowledged = disk.position();
            log.close();
            // The first thing that was acknowledged, and what was there before anything was.
            for (cut, added) in [(after_opening, false), (acknowledged, true)] {
                if added {
                    want.entries.push(entry(1000, next, 100));
                    want.state.last = Some(id(1000, next));
                }
                let image = Crash::after(&disk, cut).image(0, |_| Survival::Lost);
                assert_eq!(
                    view(&open(&image)),
                    want,
                    "script {seed}, died at {position}, the power cut at {cut}"
                );
            }
        }
    }
}
