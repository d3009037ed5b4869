//! The few things storage does with files and directories, each durable when it returns.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::Error;

/// Makes a directory and all above it.
pub(crate) fn create_dir(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|error| Error::io("create", path, error))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Removes a directory and everything in it; one that is not there is fine.
pub(crate) fn remove_dir(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Makes what a directory lists durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| Error::io("sync", path, error))
}

/// Renames within one directory, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|error| Error::io("rename", from, error))?;
    to.parent().map_or(Ok(()), sync_dir)?;
    match (from.parent(), to.parent()) {
        (Some(from), Some(to)) if from != to => sync_dir(from),
        _ => Ok(()),
    }
}

/// Replaces a small file in one step: readers find the old bytes or the new ones, never a part.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| Error::io("write", &temporary, error))?;
    rename(&temporary, path)
}

/// A small file's bytes, or `None` when it is not there; longer than `bytes_max` is damage.
pub(crate) fn read_small(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("open", path, error)),
    };
    let mut bytes = vec![];
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::io("read", path, error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::damaged(
            "file",
            format!("{} is longer than {bytes_max} bytes", path.display()),
        ));
    }
    Ok(Some(bytes))
}

/// Bytes that the file system of a directory has for us.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, Error> {
    let stat =
        rustix::fs::statvfs(path).map_err(|error| Error::io("look at", path, error.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Names and paths in a directory, in order.
pub(crate) fn list(path: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let entries = fs::read_dir(path).map_err(|error| Error::io("list", path, error))?;
    let mut list = vec![];
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", path, error))?;
        list.push((
            entry.file_name().to_string_lossy().into_owned(),
            entry.path(),
        ));
    }
    list.sort();
    Ok(list)
}

/// Length in bytes and crc32c of a file.
pub(crate) fn checksum(path: &Path) -> Result<(u64, u32), Error> {
    let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
    let mut buffer = vec![0; 1 << 20];
    let (mut length, mut crc) = (0, 0);
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| Error::io("read", path, error))?;
        if count == 0 {
            return Ok((length, crc));
        }
        length += count as u64;
        crc = crc32c::crc32c_append(crc, &buffer[..count]);
    }
}

/// Directories below the node's own; what lies deeper is not ours.
const DEPTH_MAX: usize = 8;

/// Bytes that a directory takes on its disk. A file that a snapshot shares with the state counts once; what vanishes
/// while we look is not counted.
pub fn used_bytes(dir: &Path) -> u64 {
    let mut seen = HashSet::new();
    let mut left = vec![(dir.to_path_buf(), 0)];
    let mut bytes = 0;
    while let Some((dir, depth)) = left.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() && depth < DEPTH_MAX {
                left.push((entry.path(), depth + 1));
            } else if metadata.nlink() < 2 || seen.insert((metadata.dev(), metadata.ino())) {
                bytes += metadata.blocks() * 512;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_shared_file_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        let file = dir.path().join("a/file");
        std::fs::write(&file, vec![1; 1 << 20]).unwrap();
        let alone = used_bytes(dir.path());
        assert!((1 << 20..2 << 20).contains(&alone), "{alone}");
        std::fs::hard_link(&file, dir.path().join("link")).unwrap();
        assert_eq!(used_bytes(dir.path()), alone);
        std::fs::write(dir.path().join("other"), vec![1; 1 << 20]).unwrap();
        assert!(used_bytes(dir.path()) > alone);
    }
}
