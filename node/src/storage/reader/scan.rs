//! Whole stretches of a cut: mutable rows by key, changes by sequence.
//!
//! Mutable rows merge the windows' newest versions with the disk's rows. Immutable rows come from disk up to the
//! commit record's index and from the windows above it, so that none is met twice and leftovers never.

use farthing_ledger::{Account, Event, NamespaceTotals, Pending, Record, RecordKey, TransferRow};
use rocksdb::DBRawIterator;

use super::Reader;
use crate::storage::error::Error;
use crate::storage::rows::history::{self, Touch};
use crate::storage::rows::ids::Place;
use crate::storage::rows::transfers::Block;
use crate::storage::rows::{current, events, family, log_index, u64_key, u128_key};
use crate::storage::window::chunk::Chunk;

/// One change of the dense sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // most are transfers
pub enum Change {
    /// A transfer with the balances after it.
    Transfer(TransferRow),
    /// Anything else.
    Event(Event),
}

impl Change {
    /// Its place in the sequence.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Transfer(row) => row.sequence,
            Self::Event(event) => event.sequence,
        }
    }
}

/// Mutable rows of some tags, by key; see [`Reader::all_accounts`] and its like.
pub struct CurrentRows<'a, T> {
    disk: DBRawIterator<'a>,
    end: Vec<u8>,
    /// Newest versions in the windows, by key descending: the next one is the last.
    recent: Vec<(&'a [u8], &'a [u8])>,
    read: fn(&[u8], &[u8]) -> Option<T>,
    failed: bool,
}

impl<T> CurrentRows<'_, T> {
    fn advance(&mut self) -> Result<Option<T>, Error> {
        let malformed = || Error::damaged("current", "malformed row");
        self.disk.status().map_err(Error::database("scan rows"))?;
        let disk = self
            .disk
            .item()
            .filter(|(key, _)| *key < self.end.as_slice());
        let item = match (disk, self.recent.last()) {
            (None, None) => return Ok(None),
            (Some((key, value)), recent) if recent.is_none_or(|(recent, _)| key < *recent) => {
                let item = (self.read)(key, value);
                self.disk.next();
                item
            }
            (disk, Some(&(key, value))) => {
                if disk.is_some_and(|(on_disk, _)| on_disk == key) {
                    self.disk.next();
                }
                self.recent.pop();
                (self.read)(key, value)
            }
            (Some(_), None) => None,
        };
        item.map(Some).ok_or_else(malformed)
    }
}

impl<T> Iterator for CurrentRows<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.advance();
        self.failed = next.is_err();
        next.transpose()
    }
}

/// Changes by sequence; see [`Reader::changes`].
pub struct Changes<'a> {
    reader: &'a Reader,
    transfers: DBRawIterator<'a>,
    events: DBRawIterator<'a>,
    /// Changes that were read and not yet given, last first.
    ready: Vec<Change>,
    event: Option<Event>,
    from: u64,
    /// Window and chunk that come next, once the disk is read through.
    recent: Option<(usize, usize)>,
    failed: bool,
}

impl Changes<'_> {
    fn advance(&mut self) -> Result<Option<Change>, Error> {
        loop {
            if let Some(change) = self.ready.pop() {
                if change.sequence() < self.from {
                    continue;
                }
                return Ok(Some(change));
            }
            let more = match self.recent {
                None => self.read_disk()?,
                Some((window, chunk)) => self.read_window(window, chunk)?,
            };
            if !more {
                return Ok(None);
            }
        }
    }

    /// Takes the next block, or the events before it. Events and blocks never overlap in sequence.
    fn read_disk(&mut self) -> Result<bool, Error> {
        let committed = self.reader.committed();
        if self.event.is_none() {
            self.event = next_event(&mut self.events, committed)?;
        }
        let block = next_block(&mut self.transfers, committed)?;
        match (self.event.take(), block) {
            (None, None) => self.recent = Some((0, 0)),
            (Some(event), block)
                if block
                    .as_ref()
                    .is_none_or(|rows| event.sequence < rows[0].sequence) =>
            {
                self.events.next();
                self.ready.push(Change::Event(event));
            }
            (event, Some(rows)) => {
                self.event = event;
                self.transfers.next();
                self.ready
                    .extend(rows.into_iter().rev().map(Change::Transfer));
            }
            (Some(_), None) => {}
        }
        Ok(true)
    }

    fn read_window(&mut self, window: usize, chunk: usize) -> Result<bool, Error> {
        let Some(view) = self.reader.lookup().windows.get(window) else {
            return Ok(false);
        };
        if chunk >= view.chunk_count() {
            self.recent = Some((window + 1, 0));
            return Ok(true);
        }
        self.recent = Some((window, chunk + 1));
        if let Some(chunk) = view
            .window()
            .chunk(chunk)
            .filter(|chunk| chunk.log_index > self.reader.committed())
        {
            self.ready = chunk_changes(chunk)?;
            self.ready.reverse();
        }
        Ok(true)
    }
}

impl Iterator for Changes<'_> {
    type Item = Result<Change, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.advance();
        self.failed = next.is_err();
        next.transpose()
    }
}

/// Every change of a chunk, by sequence.
pub(crate) fn chunk_changes(chunk: &Chunk) -> Result<Vec<Change>, Error> {
    let transfers = chunk
        .transfers()
        .map(|(sequence, _, row)| Change::Transfer(TransferRow::from_bytes(sequence, &row)));
    let mut changes: Vec<Change> = transfers.collect();
    for (sequence, value) in chunk.events() {
        let event = events::read_value(sequence, value)
            .ok_or_else(|| Error::Broken("an event is malformed".into()))?;
        changes.push(Change::Event(event));
    }
    changes.sort_by_key(Change::sequence);
    Ok(changes)
}

/// The block at the iterator, or `None` at the end of what is committed.
fn next_block(
    blocks: &mut DBRawIterator<'_>,
    committed: u64,
) -> Result<Option<Vec<TransferRow>>, Error> {
    let malformed = || Error::damaged("transfers", "malformed block");
    blocks.status().map_err(Error::database("scan transfers"))?;
    let Some((key, value)) = blocks.item() else {
        return Ok(None);
    };
    let first = u64_key(key).ok_or_else(malformed)?;
    let block = Block::read(value).ok_or_else(malformed)?;
    if block.log_index > committed {
        return Ok(None);
    }
    let rows = block.rows().enumerate().map(|(offset, row)| {
        row.map(|row| TransferRow::from_bytes(first + offset as u64, &row))
            .ok_or_else(malformed)
    });
    rows.collect::<Result<_, _>>().map(Some)
}

/// The event at the iterator, or `None` at the end of what is committed.
fn next_event(events: &mut DBRawIterator<'_>, committed: u64) -> Result<Option<Event>, Error> {
    let malformed = || Error::damaged("events", "malformed row");
    events.status().map_err(Error::database("scan events"))?;
    let Some((key, value)) = events.item() else {
        return Ok(None);
    };
    if log_index(value).ok_or_else(malformed)? > committed {
        return Ok(None);
    }
    let sequence = u64_key(key).ok_or_else(malformed)?;
    self::events::read_value(sequence, value)
        .map(Some)
        .ok_or_else(malformed)
}

impl Reader {
    /// Mutable rows whose key begins with `prefix`, by key.
    pub(crate) fn current_rows<T>(
        &self,
        prefix: &[u8],
        read: fn(&[u8], &[u8]) -> Option<T>,
    ) -> Result<CurrentRows<'_, T>, Error> {
        let mut disk = self.iterator(family::CURRENT, false)?;
        disk.seek(prefix);
        let mut end = prefix.to_vec();
        // Prefixes end in a tag or a number well below its largest value's carry.
        while let Some(last) = end.pop() {
            if last != u8::MAX {
                end.push(last + 1);
                break;
            }
        }
        // Later windows win: the first of equal keys is kept.
        let mut recent: Vec<(&[u8], &[u8])> = vec![];
        for window in self.lookup().windows.iter().rev() {
            let tag = prefix.first().copied().unwrap_or_default();
            recent.extend(
                window
                    .rows_of(tag)
                    .into_iter()
                    .filter(|(key, _)| key.starts_with(prefix)),
            );
        }
        recent.sort_by_key(|&(key, _)| key);
        recent.dedup_by_key(|&mut (key, _)| key);
        recent.reverse();
        Ok(CurrentRows {
            disk,
            end,
            recent,
            read,
            failed: false,
        })
    }

    /// Every account, by id.
    ///
    /// # Errors
    /// When the disk fails or is damaged; an item is an error too, and the last, when that shows later.
    pub fn all_accounts(&self) -> Result<CurrentRows<'_, Account>, Error> {
        self.current_rows(&[current::TAG_ACCOUNT], |_, value| {
            current::read_account(value)
        })
    }

    /// Every pending transfer whatever its status, by id.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn all_pendings(&self) -> Result<CurrentRows<'_, Pending>, Error> {
        self.current_rows(&[current::TAG_PENDING], |_, value| {
            current::read_pending(value)
        })
    }

    /// Every record, deleted ones included, by namespace and key.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn all_records(&self) -> Result<CurrentRows<'_, (RecordKey, Record)>, Error> {
        self.current_rows(&[current::TAG_RECORD], read_record)
    }

    /// The records of one namespace, deleted ones included, by key.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn records(&self, namespace: u32) -> Result<CurrentRows<'_, (RecordKey, Record)>, Error> {
        self.current_rows(
            &current::number_key(current::TAG_RECORD, namespace),
            read_record,
        )
    }

    /// The totals of every namespace, by number.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn all_namespaces(&self) -> Result<CurrentRows<'_, (u32, NamespaceTotals)>, Error> {
        self.current_rows(&[current::TAG_NAMESPACE], |key, value| {
            Some((read_number(key)?, current::read_namespace(value)?))
        })
    }

    /// Every setting that was changed, by number.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn all_settings(&self) -> Result<CurrentRows<'_, (u32, u64)>, Error> {
        self.current_rows(&[current::TAG_SETTING], |key, value| {
            Some((read_number(key)?, current::read_setting(value)?))
        })
    }

    /// Every change from a sequence number on, in the order of the log: transfers and events.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn changes(&self, from: u64) -> Result<Changes<'_>, Error> {
        let mut transfers = self.iterator(family::TRANSFERS, false)?;
        transfers.seek_for_prev(from.to_be_bytes());
        if !transfers.valid() {
            transfers
                .status()
                .map_err(Error::database("scan transfers"))?;
            transfers.seek_to_first();
        }
        let mut events = self.iterator(family::EVENTS, false)?;
        events.seek(from.to_be_bytes());
        let ready = vec![];
        Ok(Changes {
            reader: self,
            transfers,
            events,
            ready,
            event: None,
            from,
            recent: None,
            failed: false,
        })
    }

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

    /// Calls `each` with account, log index and touches of every history row on disk.
    pub(crate) fn each_history_on_disk(
        &self,
        mut each: impl FnMut(u128, u64, Vec<Touch>),
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
                    history::read_value(first, value).ok_or_else(malformed)?,
                );
            }
            rows.next();
        }
        rows.status().map_err(Error::database("scan history"))
    }
}

fn read_record(key: &[u8], value: &[u8]) -> Option<(RecordKey, Record)> {
    Some((current::split_record_key(key)?, Record::from_bytes(value)?))
}

fn read_number(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.get(1..)?.first_chunk()?))
}
