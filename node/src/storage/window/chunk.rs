//! What one entry changed, as the bytes that its run will write.

use farthing_ledger::{Changes, TransferRow};

use super::index::{Locator, POSITIONS_MAX};
use crate::storage::accounts::Memo;
use crate::storage::digest::{self, Digest};
use crate::storage::error::Error;
use crate::storage::rows::transfers::{self, Block, BlockAt};
use crate::storage::rows::{current, events, put};

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
    /// Encodes the changes of entry `log_index` and brings `digest` up to date with them. `memos` are what is known
    /// of the changed accounts, in the order of the changes; their hashes are those of the accounts afterwards then.
    /// Accounts are the first of the mutable rows, in that order.
    pub(crate) fn encode(
        log_index: u64,
        changes: &Changes,
        digest: &mut Digest,
        memos: &mut [Memo],
    ) -> Result<Self, Error> {
        let mut bytes = Vec::with_capacity(encoded_estimate(changes));
        let mut blocks =
            Vec::with_capacity(changes.transfers.len() / transfers::BLOCK_ROWS_MAX + 1);
        let mut sum = *digest;
        transfers::write_blocks(
            log_index,
            &changes.transfers,
            &mut bytes,
            &mut blocks,
            |row, encoded| {
                sum.add(digest::transfer(row.sequence, encoded));
            },
        );
        for id in &changes.refused {
            sum.add(digest::refused(id.0));
        }
        let mut event_places = Vec::with_capacity(changes.events.len());
        for event in &changes.events {
            let start = bytes.len() as u32;
            events::write_value(log_index, event, &mut bytes);
            event_places.push(EventAt {
                sequence: event.sequence,
                start,
                end: bytes.len() as u32,
            });
        }
        let rows = write_rows(changes, &mut bytes, &mut sum, memos);
        let ids = changes.transfers.len() + changes.refused.len();
        if u32::try_from(bytes.len()).is_err() || rows.len() > POSITIONS_MAX || ids > POSITIONS_MAX
        {
            return Err(Error::Broken(format!(
                "entry {log_index} changes more than the format allows"
            )));
        }
        *digest = sum;
        Ok(Self {
            log_index,
            bytes: bytes.into(),
            blocks: blocks.into(),
            events: event_places.into(),
            refused: changes.refused.iter().map(|id| id.0).collect(),
            rows: rows.into(),
            transfer_count: changes.transfers.len() as u32,
        })
    }

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

fn encoded_estimate(changes: &Changes) -> usize {
    const BLOCK_BYTES: usize = 16;
    let transfers = changes.transfers.len() * 112 + BLOCK_BYTES;
    let rows = changes.accounts.len() * 96 + changes.pendings.len() * 144;
    transfers + rows + changes.events.len() * 144 + changes.records.len() * 256
}

/// Appends every mutable row the entry changed and returns their starts.
fn write_rows(
    changes: &Changes,
    out: &mut Vec<u8>,
    digest: &mut Digest,
    memos: &mut [Memo],
) -> Vec<u32> {
    let mut starts = Vec::with_capacity(changes.accounts.len() + changes.pendings.len());
    let mut row = |out: &mut Vec<u8>, key: &[u8], value: &mut dyn FnMut(&mut Vec<u8>)| {
        let start = out.len();
        starts.push(start as u32);
        out.extend_from_slice(&[0; ROW_HEADER_BYTES]);
        out.extend_from_slice(key);
        let value_start = out.len();
        value(out);
        let value_length = (out.len() - value_start) as u16;
        out[start + 8] = key.len() as u8;
        put(out, start + 9, value_length.to_le_bytes());
    };
    for (change, memo) in changes.accounts.iter().zip(memos) {
        let bytes = change.after.to_bytes();
        let before = change.before.as_ref();
        let before = before.map(|before| match memo.hash {
            0 => digest::account(before),
            known => known,
        });
        let after = digest::account_bytes(&bytes);
        memo.hash = after;
        digest.replace(before, after);
        row(out, &current::account_key(change.after.id), &mut |out| {
            current::write_account(&bytes, out);
        });
    }
    for change in &changes.pendings {
        digest.replace(
            change.before.as_ref().map(digest::pending),
            digest::pending(&change.after),
        );
        let key = current::pending_key(change.after.transfer.id);
        row(out, &key, &mut |out| {
            current::write_pending(&change.after, out)
        });
    }
    for change in &changes.ledgers {
        digest.replace(
            change.before.as_ref().map(digest::ledger),
            digest::ledger(&change.after),
        );
        let key = current::number_key(current::TAG_LEDGER, change.after.ledger);
        row(out, &key, &mut |out| change.after.write_to(out));
    }
    for change in &changes.records {
        let before = change
            .before
            .as_ref()
            .map(|before| digest::record(&change.key, before));
        digest.replace(before, digest::record(&change.key, &change.after));
        row(out, &current::record_key(&change.key), &mut |out| {
            change.after.write_to(out)
        });
    }
    for change in &changes.namespaces {
        let before = change
            .before
            .as_ref()
            .map(|before| digest::namespace(change.namespace, before));
        digest.replace(before, digest::namespace(change.namespace, &change.after));
        let key = current::number_key(current::TAG_NAMESPACE, change.namespace);
        row(out, &key, &mut |out| {
            out.extend_from_slice(&current::namespace_value(&change.after))
        });
    }
    for change in &changes.settings {
        let before = change
            .before
            .map(|before| digest::setting(change.setting, before));
        digest.replace(before, digest::setting(change.setting, change.after));
        let key = current::number_key(current::TAG_SETTING, change.setting);
        row(out, &key, &mut |out| {
            out.extend_from_slice(&change.after.to_le_bytes())
        });
    }
    starts
}
