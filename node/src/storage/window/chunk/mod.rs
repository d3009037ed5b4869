//! What one entry changed, as the bytes that its run will write.
//!
//! `encode` makes a chunk; here is how it is read.

mod encode;

use farthing_ledger::TransferRow;

use super::index::Locator;
use crate::storage::rows::put;
use crate::storage::rows::transfers::{self, Block, BlockAt};

/// Before each mutable row: `previous u64 (locator word), key_length u8, value_length u16`.
const ROW_HEADER_BYTES: usize = 11;

/// Where an event stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventAt {
    pub(crate) sequence: u64,
    start: u32,
    end: u32,
}

/// One entry's rows; nothing in it changes once it is in a window.
pub(crate) struct Chunk {
    /// The entry.
    pub(crate) log_index: u64,
    bytes: Box<[u8]>,
    blocks: Box<[BlockAt]>,
    events: Box<[EventAt]>,
    refused: Box<[u128]>,
    /// Starts of the mutable rows.
    rows: Box<[u32]>,
    transfer_count: u32,
}

/// A transfer found in a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) sequence: u64,
    pub(crate) row: [u8; TransferRow::BYTES],
}

/// What an id leads to in a chunk.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // by value from lookups that mostly find nothing
pub(crate) enum IdEntry {
    Refused,
    Transfer(Found),
}

impl Chunk {
    /// Memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.bytes.len()
            + size_of_val(&*self.blocks)
            + size_of_val(&*self.events)
            + size_of_val(&*self.refused)
            + size_of_val(&*self.rows)
    }

    pub(crate) fn transfer_count(&self) -> usize {
        self.transfer_count as usize
    }

    /// Ids in it: transfers, then refused.
    pub(crate) fn id_count(&self) -> usize {
        self.transfer_count() + self.refused.len()
    }

    pub(crate) fn row_count(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn refused(&self) -> &[u128] {
        &self.refused
    }

    /// Each block's first sequence and bytes, in order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let transfers_end = self.transfers_end();
        self.blocks.iter().enumerate().map(move |(index, at)| {
            let end = self
                .blocks
                .get(index + 1)
                .map_or(transfers_end, |next| next.start as usize);
            (at.first_sequence, &self.bytes[at.start as usize..end])
        })
    }

    fn transfers_end(&self) -> usize {
        let row = self.rows.first().map(|&start| start as usize);
        self.events
            .first()
            .map(|event| event.start as usize)
            .or(row)
            .unwrap_or(self.bytes.len())
    }

    /// Each event's sequence and value, in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.events.iter().map(|event| {
            (
                event.sequence,
                &self.bytes[event.start as usize..event.end as usize],
            )
        })
    }

    /// Every transfer with its sequence and its place in its block, in order.
    pub(crate) fn transfers(&self) -> impl Iterator<Item = (u64, u8, [u8; TransferRow::BYTES])> {
        self.blocks.iter().flat_map(|at| {
            let rows = Block::read(&self.bytes[at.start as usize..]);
            let rows = rows.into_iter().flat_map(|block| block.rows().flatten());
            rows.enumerate()
                .map(|(offset, row)| (at.first_sequence + offset as u64, offset as u8, row))
        })
    }

    /// Every transfer as it is packed, with its sequence and its place in its block, in order.
    pub(crate) fn packed_rows(&self) -> impl Iterator<Item = (u64, u8, &[u8])> {
        self.blocks().flat_map(|(first, block)| {
            let rows = Block::read(block);
            let rows = rows.into_iter().flat_map(|block| block.packed_rows());
            rows.enumerate()
                .map(move |(offset, row)| (first + offset as u64, offset as u8, row))
        })
    }

    /// The transfer with a sequence.
    pub(crate) fn transfer(&self, sequence: u64) -> Option<[u8; TransferRow::BYTES]> {
        let block = self
            .blocks
            .partition_point(|at| at.first_sequence <= sequence)
            .checked_sub(1)?;
        let at = self.blocks[block];
        let offset = usize::try_from(sequence - at.first_sequence).ok()?;
        Block::read(&self.bytes[at.start as usize..])?.row(offset)
    }

    /// The value of the event with a sequence.
    pub(crate) fn event(&self, sequence: u64) -> Option<&[u8]> {
        let at = self
            .events
            .binary_search_by_key(&sequence, |event| event.sequence);
        let event = &self.events[at.ok()?];
        Some(&self.bytes[event.start as usize..event.end as usize])
    }

    /// Sequence of its first change.
    pub(crate) fn first_sequence(&self) -> Option<u64> {
        let transfer = self.blocks.first().map(|at| at.first_sequence);
        let event = self.events.first().map(|event| event.sequence);
        transfer.into_iter().chain(event).min()
    }

    /// Sequence of its last change.
    pub(crate) fn last_sequence(&self) -> Option<u64> {
        let last = self.last_block();
        let transfer = last.map(|(at, block)| at.first_sequence + block.count as u64 - 1);
        let event = self.events.last().map(|event| event.sequence);
        transfer.into_iter().chain(event).max()
    }

    /// Sequence of its last transfer up to a sequence.
    pub(crate) fn last_transfer_up_to(&self, sequence: u64) -> Option<u64> {
        let block = self
            .blocks
            .partition_point(|at| at.first_sequence <= sequence)
            .checked_sub(1)?;
        let at = self.blocks[block];
        let count = Block::read(&self.bytes[at.start as usize..])?.count as u64;
        Some(sequence.min(at.first_sequence + count - 1))
    }

    /// Timestamp of its last transfer.
    pub(crate) fn last_transfer_time(&self) -> Option<u64> {
        let (_, block) = self.last_block()?;
        block
            .row(block.count - 1)
            .map(|row| transfers::row_time(&row))
    }

    fn last_block(&self) -> Option<(BlockAt, Block<'_>)> {
        let at = *self.blocks.last()?;
        Some((at, Block::read(&self.bytes[at.start as usize..])?))
    }

    /// The id at a position.
    pub(crate) fn id(&self, position: usize) -> Option<IdEntry> {
        if let Some(refused) = position.checked_sub(self.transfer_count()) {
            return self.refused.get(refused).map(|_| IdEntry::Refused);
        }
        let block = self
            .blocks
            .partition_point(|at| at.rows_before as usize <= position)
            .checked_sub(1)?;
        let at = self.blocks[block];
        let offset = position - at.rows_before as usize;
        let row = Block::read(&self.bytes[at.start as usize..])?.row(offset)?;
        Some(IdEntry::Transfer(Found {
            sequence: at.first_sequence + offset as u64,
            row,
        }))
    }

    /// True when the id at a position is `id`.
    pub(crate) fn id_is(&self, position: usize, id: u128) -> bool {
        match self.id(position) {
            Some(IdEntry::Transfer(found)) => transfers::row_id(&found.row) == id,
            _ => self.refused.get(position - self.transfer_count()) == Some(&id),
        }
    }

    fn row_parts(&self, position: usize) -> (&[u8], &[u8], &[u8]) {
        let (header, rest) = self.bytes[self.rows[position] as usize..].split_at(ROW_HEADER_BYTES);
        let value_length = usize::from(u16::from_le_bytes([header[9], header[10]]));
        let (key, rest) = rest.split_at(usize::from(header[8]));
        (header, key, &rest[..value_length])
    }

    /// Key of the mutable row at a position, with its tag.
    #[inline]
    pub(crate) fn row_key(&self, position: usize) -> &[u8] {
        self.row_parts(position).1
    }

    /// Key and value of the mutable row at a position.
    pub(crate) fn row(&self, position: usize) -> (&[u8], &[u8]) {
        let (_, key, value) = self.row_parts(position);
        (key, value)
    }

    /// Where the same key stood before in this window.
    pub(crate) fn previous(&self, position: usize) -> Option<Locator> {
        let (header, ..) = self.row_parts(position);
        Locator::from_word(u64::from_le_bytes(*header.first_chunk()?))
    }

    /// Links a row to the one before it; only while the chunk is not in a window yet.
    pub(super) fn set_previous(&mut self, position: usize, previous: Option<Locator>) {
        let at = self.rows[position] as usize;
        put(
            &mut self.bytes,
            at,
            Locator::to_word(previous).to_le_bytes(),
        );
    }
}
