//! Edits of the files of a node that does not run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::rngs::StdRng;

/// What disks lose at once.
const BLOCK: u64 = 4096;

/// Parts of what a node keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Zone {
    /// Segments of the log.
    Log,
    /// The first records of the newest segment: vote, committed, purged.
    Vote,
    /// Sorted files of the state.
    Sst,
    /// The list of those.
    Manifest,
    /// Files of a snapshot.
    Snapshot,
}

impl Zone {
    pub(super) const ALL: [Self; 5] = [
        Self::Log,
        Self::Vote,
        Self::Sst,
        Self::Manifest,
        Self::Snapshot,
    ];

    fn has(self, path: &Path) -> bool {
        let text = path.to_string_lossy();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let in_log = text.contains("/log/") && !text.contains("/pool/") && name.ends_with(".log");
        match self {
            Self::Log | Self::Vote => in_log && !text.contains("/state/"),
            Self::Sst => text.contains("/state/") && name.ends_with(".sst"),
            Self::Manifest => {
                text.contains("/state/") && (name.starts_with("MANIFEST-") || name == "CURRENT")
            }
            Self::Snapshot => text.contains("/snapshots/"),
        }
    }

    /// A file of this zone that holds something.
    pub(super) fn file(self, dir: &Path, random: &mut StdRng) -> Option<PathBuf> {
        let mut files = Vec::new();
        walk(dir, &mut files).ok()?;
        files.retain(|path| self.has(path) && fs::metadata(path).is_ok_and(|it| it.len() != 0));
        files.sort();
        if self == Self::Vote {
            return files.pop();
        }
        (!files.is_empty()).then(|| files.swap_remove(random.random_range(0..files.len())))
    }

    /// Where in a file of so many bytes, most of a log segment being zeros.
    fn place(self, path: &Path, length: u64, random: &mut StdRng) -> io::Result<u64> {
        Ok(match self {
            Self::Vote => random.random_range(0..BLOCK.min(length)) % 192 + BLOCK,
            Self::Log => random.random_range(0..used(path)?.max(1)),
            _ => random.random_range(0..length),
        }
        .min(length - 1))
    }
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Bytes up to the last that is not zero.
fn used(path: &Path) -> io::Result<u64> {
    let bytes = fs::read(path)?;
    let last = bytes.iter().rposition(|byte| *byte != 0);
    Ok(last.map_or(0, |last| last as u64 + 1))
}

/// Flips one to eight bits near to each other.
pub(super) fn flip(zone: Zone, path: &Path, random: &mut StdRng) -> io::Result<String> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let at = zone.place(path, length, random)?;
    let count = random.random_range(1..=8);
    for _ in 0..count {
        let at = (at + random.random_range(0..16)).min(length - 1);
        let mut byte = [0];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut byte)?;
        byte[0] ^= 1 << random.random_range(0..8);
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&byte)?;
    }
    file.sync_all()?;
    Ok(format!("{count} bits at {at} of {length}"))
}

/// Cuts the end off.
pub(super) fn cut(zone: Zone, path: &Path, random: &mut StdRng) -> io::Result<String> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    let at = zone.place(path, length, random)?;
    file.set_len(at)?;
    file.sync_all()?;
    Ok(format!("cut at {at} of {length}"))
}

/// Zeroes a few blocks, or puts a block where another was.
pub(super) fn misplace(zone: Zone, path: &Path, random: &mut StdRng) -> io::Result<String> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let at = zone.place(path, length, random)? / BLOCK * BLOCK;
    let (from, what) = if random.random() {
        (None, "zeroed")
    } else {
        let from = zone.place(path, length, random)? / BLOCK * BLOCK;
        (Some(from), "overwritten with another")
    };
    let size = BLOCK.min(length - at) as usize;
    let mut block = vec![0; size];
    if let Some(from) = from {
        file.seek(SeekFrom::Start(from))?;
        let read = (&mut file).take(size as u64).read(&mut block)?;
        block.truncate(read);
    }
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&block)?;
    file.sync_all()?;
    Ok(format!("block at {at} of {length} {what}"))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Copies a directory with all that is in it.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
