//! Whole stretches of a cut: mutable rows by key, changes by sequence, ids and history in the order of their families.
//!
//! Mutable rows merge the windows' newest versions with the disk's rows. Immutable rows come from disk up to the
//! commit record's index and from the windows above it, so that none is met twice and leftovers never.

mod bodies;
mod changes;
mod current;

pub(crate) use changes::chunk_changes;
pub use changes::{Change, Changes};
pub use current::CurrentRows;

use super::Reader;
use crate::storage::error::Error;
use crate::storage::rows::history;
use crate::storage::rows::ids::Place;
use crate::storage::rows::postings::{self, Posting};
use crate::storage::rows::user_data::{Field, Of};
use crate::storage::rows::{family, log_index, u128_key};
use crate::storage::window::chunk::Chunk;

impl Reader {
    /// Calls `each` with every refused id, in no order that means anything.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn each_refused(&self, mut each: impl FnMut(u128)) -> Result<(), Error> {
        self.each_id_on_disk(|id, place| {
            if place.refused() {
                each(id);
            }
        })?;
        for chunk in self.recent_chunks() {
            chunk.refused().iter().for_each(|&id| each(id));
        }
        Ok(())
    }

    /// Chunks whose rows are not on disk as far as this cut is concerned.
    pub(crate) fn recent_chunks(&self) -> impl Iterator<Item = &Chunk> {
        let chunks = self
            .lookup()
            .windows
            .iter()
            .flat_map(|window| window.chunks());
        chunks.filter(|chunk| chunk.log_index > self.committed())
    }

    pub(crate) fn each_id_on_disk(&self, mut each: impl FnMut(u128, Place)) -> Result<(), Error> {
        let malformed = || Error::damaged("ids", "malformed row");
        let mut ids = self.iterator(family::IDS, false)?;
        ids.seek_to_first();
        while let Some((key, value)) = ids.item() {
            let id = u128_key(key).ok_or_else(malformed)?;
            let place = Place::from_bytes(value).ok_or_else(malformed)?;
            if place.log_index <= self.committed() {
                each(id, place);
            }
            ids.next();
        }
        ids.status().map_err(Error::database("scan ids"))
    }

    /// Calls `each` with account, log index and changes of every history row on disk.
    pub(crate) fn each_history_on_disk(
        &self,
        mut each: impl FnMut(u128, u64, Vec<Posting>),
    ) -> Result<(), Error> {
        let malformed = || Error::damaged("history", "malformed row");
        let mut rows = self.iterator(family::HISTORY, false)?;
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            let (account, first) = history::split_key(key).ok_or_else(malformed)?;
            let index = log_index(value).ok_or_else(malformed)?;
            if index <= self.committed() {
                each(
                    account,
                    index,
                    postings::read_value(first, value).ok_or_else(malformed)?,
                );
            }
            rows.next();
        }
        rows.status().map_err(Error::database("scan history"))
    }

    /// Calls `each` with every row on disk of the lists by one field of user data.
    pub(crate) fn each_value_on_disk(
        &self,
        field: Field,
        mut each: impl FnMut(Of, u128, Vec<Posting>),
    ) -> Result<(), Error> {
        let malformed = || Error::damaged(field.family(), "malformed row");
        let mut rows = self.iterator(field.family(), false)?;
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            let (of, carried, first) = field.split_key(key).ok_or_else(malformed)?;
            if log_index(value).ok_or_else(malformed)? <= self.committed() {
                let postings = postings::read_value(first, value).ok_or_else(malformed)?;
                each(of, carried, postings);
            }
            rows.next();
        }
        rows.status().map_err(Error::database("scan user data"))
    }
}
