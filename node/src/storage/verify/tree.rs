//! The rows of the tree against the changes that they were hashed from.

use farthing_proofs::{Change, Frontier};

use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::{family, merkle};

/// A tree that grows again beside what is stored.
pub(super) struct Regrown<'a> {
    reader: &'a Reader,
    frontier: Frontier,
    /// Level and index of the first subtree whose row is not what it should be.
    wrong: Option<(u32, u64)>,
}

impl<'a> Regrown<'a> {
    pub(super) fn new(reader: &'a Reader) -> Self {
        Self {
            reader,
            frontier: Frontier::new(),
            wrong: None,
        }
    }

    /// Takes the next change.
    pub(super) fn add(&mut self, change: &Change) -> Result<(), Error> {
        let mut complete = vec![];
        self.frontier.push(change.leaf(), |level, index, hash| {
            if merkle::is_kept(level) {
                complete.push((level, index, *hash));
            }
        });
        if change.sequence() > self.reader.committed_sequence() {
            return Ok(());
        }
        for (level, index, hash) in complete {
            let rows = self
                .reader
                .multi_get(family::MERKLE, &[merkle::key(level, index)])?;
            let row = rows.first().and_then(|row| row.as_ref());
            if row.and_then(|row| merkle::read_value(row)) != Some(hash) {
                self.wrong.get_or_insert((level, index));
            }
        }
        Ok(())
    }

    /// What is wrong, in words.
    pub(super) fn finding(&self) -> Option<String> {
        let (level, index) = self.wrong?;
        let first = (index << level) + 1;
        let last = (index + 1) << level;
        Some(format!(
            "the tree's hash of the changes {first} to {last} is not theirs"
        ))
    }
}
