//! State that is damaged: what counts as that, who has met it, and how it is put out of the way.
//!
//! RocksDB notices most damage only when it reads the block. Whoever meets it notes it here; that the node then stops
//! serving and repairs itself is decided above.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rocksdb::ErrorKind::{Corruption, IOError, InvalidArgument, NotFound};

use super::error::Error;
use super::files;

/// Damaged states that are kept for whoever wants to look at them; older ones go, because each takes the room of a state.
const KEPT_MAX: usize = 2;

impl Error {
    /// Whether bytes or files that were written are not there any more, so that trying again cannot help. A disk that
    /// refuses for the moment, or is full, is no damage.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Database { source, .. } => match source.kind() {
                Corruption | NotFound | InvalidArgument => true,
                // A file of the state that is missing or shorter than it was.
                IOError => {
                    let words: &str = source.as_ref();
                    words.contains("No such file") || words.contains("truncated")
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// The first damage that anybody met since the state was opened.
#[derive(Debug, Default)]
pub(crate) struct Met(OnceLock<String>);

impl Met {
    pub(crate) fn note(&self, error: &Error) {
        if error.is_damage() && self.0.set(error.to_string()).is_ok() {
            tracing::error!(%error, "the state is damaged");
        }
    }

    pub(crate) fn first(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// Moves the state below the node's directory `dir` to `state.damaged.N` and removes the snapshots, which share its
/// files. The next open begins an empty state. No storage may be open there.
///
/// # Errors
/// When the disk refuses.
pub fn put_state_aside(dir: &Path) -> Result<PathBuf, Error> {
    files::remove_dir(&dir.join("snapshots"))?;
    put_aside(dir, "state")
}

/// Renames `DIR/name` to `DIR/name.damaged.N`, durably, and keeps the newest few of those.
///
/// # Errors
/// When the disk refuses.
pub fn put_aside(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    let prefix = format!("{name}.damaged.");
    let mut kept: Vec<(u64, PathBuf)> = files::list(dir)?
        .into_iter()
        .filter_map(|(found, path)| Some((found.strip_prefix(&prefix)?.parse().ok()?, path)))
        .collect();
    kept.sort();
    let number = kept.last().map_or(1, |(last, _)| last.saturating_add(1));
    // Before there is one more: the disk may have no room for three.
    while kept.len() >= KEPT_MAX {
        files::remove_dir(&kept.remove(0).1)?;
    }
    let aside = dir.join(format!("{prefix}{number}"));
    files::rename(&dir.join(name), &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn damage_is_told_from_a_disk_that_refuses() {
        let io = |kind: std::io::ErrorKind| Error::io("write", Path::new("x"), kind.into());
        assert!(Error::damaged("row", "a test").is_damage());
        assert!(!io(std::io::ErrorKind::StorageFull).is_damage());
        assert!(!Error::Cancelled("a test").is_damage());
        let met = Met::default();
        met.note(&io(std::io::ErrorKind::StorageFull));
        assert_eq!(met.first(), None);
        met.note(&Error::damaged("row", "the first"));
        met.note(&Error::damaged("row", "the second"));
        assert!(met.first().unwrap().contains("the first"));
    }

    #[test]
    fn the_newest_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        for number in 1..=4 {
            std::fs::create_dir(dir.path().join("state")).unwrap();
            std::fs::write(dir.path().join("state/which"), number.to_string()).unwrap();
            let aside = put_state_aside(dir.path()).unwrap();
            assert!(aside.ends_with(format!("state.damaged.{number}")));
        }
        let left = files::list(dir.path()).unwrap();
        let names: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["state.damaged.3", "state.damaged.4"]);
        let kept = std::fs::read_to_string(dir.path().join("state.damaged.4/which")).unwrap();
        assert_eq!(kept, "4");
    }
}
