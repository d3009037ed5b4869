//! Snapshots of another node: received in pieces, installed, refused when anything about them is wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compare::assert_equal;
use super::workload::{Ids, log};
use super::*;
use crate::storage::database::Database;
use crate::storage::families::Resources;
use crate::storage::rows::{current, family};
use crate::storage::snapshot::{MANIFEST_NAME, ManifestFile, Repair};
use crate::storage::{Checkpoint, Incoming, Manifest};

/// A node's snapshot after the first `count` entries of a log.
pub(super) fn snapshot_of(dir: &Path, log: &[Entry], count: usize) -> Arc<Checkpoint> {
    let (mut writer, handle) = open(config(dir, 200));
    replay(&mut writer, &log[..count]).unwrap();
    let ticket = writer.seal().unwrap();
    let checkpoint = handle.build_checkpoint(&ticket).unwrap();
    handle.shutdown();
    checkpoint
}

fn manifest_in(dir: &Path) -> Manifest {
    Manifest::from_bytes(&std::fs::read(dir.join(MANIFEST_NAME)).unwrap()).unwrap()
}

/// Sends every file of a snapshot's directory, in pieces of odd sizes.
fn send(
    incoming: &mut Incoming,
    dir: &Path,
    spoil: impl Fn(&str, &mut Vec<u8>),
) -> Result<(), Error> {
    while let Some((position, _)) = incoming.next() {
        let name = incoming.manifest().files[position].name.clone();
        let mut bytes = std::fs::read(dir.join(&name)).unwrap();
        spoil(&name, &mut bytes);
        let mut offset = 0;
        for piece in bytes.chunks(7_777) {
            incoming.write(position, offset, piece)?;
            offset += piece.len() as u64;
        }
        if bytes.is_empty() {
            return Err(Error::Snapshot("a file lost all its bytes".into()));
        }
    }
    Ok(())
}

/// Receives the snapshot in a directory.
pub(super) fn receive(handle: &Handle, dir: &Path) -> (PathBuf, Manifest) {
    let mut incoming = handle.receive(manifest_in(dir)).unwrap();
    send(&mut incoming, dir, |_, _| ()).unwrap();
    incoming.finish().unwrap()
}

#[test]
fn a_snapshot_takes_the_place_of_the_state() {
    let log = log(21, 150, 30, Ids::TimeOrdered);
    let source = tempfile::tempdir().unwrap();
    let checkpoint = snapshot_of(source.path(), &log, 120);
    assert_eq!(checkpoint.manifest().log_id, log_id(119));

    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    replay(&mut writer, &log[..60]).unwrap();
    let old_reader = handle.reader().unwrap();
    let (path, manifest) = receive(&handle, checkpoint.dir());
    writer.install(path, &manifest).unwrap();

    assert_equal(&handle.reader().unwrap(), &reference(&log, 120));
    assert_eq!(handle.committed(), Some(log_id(119)));
    assert_eq!(
        handle.digest_at(119),
        Some(writer.applied().comparable_digest())
    );
    assert_equal(&old_reader, &reference(&log, 60));
    let generations = || {
        std::fs::read_dir(dir.path().join("state"))
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("0000"))
    };
    assert_eq!(
        generations().count(),
        2,
        "the old generation stays while somebody reads it"
    );
    drop(old_reader);
    assert_eq!(generations().count(), 1, "and goes afterwards");

    replay(&mut writer, &log).unwrap();
    wait_for_runs(&handle);
    assert_equal(&handle.reader().unwrap(), &reference(&log, 150));
    assert_eq!(handle.verify().unwrap().findings, Vec::<String>::new());

    // What was installed is also what this node would send.
    let third = tempfile::tempdir().unwrap();
    let (mut writer, third_handle) = open(config(third.path(), 100));
    let installed = handle.current_checkpoint().unwrap();
    assert_eq!(installed.manifest().log_id, log_id(119));
    let (path, manifest) = receive(&third_handle, installed.dir());
    writer.install(path, &manifest).unwrap();
    replay(&mut writer, &log).unwrap();
    assert_equal(&third_handle.reader().unwrap(), &reference(&log, 150));
    assert_eq!(third_handle.digest_at(149), handle.digest_at(149));
    assert!(third_handle.digest_at(149).is_some());
}

#[test]
fn a_snapshot_that_is_not_what_it_says_is_refused_and_the_state_stays() {
    let log = log(22, 80, 30, Ids::TimeOrdered);
    let source = tempfile::tempdir().unwrap();
    let checkpoint = snapshot_of(source.path(), &log, 80);
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    replay(&mut writer, &log[..30]).unwrap();
    let good = checkpoint.manifest().clone();

    let foreign = Manifest {
        cluster_id: 78,
        ..good.clone()
    };
    assert!(matches!(handle.receive(foreign), Err(Error::Snapshot(_))));

    let mut incoming = handle.receive(good.clone()).unwrap();
    let (next, _) = incoming.next().unwrap();
    assert!(
        matches!(incoming.write(next + 1, 0, b"x"), Err(Error::Snapshot(_))),
        "files come in order"
    );
    assert!(
        matches!(incoming.write(next, 5, b"x"), Err(Error::Snapshot(_))),
        "without gaps"
    );
    let flip = |name: &str, bytes: &mut Vec<u8>| {
        if name.ends_with(".sst") {
            bytes[20] ^= 1;
        }
    };
    assert!(
        matches!(
            send(&mut incoming, checkpoint.dir(), flip),
            Err(Error::Snapshot(_))
        ),
        "damaged on the way"
    );
    let mut incoming = handle.receive(good.clone()).unwrap();
    let grow = |_: &str, bytes: &mut Vec<u8>| bytes.push(0);
    assert!(
        matches!(
            send(&mut incoming, checkpoint.dir(), grow),
            Err(Error::Snapshot(_))
        ),
        "too long"
    );
    let incoming = handle.receive(good.clone()).unwrap();
    assert!(
        matches!(incoming.finish(), Err(Error::Snapshot(_))),
        "cut short"
    );

    // A manifest that speaks of another state than the files are.
    for lie in [
        Manifest {
            digest: crate::storage::Digest::default(),
            ..good.clone()
        },
        Manifest {
            log_id: log_id(81),
            ..good.clone()
        },
        Manifest {
            membership: None,
            ..good.clone()
        },
    ] {
        let mut incoming = handle.receive(lie).unwrap();
        send(&mut incoming, checkpoint.dir(), |_, _| ()).unwrap();
        let (path, manifest) = incoming.finish().unwrap();
        assert!(matches!(
            writer.install(path, &manifest),
            Err(Error::Snapshot(_))
        ));
    }
    assert_equal(&handle.reader().unwrap(), &reference(&log, 30));
    replay(&mut writer, &log).unwrap();
    assert_equal(&handle.reader().unwrap(), &reference(&log, 80));
}

#[test]
fn a_state_that_cannot_be_opened_is_repaired_from_a_peer() {
    let log = log(25, 60, 30, Ids::TimeOrdered);
    let source = tempfile::tempdir().unwrap();
    let checkpoint = snapshot_of(source.path(), &log, 50);
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    replay(&mut writer, &log[..40]).unwrap();
    drop(writer.seal().unwrap());
    wait_for_runs(&handle);
    handle.shutdown();
    drop((writer, handle));
    let state = dir.path().join("state/00000001");
    for file in std::fs::read_dir(&state).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("MANIFEST") {
            std::fs::write(file.path(), b"damaged").unwrap();
        }
    }
    assert!(Storage::open(config(dir.path(), 100), TestLog::ahead()).is_err());

    let repair = Repair::open(config(dir.path(), 100)).unwrap();
    let mut incoming = repair.receive(manifest_in(checkpoint.dir())).unwrap();
    send(&mut incoming, checkpoint.dir(), |_, _| ()).unwrap();
    let (path, manifest) = incoming.finish().unwrap();
    repair.install(path, &manifest).unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    assert_equal(&handle.reader().unwrap(), &reference(&log, 50));
    replay(&mut writer, &log).unwrap();
    assert_equal(&handle.reader().unwrap(), &reference(&log, 60));
}

/// A sender whose disk lies: one account's row is another, everything about it carefully made to fit.
#[test]
fn a_snapshot_whose_rows_are_not_those_of_its_digest_is_refused() {
    let log = log(26, 60, 30, Ids::TimeOrdered);
    let source = tempfile::tempdir().unwrap();
    let checkpoint = snapshot_of(source.path(), &log, 60);
    let forged = tempfile::tempdir().unwrap();
    for file in &checkpoint.manifest().files {
        let to = forged.path().join(&file.name);
        std::fs::copy(checkpoint.dir().join(&file.name), to).unwrap();
    }
    let mut account = reference(&log, 60).accounts()[0];
    account.credits_posted += 1;
    {
        let config = config(forged.path(), 100);
        let resources = Resources::new(&config).unwrap();
        let database = Database::open(forged.path(), &resources, false).unwrap();
        let file = forged.path().join("forged");
        let options = resources.family(family::CURRENT);
        let mut writer = rocksdb::SstFileWriter::create(&options);
        let mut value = vec![];
        current::write_account(&account.to_bytes(), &mut value);
        writer.open(&file).unwrap();
        writer
            .put(current::account_key(account.id), &value)
            .unwrap();
        writer.finish().unwrap();
        database.ingest(family::CURRENT, &[file]).unwrap();
    }
    let mut files = vec![];
    for (name, path) in crate::storage::files::list(forged.path()).unwrap() {
        let (length, crc32c) = crate::storage::files::checksum(&path).unwrap();
        if name != "LOCK" {
            files.push(ManifestFile {
                name,
                length,
                crc32c,
            });
        }
    }
    let manifest = Manifest {
        files,
        ..checkpoint.manifest().clone()
    };
    std::fs::write(
        forged.path().join(MANIFEST_NAME),
        manifest.to_bytes().unwrap(),
    )
    .unwrap();

    let dir = tempfile::tempdir().unwrap();
    let (mut writer, handle) = open(config(dir.path(), 100));
    let (path, manifest) = receive(&handle, forged.path());
    let refused = writer.install(path, &manifest);
    assert!(
        matches!(&refused, Err(Error::Snapshot(why)) if why.contains("digest")),
        "{refused:?}"
    );
    assert_eq!(writer.applied().log_id, None);
}
