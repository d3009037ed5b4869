//! A node's text log: bounded at every start, and its end shown when a start fails.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::failure::Failure;

/// A log longer than this is set aside at the next start; one older log is kept, so two of these at most stay.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How much of the end is read for a report.
const TAIL_BYTES: u64 = 8 * 1024;

/// Opens the log for appending, after setting an overlong one aside as `node.log.1`.
///
/// # Errors
/// [`crate::failure::Code::Io`] when it cannot be opened or renamed.
pub(super) fn open(path: &Path) -> Result<fs::File, Failure> {
    open_bounded(path, LOG_BYTES_MAX)
}

fn open_bounded(path: &Path, bytes_max: u64) -> Result<fs::File, Failure> {
    let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if length > bytes_max {
        fs::rename(path, path.with_extension("log.1"))
            .map_err(|error| Failure::io("set aside", path, &error))?;
    }
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| Failure::io("open", path, &error))
}

/// The last lines of a log, at most `lines_max`; empty when there is none.
#[must_use]
pub(super) fn tail(path: &Path, lines_max: usize) -> Vec<String> {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(lines_max);
    lines[from..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn an_overlong_log_is_set_aside_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.log");
        for round in 0..3 {
            let mut file = open_bounded(&path, 4).unwrap();
            writeln!(file, "round {round}").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "round 2\n");
        assert_eq!(
            fs::read_to_string(dir.path().join("node.log.1")).unwrap(),
            "round 1\n"
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.log");
        assert!(tail(&path, 2).is_empty());
        fs::write(&path, "one\ntwo\nthree\n").unwrap();
        assert_eq!(tail(&path, 2), ["two", "three"]);
    }
}
