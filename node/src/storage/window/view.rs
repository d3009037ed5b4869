//! A window as far as one reader may see it: up to a chunk, whatever is appended meanwhile.

use std::sync::Arc;

use super::Window;
use super::chunk::{Chunk, IdEntry};
use super::index::{Locator, Table};
use super::lists::{Found, ListKey};
use crate::storage::error::Error;

/// Key and value of a mutable row.
type Row<'a> = (&'a [u8], &'a [u8]);

/// The tag of a key and the 16 bytes behind it as a number: sorts like the key as far as they go, which is all of it
/// for most.
fn leading(key: &[u8]) -> (u8, u128) {
    let mut leading = [0; 16];
    let rest = key.get(1..).unwrap_or_default();
    let length = rest.len().min(16);
    leading[..length].copy_from_slice(&rest[..length]);
    (
        key.first().copied().unwrap_or_default(),
        u128::from_be_bytes(leading),
    )
}

/// A window as far as one reader may see it.
#[derive(Clone)]
pub(crate) struct WindowView {
    pub(super) window: Arc<Window>,
    pub(super) chunk_count: usize,
    pub(super) ids: Arc<Table>,
    pub(super) rows: Arc<Table>,
}

impl WindowView {
    /// Value of a mutable row, if it changed in this window; `hash` is [`KeyHash::key`] of it.
    pub(crate) fn row(&self, key: &[u8], hash: u64) -> Option<&[u8]> {
        let head = self
            .rows
            .find(hash, |locator| self.window.row_key_is(locator, key))
            .1?;
        self.version(head).map(|(_, value)| value)
    }

    /// The newest version within the cut, from the newest there is.
    fn version(&self, head: Locator) -> Option<(&[u8], &[u8])> {
        let mut at = Some(head);
        while let Some(locator) = at {
            let chunk = self.window.chunks.get(locator.chunk())?;
            if locator.chunk() < self.chunk_count {
                return Some(chunk.row(locator.position()));
            }
            at = chunk.previous(locator.position());
        }
        None
    }

    /// What an id leads to, if it was used in this window; `hash` is [`KeyHash::id`] of it.
    #[inline]
    pub(crate) fn id(&self, id: u128, hash: u64) -> Option<IdEntry> {
        let same = |locator: Locator| {
            self.window
                .chunks
                .get(locator.chunk())
                .is_some_and(|chunk| chunk.id_is(locator.position(), id))
        };
        let locator = self.ids.find(hash, same).1?;
        if locator.chunk() >= self.chunk_count {
            return None;
        }
        self.window
            .chunks
            .get(locator.chunk())?
            .id(locator.position())
    }

    /// Newest versions of the mutable rows whose tag is `tag`, by key.
    pub(crate) fn rows_of(&self, tag: u8) -> Vec<(&[u8], &[u8])> {
        self.rows_where(|key| key.first() == Some(&tag))
    }

    /// Newest versions of all mutable rows, by key.
    pub(crate) fn rows(&self) -> Vec<(&[u8], &[u8])> {
        self.rows_where(|_| true)
    }

    fn rows_where(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<Row<'_>> {
        let mut heads: Vec<Locator> = self.rows.locators().collect();
        // In the order of memory first: the index knows none, and every row elsewhere is a wait.
        heads.sort_unstable();
        let is_wanted = |locator: &Locator| {
            let chunk = self.window.chunks.get(locator.chunk());
            chunk.is_some_and(|chunk| wanted(chunk.row_key(locator.position())))
        };
        let heads = heads.into_iter().filter(is_wanted);
        let mut rows: Vec<((u8, u128), Row<'_>)> = heads
            .filter_map(|head| self.version(head))
            .map(|row| (leading(row.0), row))
            .collect();
        // Most keys differ in their first bytes; the others are compared in full, where they are.
        rows.sort_unstable_by(|(one, (key, _)), (other, (other_key, _))| {
            one.cmp(other).then_with(|| key.cmp(other_key))
        });
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The chunks within the cut, in the order of the log.
    pub(crate) fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        (0..self.chunk_count).filter_map(|number| self.window.chunks.get(number))
    }

    /// A list of changes; it may hold changes behind the cut, which the caller knows by their sequence.
    pub(crate) fn list(&self, key: ListKey) -> Result<Found, Error> {
        self.window.lists.find(&self.window, self.chunk_count, key)
    }

    /// How many chunks within the cut end before a sequence.
    pub(crate) fn chunks_before(&self, sequence: u64) -> Result<usize, Error> {
        let lists = &self.window.lists;
        lists.chunks_before(&self.window, self.chunk_count, sequence)
    }

    /// The chunk within the cut that holds a sequence, if any does.
    pub(crate) fn chunk_of(&self, sequence: u64) -> Result<Option<&Chunk>, Error> {
        let number = self.chunks_before(sequence)?;
        let within = Some(number).filter(|number| *number < self.chunk_count);
        Ok(within.and_then(|number| self.window.chunk(number)))
    }

    /// The first chunk within the cut with a transfer at `time` or later.
    pub(crate) fn chunk_at(&self, time: u64) -> Result<Option<&Chunk>, Error> {
        let number = self
            .window
            .lists
            .chunk_at(&self.window, self.chunk_count, time)?;
        Ok(number.and_then(|number| self.window.chunk(number)))
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunk_count
    }

    pub(crate) fn window(&self) -> &Arc<Window> {
        &self.window
    }
}
