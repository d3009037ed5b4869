//! What a directory holds: how far the last file is, and what of its end was never written whole.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::append::{Lines, Segment};
use super::io_error;
use crate::cloud_event::{Origin, Stored};
use crate::error::Error;

const PREFIX: &str = "events-";
const SUFFIX: &str = ".ndjson";
const DIGITS: usize = 20;
/// A line is shorter: the longest event and its attributes.
const LINE_BYTES_MAX: u64 = (farthing_proofs::export::LINE_BYTES_MAX + (4 << 10)) as u64;

/// What was found.
pub(super) struct Found {
    /// The last sequence; 0 = none.
    pub(super) last: u64,
    pub(super) newest: Option<Segment>,
}

/// The name of the file whose first sequence this is.
pub(super) fn name(first: u64) -> String {
    format!("{PREFIX}{first:0DIGITS$}{SUFFIX}")
}

fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (digits.len() == DIGITS).then(|| digits.parse().ok())?
}

/// Reads the newest file, cuts what was not written whole, and opens it to go on.
pub(super) fn read(dir: &Path, origin: &Origin) -> Result<Found, Error> {
    let mut firsts = Vec::new();
    let listing = fs::read_dir(dir).map_err(|error| io_error("list", dir, &error))?;
    for entry in listing {
        let entry = entry.map_err(|error| io_error("list", dir, &error))?;
        firsts.extend(entry.file_name().to_str().and_then(first_of));
    }
    let Some(first) = firsts.into_iter().max() else {
        return Ok(Found {
            last: 0,
            newest: None,
        });
    };
    let path = dir.join(name(first));
    let scanned = scan(&path, first, origin)?;
    Ok(Found {
        // A file is made for an event that is about to be written: everything before it is in the files before.
        last: scanned.next - 1,
        newest: Some(Segment {
            first,
            lines: Lines::open(&path, scanned.bytes)?,
        }),
    })
}

struct Scanned {
    /// The sequence that must come next.
    next: u64,
    /// Bytes up to the end of the last good line.
    bytes: u64,
}

/// Goes through a file line by line. Only its end may be anything but the events that must be there.
fn scan(path: &PathBuf, first: u64, origin: &Origin) -> Result<Scanned, Error> {
    let failed = |error| io_error("read", path, &error);
    let mut reader = BufReader::with_capacity(256 << 10, File::open(path).map_err(failed)?);
    let mut scanned = Scanned {
        next: first.max(1),
        bytes: 0,
    };
    let mut line = Vec::new();
    let mut number = 0;
    let mut bad = None;
    loop {
        line.clear();
        let count = reader
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if count == 0 {
            return Ok(scanned);
        }
        number += 1;
        let stored = line.strip_suffix(b"\n").and_then(Stored::parse);
        match (stored, bad) {
            (Some(stored), None) if stored.sequence() == Some(scanned.next) => {
                origin.check(stored.source, &path.display().to_string())?;
                scanned.next += 1;
                scanned.bytes += count as u64;
            }
            // A whole event that does not follow, or follows a line that is none, was not left by a crash.
            (Some(_), _) => {
                let line = bad.unwrap_or(number);
                return Err(Error::permanent(
                    format!(
                        "{}: line {line} is not event {}",
                        path.display(),
                        scanned.next
                    ),
                    "the directory was changed or damaged: put it aside and give the sink an empty one",
                ));
            }
            (None, _) => bad = bad.or(Some(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_their_sequences_do_and_are_read_again() {
        assert_eq!(name(42), "events-00000000000000000042.ndjson");
        assert_eq!(first_of(&name(42)), Some(42));
        assert_eq!(first_of(&name(u64::MAX)), Some(u64::MAX));
        assert!(name(9) < name(10));
        for other in ["lock", "events-42.ndjson", "events-00000000000000000042.gz"] {
            assert_eq!(first_of(other), None);
        }
    }
}
