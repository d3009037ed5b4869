//! Changes by sequence: from disk up to the commit record's index, then from the windows.

use farthing_ledger::{Event, TransferRow};
pub use farthing_proofs::Change;
use rocksdb::DBRawIterator;

use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::transfers::Block;
use crate::storage::rows::{events, family, log_index, u64_key};
use crate::storage::window::chunk::Chunk;

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
fn next_event(rows: &mut DBRawIterator<'_>, committed: u64) -> Result<Option<Event>, Error> {
    let malformed = || Error::damaged("events", "malformed row");
    rows.status().map_err(Error::database("scan events"))?;
    let Some((key, value)) = rows.item() else {
        return Ok(None);
    };
    if log_index(value).ok_or_else(malformed)? > committed {
        return Ok(None);
    }
    let sequence = u64_key(key).ok_or_else(malformed)?;
    events::read_value(sequence, value)
        .map(Some)
        .ok_or_else(malformed)
}

impl Reader {
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
}
