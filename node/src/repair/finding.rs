//! `DIR/finding.meta`: what a process has found wrong with its own data, for the next start to repair.
//!
//! A verdict that lived in memory only would be forgotten by a restart, and the node would vote and serve with what it
//! knew to be wrong.

use std::path::Path;

use bincode::{Decode, Encode};

use crate::cold;
use crate::meta;

/// The file in the node's directory.
const FILE: &str = "finding.meta";

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The state: damaged, or another than the majority's.
    State,
    /// The log.
    Log,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Of what.
    pub(crate) about: About,
    /// In words, for whoever looks.
    pub(crate) what: String,
}

#[derive(Debug, Encode, Decode)]
struct Stored {
    /// 1 state, 2 log.
    about: u8,
    what: String,
}

impl Finding {
    pub(crate) fn state(what: impl Into<String>) -> Self {
        Self {
            about: About::State,
            what: what.into(),
        }
    }

    /// What an earlier process has left. A file that does not verify says that something was found; the state is what
    /// can be had again.
    pub(crate) fn read(dir: &Path) -> std::io::Result<Option<Self>> {
        let bytes = match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = Self::from_bytes(&bytes);
        Ok(Some(found.unwrap_or_else(|error| {
            Self::state(format!("something that {FILE} does not tell: {error}"))
        })))
    }

    /// Reads [`Finding::to_bytes`]; what it does not know is about the state.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, cold::ColdError> {
        let stored: Stored = cold::decode(cold::Kind::Finding, bytes)?;
        Ok(match stored {
            Stored { about: 2, what } => Self {
                about: About::Log,
                what,
            },
            Stored { what, .. } => Self::state(what),
        })
    }

    /// Durable when it returns. A finding that is there already stays: it came first.
    pub(crate) fn write(&self, dir: &Path) -> std::io::Result<()> {
        if dir.join(FILE).exists() {
            return Ok(());
        }
        meta::replace(dir, FILE, &self.to_bytes()?)
    }

    /// The bytes of the file.
    pub(crate) fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        let stored = Stored {
            about: match self.about {
                About::State => 1,
                About::Log => 2,
            },
            what: self.what.clone(),
        };
        cold::encode(cold::Kind::Finding, &stored).map_err(std::io::Error::other)
    }

    /// It was seen to. Durable when it returns.
    pub(crate) fn clear(dir: &Path) -> std::io::Result<()> {
        match std::fs::remove_file(dir.join(FILE)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => std::fs::File::open(dir)?.sync_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_stays_until_it_is_cleared_and_the_first_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Finding::read(dir.path()).unwrap(), None);
        let log = Finding {
            about: About::Log,
            what: "a test".into(),
        };
        log.write(dir.path()).unwrap();
        Finding::state("later").write(dir.path()).unwrap();
        assert_eq!(Finding::read(dir.path()).unwrap(), Some(log));
        Finding::clear(dir.path()).unwrap();
        Finding::clear(dir.path()).unwrap();
        assert_eq!(Finding::read(dir.path()).unwrap(), None);
    }

    #[test]
    fn a_damaged_file_still_says_that_something_was_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), b"?").unwrap();
        let found = Finding::read(dir.path()).unwrap().unwrap();
        assert_eq!(found.about, About::State);
    }

    /// The bytes are a promise to later versions.
    #[test]
    fn the_file_has_these_bytes() {
        let bytes = Finding::state("rot").to_bytes().unwrap();
        assert_eq!(&bytes[..12], b"FART\x01\x00\x08\x00\x05\x00\x00\x00");
        assert_eq!(&bytes[16..], b"\x01\x03rot");
    }
}
