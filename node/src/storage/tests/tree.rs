//! The tree over all changes: the same whatever the runs, restarts and installations were, and provable.

use std::time::{Duration, Instant};

use farthing_proofs::{Change, Frontier, Hash, consistency, inclusion};

use super::install::{receive, snapshot_of};
use super::workload::{Ids, Random, log};
use super::*;
use crate::storage::rows::{family, merkle};
use crate::storage::verify;

/// Leaves enough that rows of the second level that is kept would show a wrong first one.
const ENTRIES: usize = 500;

fn leaves(handle: &Handle) -> Vec<Hash> {
    let reader = handle.reader().unwrap();
    let changes = reader.changes(1).unwrap();
    changes.map(|change| change.unwrap().leaf()).collect()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf, |_, _, _| ());
    }
    frontier.root()
}

/// The tree once it covers everything that is applied.
fn tree(handle: &Handle) -> crate::storage::Keeper {
    let began = Instant::now();
    loop {
        let tree = handle.tree().unwrap();
        if tree.edge().size() == handle.applied().clock.sequence {
            return tree;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the tree does not grow: {:?}",
            handle.failure()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn restarts_and_runs_change_no_tree() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(41, ENTRIES, 30, Ids::Random);
    for (count, transfers_max) in [(90, 60), (91, 7), (300, 200), (ENTRIES, 1_000)] {
        let (mut writer, handle) = open(config(dir.path(), transfers_max));
        replay(&mut writer, &log[..count]).unwrap();
        let leaves = leaves(&handle);
        let tree = tree(&handle);
        assert_eq!(tree.edge().root(), root(&leaves), "{count} entries");
        for size in [0, 1, leaves.len() / 2, leaves.len() - 1, leaves.len()] {
            assert_eq!(tree.root(size as u64).unwrap(), root(&leaves[..size]));
        }
        assert!(count < 300 || leaves.len() > 1_024, "{}", leaves.len());
        handle.shutdown();
    }
}

#[test]
fn any_change_and_any_two_sizes_are_provable() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(43, ENTRIES, 30, Ids::TimeOrdered);
    let (mut writer, handle) = open(config(dir.path(), 150));
    replay(&mut writer, &log).unwrap();
    let leaves = leaves(&handle);
    let tree = tree(&handle);
    let mut random = Random::new(5);
    for _ in 0..60 {
        let size = 1 + random.below(leaves.len() as u64);
        let index = random.below(size);
        let root = tree.root(size).unwrap();
        let path = inclusion::prove(&tree, index, size).unwrap().unwrap();
        inclusion::verify(&leaves[index as usize], index, size, &path, &root).unwrap();
        let old = 1 + random.below(size);
        let path = consistency::prove(&tree, old, size).unwrap().unwrap();
        let old_root = tree.root(old).unwrap();
        consistency::verify(old, &old_root, size, &root, &path).unwrap();
    }
}

#[test]
fn an_installed_snapshot_brings_its_tree() {
    let (dir, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = log(47, ENTRIES, 30, Ids::Random);
    let snapshot = snapshot_of(source.path(), &log, 400);
    let (mut writer, handle) = open(config(dir.path(), 100));
    replay(&mut writer, &log[..40]).unwrap();
    tree(&handle);
    let (path, manifest) = receive(&handle, snapshot.dir());
    writer.install(path, &manifest).unwrap();
    replay(&mut writer, &log).unwrap();
    assert_eq!(tree(&handle).edge().root(), root(&leaves(&handle)));
    wait_for_runs(&handle);
    assert!(handle.verify().unwrap().is_sound());
}

#[test]
fn changes_are_told_from_any_place() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(53, 120, 30, Ids::Random);
    let (mut writer, handle) = open(config(dir.path(), 150));
    replay(&mut writer, &log).unwrap();
    let reader = handle.reader().unwrap();
    let changes: Vec<Change> = reader.changes(1).unwrap().map(Result::unwrap).collect();
    let bytes = |change: &Change| {
        let mut bytes = vec![];
        change.write_to(&mut bytes);
        bytes
    };
    let expected: Vec<Vec<u8>> = changes.iter().map(bytes).collect();
    for from in 1..=changes.len() + 1 {
        let mut told = vec![];
        let each = &mut |sequence: u64, kind: u8, body: &[u8]| {
            let mut bytes = vec![];
            farthing_proofs::change::write(sequence, kind, body, &mut bytes);
            told.push(bytes);
            told.len() < 90
        };
        reader.each_body(from as u64, each).unwrap();
        let until = changes.len().min(from - 1 + 90);
        assert_eq!(told, expected[from - 1..until], "from {from}");
    }
}

#[test]
fn a_row_that_is_not_the_hash_of_its_changes_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(59, 200, 30, Ids::Random);
    let (mut writer, handle) = open(config(dir.path(), 150));
    replay(&mut writer, &log).unwrap();
    let ticket = writer.seal().unwrap();
    handle.build_checkpoint(&ticket).unwrap();
    assert!(handle.verify().unwrap().is_sound());
    let path = dir.path().join("wrong.sst");
    let options = handle.shared().resources.family(family::MERKLE);
    let mut file = rocksdb::SstFileWriter::create(&options);
    file.open(&path).unwrap();
    let value = merkle::value(1, &Hash::of_leaf(b"something else"));
    file.put(merkle::key(8, 1), value).unwrap();
    file.finish().unwrap();
    drop(file);
    let database = Arc::clone(&handle.shared().published().database);
    database.ingest(family::MERKLE, &[path]).unwrap();
    let findings = handle.verify().unwrap().findings;
    assert_eq!(
        findings,
        ["the tree's hash of the changes 257 to 512 is not theirs"]
    );
    let error = verify::digest(&handle.reader().unwrap(), &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("257 to 512"), "{error}");
}
