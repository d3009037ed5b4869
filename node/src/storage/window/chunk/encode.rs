//! The changes of an entry become the bytes of its chunk.

use farthing_ledger::Changes;

use super::{Chunk, EventAt, ROW_HEADER_BYTES};
use crate::storage::accounts::Memo;
use crate::storage::digest::{self, Digest};
use crate::storage::error::Error;
use crate::storage::rows::{current, events, put, transfers};
use crate::storage::window::index::POSITIONS_MAX;

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
