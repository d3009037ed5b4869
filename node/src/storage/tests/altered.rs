//! What somebody altered in a node's files, behind its back, is found: a row with the checksums of the file made anew, or
//! any bit of any file.

use std::fs;
use std::path::{Path, PathBuf};

use farthing_proofs::{Frontier, Hash};
use rocksdb::{DB, IteratorMode, Options};

use super::workload::{Ids, Random, log};
use super::*;
use crate::storage::Digest;
use crate::storage::rows::{current, family};

const ALTERATIONS: usize = 200;

/// What a state says, and what of it was signed before anybody altered it.
struct Said {
    digest: Digest,
    history: Vec<Vec<u8>>,
    root: Hash,
}

/// A state whose rows are all in files.
fn state(dir: &Path) -> Said {
    let log = log(61, 120, 30, Ids::Random);
    let (mut writer, handle) = open(config(dir, 400));
    replay(&mut writer, &log).unwrap();
    let ticket = writer.seal().unwrap();
    handle.build_checkpoint(&ticket).unwrap();
    wait_for_runs(&handle);
    assert!(handle.verify().unwrap().is_sound());
    let history = history(&handle).unwrap();
    assert!(history.len() > 1_000, "{}", history.len());
    let said = Said {
        digest: handle.applied().digest,
        root: root(&history),
        history,
    };
    handle.shutdown();
    // Copies of the same rows for other nodes, whose manifests say what is in them.
    fs::remove_dir_all(dir.join("snapshots")).unwrap();
    said
}

/// Every change as the bytes that are hashed.
fn history(handle: &Handle) -> Result<Vec<Vec<u8>>, Error> {
    let mut all = vec![];
    for change in handle.reader()?.changes(1)? {
        let mut bytes = vec![];
        change?.write_to(&mut bytes);
        all.push(bytes);
    }
    Ok(all)
}

fn root(history: &[Vec<u8>]) -> Hash {
    let mut frontier = Frontier::new();
    for bytes in history {
        frontier.push(Hash::of_leaf(bytes), |_, _, _| ());
    }
    frontier.root()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => fs::copy(entry.path(), &to).map(|_| ()).unwrap(),
        }
    }
}

fn files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, into),
            false => into.push(path),
        }
    }
}

/// Whether a node with these files says that something is wrong, when it starts or when it looks, or does not have the
/// history that was signed.
fn is_found(dir: &Path, said: &Said) -> bool {
    let Ok((_writer, handle)) = Storage::open(config(dir, 400), TestLog::ahead()) else {
        return true;
    };
    let is_sound = handle.verify().is_ok_and(|report| report.is_sound());
    let history = history(&handle).unwrap_or_default();
    let found = !is_sound || root(&history) != said.root;
    if !found {
        assert!(history == said.history, "it went unseen");
        assert_eq!(handle.applied().digest, said.digest);
    }
    handle.shutdown();
    found
}

/// The directory of the database.
fn database(dir: &Path) -> PathBuf {
    let mut all = vec![];
    files(dir, &mut all);
    let is_database = |path: &&PathBuf| path.to_string_lossy().contains("MANIFEST-");
    let manifest = all.iter().find(is_database).unwrap();
    manifest.parent().unwrap().to_owned()
}

/// Changes, removes or moves one row of one family, and says which.
fn alter_a_row(dir: &Path, random: &mut Random) -> String {
    let path = database(dir);
    let options = Options::default();
    let families = DB::list_cf(&options, &path).unwrap();
    let database = DB::open_cf(&options, &path, &families).unwrap();
    let (name, key, value) = loop {
        let name = family::ALL[random.below(family::ALL.len() as u64) as usize];
        let family = database.cf_handle(name).unwrap();
        let rows: Vec<_> = database.iterator_cf(family, IteratorMode::Start).collect();
        if !rows.is_empty() {
            let row = rows[random.below(rows.len() as u64) as usize].clone();
            let (key, value) = row.unwrap();
            // Wider ranges of ids cost a look and say nothing.
            if (name, &*key) != (family::CURRENT, &[current::TAG_ID_RANGES]) {
                break (name, key, value);
            }
        }
    };
    let family = database.cf_handle(name).unwrap();
    let flip = |bytes: &[u8], random: &mut Random| {
        let mut bytes = bytes.to_vec();
        let at = random.below(bytes.len() as u64 * 8);
        bytes[at as usize / 8] ^= 1 << (at % 8);
        bytes
    };
    let what = match random.below(4) {
        0 => {
            database.delete_cf(family, &key).unwrap();
            "removed"
        }
        1 => {
            database.delete_cf(family, &key).unwrap();
            database.put_cf(family, flip(&key, random), &value).unwrap();
            "moved"
        }
        // A row that is all key.
        _ if value.is_empty() => {
            database.delete_cf(family, &key).unwrap();
            "removed"
        }
        _ => {
            // Which entry wrote a row says only whether it is a leftover of an unfinished run.
            let entry = match name {
                family::CURRENT => 0..0,
                family::TRANSFERS => 8..16,
                _ => 0..8,
            };
            let changed = loop {
                let changed = flip(&value, random);
                if changed[entry.clone()] == value[entry.clone()] {
                    break changed;
                }
            };
            database.put_cf(family, &key, changed).unwrap();
            "changed"
        }
    };
    database.flush_cf(family).unwrap();
    format!("{what} {name} {key:02x?}")
}

#[test]
fn an_altered_row_is_found_wherever_it_is() {
    let (sound, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let said = state(sound.path());
    let mut random = Random::new(67);
    let mut missed = vec![];
    for number in 0..ALTERATIONS {
        let dir = work.path().join(number.to_string());
        copy(sound.path(), &dir);
        let what = alter_a_row(&dir, &mut random);
        if !is_found(&dir, &said) {
            missed.push(what);
        }
        fs::remove_dir_all(&dir).unwrap();
    }
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn an_altered_bit_of_a_file_is_found_or_changes_nothing() {
    let (sound, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let said = state(sound.path());
    let mut random = Random::new(71);
    let mut found = 0;
    for number in 0..ALTERATIONS {
        let dir = work.path().join(number.to_string());
        copy(sound.path(), &dir);
        let mut all = vec![];
        files(&dir, &mut all);
        all.retain(|path| fs::metadata(path).unwrap().len() != 0);
        all.sort();
        let path = &all[random.below(all.len() as u64) as usize];
        let mut bytes = fs::read(path).unwrap();
        let at = random.below(bytes.len() as u64 * 8);
        bytes[at as usize / 8] ^= 1 << (at % 8);
        fs::write(path, bytes).unwrap();
        found += usize::from(is_found(&dir, &said));
        fs::remove_dir_all(&dir).unwrap();
    }
    // The rest are RocksDB's own words and options, which say nothing of the ledger.
    assert!(found * 2 > ALTERATIONS, "{found} of {ALTERATIONS}");
}
