//! The same on the file system of the machine.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{Disk, OpenMode, RealDisk};

use super::*;

/// A directory that is removed when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("farthing-log-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_log_on_the_real_disk_is_written_recycled_and_opened_again() {
    let dir = Directory::new();
    let open = || {
        Log::open(
            Arc::new(RealDisk),
            Config {
                dir: dir.0.join("log"),
                ..config()
            },
        )
        .unwrap()
    };
    let log = open();
    for round in 0..30u64 {
        // Large and small payloads, so that both ways of writing are used.
        append(&log, entries(1, round * 10 + 1..=round * 10 + 9, 700));
        append(&log, entries(1, round * 10 + 10..=round * 10 + 10, 9000));
        done(|callback| log.purge(id(1, round * 10 + 2), callback)).unwrap();
    }
    done(|callback| log.save_vote(vote(8), callback)).unwrap();
    let before = view(&log);
    assert_eq!(before.entries.len(), 8);
    assert!(log.bytes_on_disk() < 20 * (16 << 10));
    log.close();
    let log = open();
    assert_eq!(view(&log), before);
}

#[test]
fn the_real_disk_does_what_the_trait_says() {
    let dir = Directory::new();
    let path = dir.0.join("a");
    let missing = RealDisk.open(&path, OpenMode::Existing).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let file = RealDisk.open(&path, OpenMode::CreateNew).unwrap();
    let again = RealDisk.open(&path, OpenMode::CreateNew).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    file.write_zeros(0, 3_000_000).unwrap();
    assert_eq!(file.length().unwrap(), 3_000_000);
    // More slices than one system call takes, some of them empty.
    let parts: Vec<Vec<u8>> = (0..3000u32)
        .map(|at| vec![at as u8; (at % 7) as usize])
        .collect();
    let slices: Vec<io::IoSlice<'_>> = parts.iter().map(|part| io::IoSlice::new(part)).collect();
    file.write_at(1000, &slices).unwrap();
    file.write_at(5, &[io::IoSlice::new(&[])]).unwrap();
    file.sync_data().unwrap();
    let want = parts.concat();
    let mut got = vec![0; want.len()];
    file.read_at(1000, &mut got).unwrap();
    assert!(got == want);
    let beyond = file.read_at(2_999_999, &mut [0; 2]).unwrap_err();
    assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    RealDisk.rename(&path, &dir.0.join("b")).unwrap();
    RealDisk.create_dir_all(&dir.0.join("c/d")).unwrap();
    RealDisk.sync_dir(&dir.0).unwrap();
    assert_eq!(RealDisk.list(&dir.0).unwrap(), ["b"]);
    assert!(RealDisk.free_bytes(&dir.0).unwrap() > 0);
    RealDisk.remove(&dir.0.join("b")).unwrap();
    assert!(RealDisk.list(&dir.0).unwrap().is_empty());
}
