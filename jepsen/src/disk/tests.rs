#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::store::ROOT;
use super::{Disk, Faults, NoSpace, Store, Survival, Zone, available};

struct Bench {
    store: Store,
    _dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(&dir.path().join("objects")).unwrap();
        Self { store, _dir: dir }
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> u64 {
        let made = self.store.make(ROOT, OsStr::new(name), 0o644, false);
        let number = made.unwrap().number;
        self.store.write(number, 0, bytes).unwrap();
        number
    }

    fn lose(&mut self) {
        self.store.cut_power();
        self.store.restore_power(&mut Survival::Nothing).unwrap();
    }

    fn read(&mut self, name: &str) -> Option<Vec<u8>> {
        let found = self.store.look_up(ROOT, OsStr::new(name)).ok()?;
        let length = found.length as usize;
        Some(self.store.read(found.number, 0, length + 10).unwrap())
    }
}

#[test]
fn what_is_not_synced_goes_and_what_is_synced_stays() {
    let mut bench = Bench::new();
    let number = bench.file("a", b"first");
    bench.store.sync(number).unwrap();
    bench.store.sync(ROOT).unwrap();
    bench.store.write(number, 3, b"never synced").unwrap();
    bench.lose();
    assert_eq!(bench.read("a").unwrap(), b"first");
    bench.store.write(number, 0, b"F").unwrap();
    bench.store.sync(number).unwrap();
    bench.lose();
    assert_eq!(bench.read("a").unwrap(), b"First");
}

#[test]
fn a_name_needs_a_sync_of_its_directory() {
    let mut bench = Bench::new();
    let number = bench.file("a", b"bytes");
    bench.store.sync(number).unwrap();
    bench.lose();
    assert_eq!(bench.read("a"), None);
}

#[test]
fn a_rename_without_a_sync_of_the_directory_is_undone() {
    let mut bench = Bench::new();
    let old = bench.file("current", b"old");
    let new = bench.file("next", b"new");
    bench.store.sync(old).unwrap();
    bench.store.sync(new).unwrap();
    bench.store.sync(ROOT).unwrap();
    let rename = |store: &mut Store| {
        let (from, to) = (OsStr::new("next"), OsStr::new("current"));
        store.rename((ROOT, from), (ROOT, to), true).unwrap();
    };
    rename(&mut bench.store);
    assert_eq!(bench.read("current").unwrap(), b"new");
    bench.lose();
    assert_eq!(bench.read("current").unwrap(), b"old");
    assert_eq!(bench.read("next").unwrap(), b"new");
    rename(&mut bench.store);
    bench.store.sync(ROOT).unwrap();
    bench.lose();
    assert_eq!(bench.read("current").unwrap(), b"new");
    assert_eq!(bench.read("next"), None);
}

#[test]
fn what_was_removed_comes_back_until_the_directory_is_synced() {
    let mut bench = Bench::new();
    let number = bench.file("a", b"bytes");
    bench.store.sync(number).unwrap();
    bench.store.sync(ROOT).unwrap();
    bench.store.remove(ROOT, OsStr::new("a"), false).unwrap();
    assert_eq!(bench.read("a"), None);
    bench.lose();
    assert_eq!(bench.read("a").unwrap(), b"bytes");
    bench.store.remove(ROOT, OsStr::new("a"), false).unwrap();
    bench.store.sync(ROOT).unwrap();
    bench.lose();
    assert_eq!(bench.read("a"), None);
    assert_eq!(bench.store.used(), 0);
}

#[test]
fn a_cut_file_gets_its_end_back() {
    let mut bench = Bench::new();
    let bytes: Vec<u8> = (0..10_000).map(|at| at as u8).collect();
    let number = bench.file("a", &bytes);
    bench.store.sync(number).unwrap();
    bench.store.sync(ROOT).unwrap();
    bench.store.resize(number, 5000).unwrap();
    bench.store.resize(number, 12_000).unwrap();
    bench.store.write(number, 4990, &[7; 100]).unwrap();
    bench.lose();
    assert_eq!(bench.read("a").unwrap(), bytes);
}

/// A disk that has got round to some of it: every sector is the old one or the new one, whole.
#[test]
fn what_half_survives_is_old_or_new_by_sectors() {
    let mut torn = 0;
    for seed in 0..40 {
        let mut bench = Bench::new();
        let number = bench.file("a", &[1; 16_384]);
        bench.store.sync(number).unwrap();
        bench.store.sync(ROOT).unwrap();
        bench.store.write(number, 0, &[2; 20_480]).unwrap();
        bench.store.cut_power();
        let mut random = StdRng::seed_from_u64(seed);
        let how = &mut Survival::Some(&mut random);
        bench.store.restore_power(how).unwrap();
        let bytes = bench.read("a").unwrap();
        assert!((16_384..=20_480).contains(&bytes.len()));
        for sector in bytes[..16_384].chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]));
            assert!(matches!(sector[0], 1 | 2));
        }
        torn += u32::from(bytes[..16_384].contains(&1) && bytes[..16_384].contains(&2));
    }
    assert!(torn > 10, "{torn}");
}

/// The kernel's way: a failed sync marks pages clean, and the next sync says that all is well.
#[test]
fn a_sync_after_a_failed_one_does_not_save_what_the_failed_one_lost() {
    let mut bench = Bench::new();
    let number = bench.file("log/x", b"old");
    bench.store.sync(number).unwrap();
    bench.store.sync(ROOT).unwrap();
    bench.store.write(number, 0, b"new").unwrap();
    bench.store.set_faults(Faults {
        sync_fails: Zone::ALL.into(),
        ..Faults::default()
    });
    assert!(bench.store.sync(number).is_err());
    bench.store.set_faults(Faults::default());
    bench.store.sync(number).unwrap();
    bench.lose();
    assert_eq!(bench.read("log/x").unwrap(), b"old");
    bench.store.write(number, 0, b"new").unwrap();
    bench.store.sync(number).unwrap();
    bench.lose();
    assert_eq!(bench.read("log/x").unwrap(), b"new");
}

#[test]
fn without_power_nothing_happens() {
    let mut bench = Bench::new();
    let number = bench.file("a", b"bytes");
    bench.store.cut_power();
    assert!(bench.store.write(number, 0, b"x").is_err());
    assert!(bench.store.sync(number).is_err());
    assert!(bench.store.sync(ROOT).is_err());
    assert!(bench.store.look_up(ROOT, OsStr::new("a")).is_err());
}

#[test]
fn a_full_disk_takes_what_fits_and_says_how_much_is_free() {
    let mut bench = Bench::new();
    let number = bench.file("a", &[1; 4096]);
    let capacity = bench.store.used() + 4096;
    bench.store.set_faults(Faults {
        full: Some(NoSpace { capacity }),
        ..Faults::default()
    });
    assert_eq!(bench.store.room().1, 4096);
    assert_eq!(bench.store.write(number, 4096, &[2; 6000]).unwrap(), 4096);
    assert!(bench.store.write(number, 8192, &[3]).is_err());
    // What it has room for already is no matter of space.
    assert_eq!(bench.store.write(number, 0, &[4; 8192]).unwrap(), 8192);
    assert!(bench.store.make(ROOT, OsStr::new("b"), 0, false).is_err());
}

#[test]
fn zones_are_found_by_names() {
    let zones = [
        ("/data/log/0000000000000001.log", Zone::Log),
        ("/data/log/pool/spare", Zone::Log),
        ("/data/state/00000001/000012.sst", Zone::Sst),
        ("/data/state/00000001/MANIFEST-000005", Zone::Manifest),
        ("/data/state/CURRENT", Zone::Manifest),
        ("/data/snapshots/1-7/000012.sst", Zone::Snapshot),
        ("/data/incoming/000012.sst", Zone::Snapshot),
        ("/data/node.meta", Zone::Other),
    ];
    for (path, zone) in zones {
        assert_eq!(Zone::of(path), zone, "{path}");
    }
}

struct Mounted {
    disk: Option<Disk>,
    dir: TempDir,
}

/// `None`, said aloud, where nobody may mount.
fn mounted() -> Option<Mounted> {
    let dir = tempfile::tempdir().unwrap();
    let (at, objects) = (dir.path().join("at"), dir.path().join("objects"));
    let mounted = available().and_then(|()| Disk::mount(&at, &objects, &dir.path().join("out")));
    match mounted {
        Ok(disk) => Some(Mounted {
            disk: Some(disk),
            dir,
        }),
        Err(error) => {
            eprintln!("not tested, disks cannot be mounted here: {error}");
            None
        }
    }
}

impl Mounted {
    fn at(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join("at").join(path)
    }

    fn disk(&self) -> &Disk {
        self.disk.as_ref().unwrap()
    }
}

fn sync_directory(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
}

#[test]
fn a_mounted_disk_is_a_file_system() {
    let Some(mut bench) = mounted() else { return };
    fs::create_dir_all(bench.at("data/state/1")).unwrap();
    let path = bench.at("data/state/1/000001.sst");
    let open = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path);
    let mut file = open.unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at / 7) as u8).collect();
    file.write_all(&bytes).unwrap();
    file.sync_data().unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let linked = bench.at("data/linked");
    fs::hard_link(&path, &linked).unwrap();
    assert_eq!(fs::metadata(&linked).unwrap().nlink(), 2);
    fs::rename(&path, bench.at("data/state/renamed")).unwrap();
    assert!(!path.exists());
    // Open files outlive their names.
    fs::remove_file(bench.at("data/state/renamed")).unwrap();
    fs::remove_file(&linked).unwrap();
    let mut back = [0; 10];
    file.read_exact_at(&mut back, 0).unwrap();
    assert_eq!(back[..], bytes[..10]);
    for number in 0..300 {
        fs::write(bench.at(&format!("data/state/f{number}")), b"x").unwrap();
    }
    let listed: BTreeSet<_> = fs::read_dir(bench.at("data/state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(listed.len(), 301);
    fs::remove_dir_all(bench.at("data/state")).unwrap();
    fs::write(bench.at("data/kept"), b"kept").unwrap();
    let locked = File::open(bench.at("data/kept")).unwrap();
    locked.try_lock().unwrap();
    let other = File::open(bench.at("data/kept")).unwrap();
    assert!(other.try_lock().is_err());
    drop((locked, other, file));
    bench.disk = None;
    // What was on it can be looked at afterwards.
    let out = bench.dir.path().join("out/data/kept");
    assert_eq!(fs::read(out).unwrap(), b"kept");
}

#[test]
fn a_mounted_disk_loses_what_was_not_synced() {
    let Some(bench) = mounted() else { return };
    fs::create_dir(bench.at("data")).unwrap();
    sync_directory(&bench.at(""));
    fs::write(bench.at("data/gone"), b"gone").unwrap();
    let mut file = File::create(bench.at("data/a")).unwrap();
    file.write_all(b"synced").unwrap();
    file.sync_all().unwrap();
    sync_directory(&bench.at("data"));
    file.write_all(b" and not").unwrap();
    fs::rename(bench.at("data/a"), bench.at("data/b")).unwrap();
    bench.disk().store().cut_power();
    assert!(file.write_all(b"x").is_err());
    drop(file);
    let restored = bench.disk().restore_power(&mut Survival::Nothing);
    restored.unwrap();
    let mut text = String::new();
    let mut file = File::open(bench.at("data/a")).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "synced");
    assert!(!bench.at("data/b").exists());
    // Its directory was synced after it was made, so its name is there; its bytes never were.
    assert_eq!(fs::read(bench.at("data/gone")).unwrap(), b"");
}

#[test]
fn a_mounted_disk_fails_and_dawdles_by_zone() {
    let Some(bench) = mounted() else { return };
    fs::create_dir_all(bench.at("data/log")).unwrap();
    fs::create_dir_all(bench.at("data/state")).unwrap();
    let log = File::create(bench.at("data/log/1.log")).unwrap();
    log.write_all_at(b"bytes", 0).unwrap();
    let state = File::create(bench.at("data/state/1.sst")).unwrap();
    let set = |faults: Faults| bench.disk().store().set_faults(faults);
    set(Faults {
        sync_fails: [Zone::Log].into(),
        sync_takes: Some(([Zone::Sst].into(), Duration::from_millis(300))),
        ..Faults::default()
    });
    assert!(log.sync_data().is_err());
    let began = Instant::now();
    state.sync_data().unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    set(Faults {
        read_fails: [Zone::Log].into(),
        full: Some(NoSpace { capacity: 0 }),
        ..Faults::default()
    });
    assert!(fs::read(bench.at("data/log/1.log")).is_err());
    assert_eq!(
        rustix::fs::statvfs(bench.at("")).unwrap().f_bavail,
        0,
        "the disk says that it is full"
    );
    set(Faults::default());
    assert_eq!(fs::read(bench.at("data/log/1.log")).unwrap(), b"bytes");
}
