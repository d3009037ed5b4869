//! Which generation of the state is in use, and the directories around it.
//!
//! `state/CURRENT` names it and is replaced by a synced rename; every other generation is what an interrupted or
//! finished installation left behind and goes at open. `state/runs` holds run files before they are ingested.

use std::path::{Path, PathBuf};

use super::error::{Error, step};
use super::files;

/// Places below a node's directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes the directories and removes what earlier processes left unfinished.
    /// Returns the generation in use and whether it still has to be created.
    pub(crate) fn open(root: &Path) -> Result<(Self, u32, bool), Error> {
        let layout = Self {
            root: root.to_owned(),
        };
        files::remove_dir(&layout.runs())?;
        files::remove_dir(&layout.incoming())?;
        for dir in [
            layout.state(),
            layout.runs(),
            layout.snapshots(),
            layout.incoming(),
        ] {
            files::create_dir(&dir)?;
        }
        let current = match files::read_small(&layout.state().join("CURRENT"), 64)? {
            Some(name) => parse(&String::from_utf8_lossy(&name))
                .ok_or_else(|| Error::damaged("CURRENT", "it does not name a generation"))?,
            None if layout.generations()?.is_empty() => {
                files::replace(&layout.creating(), b"")?;
                layout.switch_to(1)?;
                1
            }
            // Refuse rather than guess: an empty state next to an old one would look like amnesia.
            None => {
                return Err(Error::damaged(
                    "state",
                    "CURRENT is missing beside existing generations",
                ));
            }
        };
        for generation in layout.generations()? {
            if generation != current {
                files::remove_dir(&layout.generation(generation))?;
            }
        }
        let creating = layout.creating().exists();
        Ok((layout, current, creating))
    }

    /// The first generation exists now: from here on a missing one is a loss, not a beginning.
    pub(crate) fn created(&self) -> Result<(), Error> {
        std::fs::remove_file(self.creating())
            .map_err(|error| Error::io("remove", &self.creating(), error))?;
        files::sync_dir(&self.state())
    }

    fn creating(&self) -> PathBuf {
        self.state().join("CREATING")
    }

    /// Makes a generation the one in use.
    pub(crate) fn switch_to(&self, generation: u32) -> Result<(), Error> {
        step("storage.generation.before_switch")?;
        files::replace(
            &self.state().join("CURRENT"),
            format!("{generation:08}\n").as_bytes(),
        )?;
        step("storage.generation.after_switch")
    }

    fn generations(&self) -> Result<Vec<u32>, Error> {
        Ok(files::list(&self.state())?
            .iter()
            .filter_map(|(name, _)| parse(name))
            .collect())
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    pub(crate) fn generation(&self, generation: u32) -> PathBuf {
        self.state().join(format!("{generation:08}"))
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.state().join("runs")
    }

    pub(crate) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }
}

/// The number in a generation's name.
pub(super) fn parse(name: &str) -> Option<u32> {
    let digits = name.trim_end_matches('\n');
    (digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn other_generations_go_and_the_current_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (layout, first, creating) = Layout::open(dir.path()).unwrap();
        assert_eq!((first, creating), (1, true));
        for generation in [1, 2, 3] {
            files::create_dir(&layout.generation(generation)).unwrap();
        }
        layout.switch_to(2).unwrap();
        assert_eq!(Layout::open(dir.path()).unwrap().1, 2);
        assert_eq!(layout.generations().unwrap(), [2]);
    }

    #[test]
    fn a_missing_or_odd_current_is_not_guessed_at() {
        let dir = tempfile::tempdir().unwrap();
        let (layout, ..) = Layout::open(dir.path()).unwrap();
        files::create_dir(&layout.generation(1)).unwrap();
        let current = layout.state().join("CURRENT");
        std::fs::write(&current, "1").unwrap();
        assert!(matches!(
            Layout::open(dir.path()),
            Err(Error::Damaged { .. })
        ));
        std::fs::remove_file(&current).unwrap();
        assert!(matches!(
            Layout::open(dir.path()),
            Err(Error::Damaged { .. })
        ));
    }
}
