//! Reading one cut of the state: the windows first, then the disk.
//!
//! Equal keys: the window wins. Immutable rows on disk whose log index is above the cut do not exist; they are what
//! an unfinished run left behind and a later one will overwrite with the same bytes. The apply thread and all readers
//! go through here; they differ only in the RocksDB snapshot of their read options.

use std::sync::Arc;

use farthing_ledger::{Account, Pending, TransferRow};
use rocksdb::{DBPinnableSlice, DBRawIterator, ReadOptions};

use super::database::Database;
use super::error::Error;
use super::id_ranges::IdRanges;
use super::rows::ids::Place;
use super::rows::transfers::Block;
use super::rows::{current, family, log_index, u64_at, u64_key};
use super::window::chunk::IdEntry;
use super::window::{KeyHash, WindowView};

/// The windows of a cut, oldest first, and what else is known without a disk.
#[derive(Clone)]
pub(crate) struct Lookup {
    pub(crate) windows: Vec<WindowView>,
    pub(crate) hash: KeyHash,
    /// Highest log index that is part of the cut.
    pub(crate) index: u64,
    pub(crate) id_ranges: Arc<IdRanges>,
}

/// A row of the family `current`, from a window or from disk.
pub(crate) enum RowBytes<'a> {
    Window(&'a [u8]),
    Disk(DBPinnableSlice<'a>),
}

impl std::ops::Deref for RowBytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Window(bytes) => bytes,
            Self::Disk(bytes) => bytes,
        }
    }
}

/// What a transfer id leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // by value from lookups that mostly find nothing
pub enum Lead {
    /// It was refused and is taken for ever.
    Refused,
    /// It is this transfer's.
    Transfer(TransferRow),
}

impl Lookup {
    /// A mutable row from the windows.
    pub(crate) fn window_row(&self, key: &[u8]) -> Option<&[u8]> {
        let hash = self.hash.key(key);
        self.windows
            .iter()
            .rev()
            .find_map(|window| window.row(key, hash))
    }

    /// Mutable rows; `keys` in ascending order.
    pub(crate) fn rows<'a, K: AsRef<[u8]>>(
        &'a self,
        database: &'a Database,
        options: &ReadOptions,
        keys: &[K],
    ) -> Result<Vec<Option<RowBytes<'a>>>, Error> {
        let mut rows: Vec<Option<RowBytes<'a>>> = keys
            .iter()
            .map(|key| self.window_row(key.as_ref()).map(RowBytes::Window))
            .collect();
        let missing: Vec<usize> = (0..keys.len()).filter(|&at| rows[at].is_none()).collect();
        if !missing.is_empty() {
            let found = database.multi_get(
                family::CURRENT,
                missing.iter().map(|&at| &keys[at]),
                options,
            )?;
            for (at, row) in missing.into_iter().zip(found) {
                rows[at] = row.map(RowBytes::Disk);
            }
        }
        Ok(rows)
    }

    /// Accounts by id, ascending.
    pub(crate) fn accounts(
        &self,
        database: &Database,
        options: &ReadOptions,
        ids: &[u128],
    ) -> Result<Vec<Option<Account>>, Error> {
        let keys: Vec<_> = ids
            .iter()
            .map(|&id| current::id_key(current::TAG_ACCOUNT, id))
            .collect();
        let rows = self.rows(database, options, &keys)?;
        decode(&rows, "account", current::read_account)
    }

    /// Pending transfers by id, ascending.
    pub(crate) fn pendings(
        &self,
        database: &Database,
        options: &ReadOptions,
        ids: &[u128],
    ) -> Result<Vec<Option<Pending>>, Error> {
        let keys: Vec<_> = ids
            .iter()
            .map(|&id| current::id_key(current::TAG_PENDING, id))
            .collect();
        let rows = self.rows(database, options, &keys)?;
        decode(&rows, "pending", current::read_pending)
    }

    /// What the windows know of an id.
    #[inline]
    pub(crate) fn window_id(&self, id: u128) -> Option<Lead> {
        let hash = self.hash.id(id);
        let entry = self
            .windows
            .iter()
            .rev()
            .find_map(|window| window.id(id, hash))?;
        Some(match entry {
            IdEntry::Refused => Lead::Refused,
            IdEntry::Transfer(found) => {
                Lead::Transfer(TransferRow::from_bytes(found.sequence, &found.row))
            }
        })
    }

    /// What the disk knows of ids, ascending; those outside every known range are not even looked for.
    pub(crate) fn disk_ids(
        &self,
        database: &Database,
        options: &ReadOptions,
        ids: &[u128],
    ) -> Result<Vec<Option<Lead>>, Error> {
        let mut leads = vec![None; ids.len()];
        let possible: Vec<usize> = (0..ids.len())
            .filter(|&at| self.id_ranges.may_contain(ids[at]))
            .collect();
        if possible.is_empty() {
            return Ok(leads);
        }
        let keys: Vec<[u8; 16]> = possible.iter().map(|&at| ids[at].to_be_bytes()).collect();
        let found = database.multi_get(family::IDS, &keys, options)?;
        let mut places = vec![];
        for (at, row) in possible.into_iter().zip(found) {
            let Some(row) = row else { continue };
            let place =
                Place::from_bytes(&row).ok_or_else(|| Error::damaged("ids", "malformed row"))?;
            if place.log_index > self.index {
                continue;
            }
            if place.refused() {
                leads[at] = Some(Lead::Refused);
            } else {
                places.push((place.sequence, place, at));
            }
        }
        places.sort_unstable_by_key(|&(sequence, ..)| sequence);
        let mut blocks: Vec<[u8; 8]> = places
            .iter()
            .map(|(_, place, _)| place.block_key())
            .collect();
        blocks.dedup();
        let values = database.multi_get(family::TRANSFERS, &blocks, options)?;
        for (sequence, place, at) in places {
            let block = blocks
                .binary_search(&place.block_key())
                .ok()
                .and_then(|block| values[block].as_ref());
            let row = block.and_then(|block| Block::read(block)?.row(usize::from(place.offset)));
            let row = row.ok_or_else(|| {
                Error::damaged("transfers", format!("no row of sequence {sequence}"))
            })?;
            leads[at] = Some(Lead::Transfer(TransferRow::from_bytes(sequence, &row)));
        }
        Ok(leads)
    }

    /// What ids lead to, in any order and with repetitions.
    pub(crate) fn ids(
        &self,
        database: &Database,
        options: &ReadOptions,
        ids: &[u128],
    ) -> Result<Vec<Option<Lead>>, Error> {
        let mut leads: Vec<Option<Lead>> = ids.iter().map(|&id| self.window_id(id)).collect();
        let mut missing: Vec<u128> = ids
            .iter()
            .zip(&leads)
            .filter(|(_, lead)| lead.is_none())
            .map(|(&id, _)| id)
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let found = self.disk_ids(database, options, &missing)?;
        for (lead, id) in leads.iter_mut().zip(ids).filter(|(lead, _)| lead.is_none()) {
            *lead = missing.binary_search(id).ok().and_then(|at| found[at]);
        }
        Ok(leads)
    }

    /// True for each timestamp (ascending) that is an account's on disk.
    pub(crate) fn disk_account_times(
        &self,
        database: &Database,
        options: &ReadOptions,
        timestamps: &[u64],
    ) -> Result<Vec<bool>, Error> {
        let keys: Vec<_> = timestamps
            .iter()
            .map(|timestamp| timestamp.to_be_bytes())
            .collect();
        let rows = database.multi_get(family::ACCOUNT_TIMES, &keys, options)?;
        let index = self.index;
        Ok(rows
            .iter()
            .map(|row| {
                row.as_ref()
                    .and_then(|row| log_index(row))
                    .is_some_and(|at| at <= index)
            })
            .collect())
    }

    /// True for each timestamp that is a transfer's on disk. Timestamps rise with the sequence, so each is a binary
    /// search over the blocks: some thirty seeks, and only imports of accounts ask.
    pub(crate) fn disk_transfer_times(
        &self,
        database: &Database,
        options: ReadOptions,
        timestamps: &[u64],
        last_sequence: u64,
    ) -> Result<Vec<bool>, Error> {
        let mut blocks = database
            .db()?
            .raw_iterator_cf_opt(database.family(family::TRANSFERS)?, options);
        timestamps
            .iter()
            .map(|&timestamp| self.has_transfer_at(&mut blocks, timestamp, last_sequence))
            .collect()
    }

    fn has_transfer_at(
        &self,
        blocks: &mut DBRawIterator<'_>,
        timestamp: u64,
        last_sequence: u64,
    ) -> Result<bool, Error> {
        const TIMESTAMP: usize = 120;
        let malformed = || Error::damaged("transfers", "malformed block");
        // A block that holds the timestamp begins at a sequence from `low` on and before `high`.
        let (mut low, mut high) = (1_u64, last_sequence.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            blocks.seek_for_prev(middle.to_be_bytes());
            blocks
                .status()
                .map_err(Error::database("search transfers"))?;
            if !blocks.valid() {
                low = middle + 1;
                continue;
            }
            let first = blocks.key().and_then(u64_key).ok_or_else(malformed)?;
            let block = blocks.value().and_then(Block::read).ok_or_else(malformed)?;
            let times: Option<Vec<u64>> =
                block.rows().map(|row| u64_at(&row?, TIMESTAMP)).collect();
            let times = times.ok_or_else(malformed)?;
            if block.log_index > self.index
                || times.first().is_none_or(|&oldest| timestamp < oldest)
            {
                high = first;
            } else if times.last().is_some_and(|&newest| timestamp <= newest) {
                return Ok(times.binary_search(&timestamp).is_ok());
            } else {
                low = middle.max(first + block.count as u64 - 1) + 1;
            }
        }
        Ok(false)
    }
}

fn decode<T>(
    rows: &[Option<RowBytes<'_>>],
    what: &'static str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<Option<T>>, Error> {
    let malformed = || Error::damaged(what, "malformed row");
    rows.iter()
        .map(|row| {
            row.as_ref()
                .map(|row| read(row).ok_or_else(malformed))
                .transpose()
        })
        .collect()
}
