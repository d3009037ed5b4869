//! Changes as they are stored, without reading what is in them: for whoever hashes or forwards them.

use farthing_ledger::KIND_TRANSFER;
use rocksdb::DBRawIterator;

use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::transfers::Block;
use crate::storage::rows::{events, family, log_index, u64_key};
use crate::storage::window::chunk::Chunk;

/// Told the sequence, kind and body of each change; says whether to go on.
pub(crate) type EachBody<'a> = &'a mut dyn FnMut(u64, u8, &[u8]) -> bool;

/// Sequence, kind and body of a change.
type Body<'a> = (u64, u8, &'a [u8]);

impl Reader {
    /// Tells of every change from a sequence on, in order, until it is told to stop.
    ///
    /// # Errors
    /// When the disk fails or is damaged.
    pub(crate) fn each_body(&self, from: u64, each: EachBody<'_>) -> Result<(), Error> {
        if from <= self.committed_sequence() && !self.each_body_on_disk(from, each)? {
            return Ok(());
        }
        for view in &self.lookup().windows {
            let chunk = |number: usize| view.window().chunk(number);
            // From the end, because who follows wants the newest.
            let mut first = view.chunk_count();
            while first > 0
                && chunk(first - 1)
                    .and_then(Chunk::last_sequence)
                    .is_none_or(|last| last >= from)
            {
                first -= 1;
            }
            for chunk in (first..view.chunk_count()).filter_map(chunk) {
                if chunk.log_index > self.committed() && !chunk.each_body(from, each)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The same for what is on disk; false when it was told to stop.
    fn each_body_on_disk(&self, from: u64, each: EachBody<'_>) -> Result<bool, Error> {
        let mut blocks = self.iterator(family::TRANSFERS, false)?;
        blocks.seek_for_prev(from.to_be_bytes());
        if !blocks.valid() {
            blocks.seek_to_first();
        }
        let mut others = self.iterator(family::EVENTS, false)?;
        others.seek(from.to_be_bytes());
        loop {
            let block = self.block(&blocks)?;
            let other = self.other(&others)?;
            match (block, other) {
                (None, None) => return Ok(true),
                (block, Some((sequence, kind, body)))
                    if block.is_none_or(|(first, _)| sequence < first) =>
                {
                    if !each(sequence, kind, body) {
                        return Ok(false);
                    }
                    others.next();
                }
                (Some((first, block)), _) => {
                    if !each_row(first, &block, from, each)? {
                        return Ok(false);
                    }
                    blocks.next();
                }
                (None, Some(_)) => {}
            }
        }
    }

    /// The block at the iterator and its first sequence; `None` at the end of what is committed.
    fn block<'a>(&self, rows: &'a DBRawIterator<'_>) -> Result<Option<(u64, Block<'a>)>, Error> {
        let malformed = || Error::damaged(family::TRANSFERS, "malformed block");
        rows.status().map_err(Error::database("scan transfers"))?;
        let Some((key, value)) = rows.item() else {
            return Ok(None);
        };
        let first = u64_key(key).ok_or_else(malformed)?;
        let block = Block::read(value).ok_or_else(malformed)?;
        Ok((block.log_index <= self.committed()).then_some((first, block)))
    }

    /// Sequence, kind and body of the row at the iterator; `None` at the end of what is committed.
    fn other<'a>(&self, rows: &'a DBRawIterator<'_>) -> Result<Option<Body<'a>>, Error> {
        let malformed = || Error::damaged(family::EVENTS, "malformed row");
        rows.status().map_err(Error::database("scan events"))?;
        let Some((key, value)) = rows.item() else {
            return Ok(None);
        };
        let index = log_index(value).ok_or_else(malformed)?;
        let sequence = u64_key(key).ok_or_else(malformed)?;
        let (kind, body) = events::parts(value).ok_or_else(malformed)?;
        Ok((index <= self.committed()).then_some((sequence, kind, body)))
    }
}

impl Chunk {
    /// Tells of every change from a sequence on, in order; false when it was told to stop.
    pub(crate) fn each_body(&self, from: u64, each: EachBody<'_>) -> Result<bool, Error> {
        let mut others = self.events().peekable();
        let mut other_before = |end: u64, each: EachBody<'_>| {
            while let Some((sequence, value)) = others.next_if(|(sequence, _)| *sequence < end) {
                let malformed = || Error::Broken(format!("event {sequence} cannot be read back"));
                let (kind, body) = events::parts(value).ok_or_else(malformed)?;
                if sequence >= from && !each(sequence, kind, body) {
                    return Ok(false);
                }
            }
            Ok::<_, Error>(true)
        };
        for (first, block) in self.blocks() {
            let block = Block::read(block)
                .ok_or_else(|| Error::Broken(format!("block {first} cannot be read back")))?;
            if !other_before(first, each)? || !each_row(first, &block, from, each)? {
                return Ok(false);
            }
        }
        other_before(u64::MAX, each)
    }
}

fn each_row(first: u64, block: &Block<'_>, from: u64, each: EachBody<'_>) -> Result<bool, Error> {
    let mut sequence = first;
    for row in block.packed_rows() {
        if sequence >= from && !each(sequence, KIND_TRANSFER, row) {
            return Ok(false);
        }
        sequence += 1;
    }
    if sequence != first + block.count as u64 {
        return Err(Error::damaged(family::TRANSFERS, "malformed block"));
    }
    Ok(true)
}
