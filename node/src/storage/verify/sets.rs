//! The families that repeat what others say: ids, history and lists by user data, compared as sets.

use farthing_ledger::{Event, EventBody, TransferId, TransferRow};
use xxhash_rust::xxh3::xxh3_128;

use super::Report;
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader, chunk_changes};
use crate::storage::rows::history::EXPIRY;
use crate::storage::rows::postings::Posting;
use crate::storage::rows::transfers::row_id;
use crate::storage::rows::user_data::{Field, Of};

/// An order-independent sum over rows, to compare two ways of finding the same set.
#[derive(Default, PartialEq, Eq)]
pub(super) struct SetSum {
    sum: u128,
    count: u64,
}

impl SetSum {
    fn add(&mut self, parts: [u128; 4]) {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
        self.sum = self.sum.wrapping_add(xxh3_128(&bytes));
        self.count += 1;
    }

    /// Rows that were added.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What stands at a place in an order by time.
    pub(super) fn add_place(&mut self, place: (u64, u64), id: u128) {
        self.add([place.0.into(), place.1.into(), id, 2]);
    }

    /// An id, and where it leads.
    pub(super) fn add_id(&mut self, id: u128, sequence: u64, offset: u8) {
        self.add([id, sequence.into(), offset.into(), 0]);
    }

    fn add_value(&mut self, field: Field, of: Of, value: u128, at: Posting) {
        if value != 0 {
            let kind = (field as u128) << 8 | of as u128;
            self.add_posting(value, at, kind << 8 | 1);
        }
    }

    fn add_posting(&mut self, of: u128, at: Posting, kind: u128) {
        let place = u128::from(at.side) << 8 | u128::from(at.offset);
        self.add([of, at.sequence.into(), place, kind]);
    }

    /// What carries which user data; a transfer's row has `offset` rows before it in its block.
    pub(super) fn add_values(&mut self, change: &Change, offset: u8) {
        for field in Field::ALL {
            match change {
                Change::Transfer(row) => {
                    let value = field.of_transfer(&row.transfer);
                    let at = posting(row.sequence, 0, offset);
                    self.add_value(field, Of::Transfers, value, at);
                }
                Change::Event(event) => {
                    if let EventBody::AccountCreated(account) = &event.body {
                        let value = field.of_account(account);
                        let at = posting(event.sequence, 0, 0);
                        self.add_value(field, Of::Accounts, value, at);
                    }
                }
            }
        }
    }

    fn add_touch(&mut self, account: u128, at: Posting) {
        self.add_posting(account, at, 0);
    }

    /// What a transfer touches.
    pub(super) fn add_transfer(&mut self, row: &TransferRow, offset: u8) {
        let at = |side| posting(row.sequence, side, offset);
        self.add_touch(row.transfer.debit_account_id.0, at(0));
        self.add_touch(row.transfer.credit_account_id.0, at(1));
    }

    /// What an event touches: only an expiry changes accounts' balances.
    pub(super) fn add_event(&mut self, event: &Event) {
        if let EventBody::TransferExpired { transfer, .. } = &event.body {
            let at = |side| posting(event.sequence, side, 0);
            self.add_touch(transfer.debit_account_id.0, at(EXPIRY));
            self.add_touch(transfer.credit_account_id.0, at(EXPIRY + 1));
        }
    }
}

fn posting(sequence: u64, side: u8, offset: u8) -> Posting {
    Posting {
        sequence,
        side,
        offset,
    }
}

/// The id index is exactly the transfers and the refused ids.
pub(super) fn check_ids(
    reader: &Reader,
    report: &mut Report,
    transfers: &SetSum,
    refused: &[TransferId],
) -> Result<(), Error> {
    let mut indexed = SetSum::default();
    let mut refused_count = 0;
    let mut outside = 0_u64;
    reader.each_id_on_disk(|id, place| {
        outside += u64::from(!reader.lookup().id_ranges.may_contain(id));
        match place.refused() {
            true => refused_count += 1,
            false => indexed.add_id(id, place.sequence, place.offset),
        }
    })?;
    for chunk in reader.recent_chunks() {
        refused_count += chunk.refused().len();
        for (sequence, _, row) in chunk.transfers() {
            indexed.add_id(row_id(&row), sequence, 0);
        }
    }
    report.expect(outside == 0, || {
        format!("{outside} ids lie outside of the known ranges")
    });
    report.expect(
        &indexed == transfers && refused_count == refused.len(),
        || {
            format!(
                "the id index has {} transfers where there are {}",
                indexed.count, transfers.count
            )
        },
    );
    Ok(())
}

/// The lists by user data are exactly what transfers and accounts carry.
pub(super) fn check_values(
    reader: &Reader,
    report: &mut Report,
    expected: &SetSum,
) -> Result<(), Error> {
    let mut found = SetSum::default();
    for field in Field::ALL {
        reader.each_value_on_disk(field, |of, value, postings| {
            for posting in postings {
                found.add_value(field, of, value, posting);
            }
        })?;
    }
    for chunk in reader.recent_chunks() {
        for change in chunk_changes(chunk)? {
            found.add_values(&change, 0);
        }
    }
    report.expect(&found == expected, || {
        format!(
            "the lists by user data have {} values where there are {}",
            found.count, expected.count
        )
    });
    Ok(())
}

/// The history is exactly what the transfers and expiries touched.
pub(super) fn check_history(
    reader: &Reader,
    report: &mut Report,
    expected: SetSum,
) -> Result<(), Error> {
    let mut found = SetSum::default();
    reader.each_history_on_disk(|account, _, touches| {
        for touch in touches {
            found.add_touch(account, touch);
        }
    })?;
    for chunk in reader.recent_chunks() {
        for change in chunk_changes(chunk)? {
            match change {
                Change::Transfer(row) => found.add_transfer(&row, 0),
                Change::Event(event) => found.add_event(&event),
            }
        }
    }
    report.expect(found == expected, || {
        format!(
            "the history has {} changes of accounts where there are {}",
            found.count, expected.count
        )
    });
    Ok(())
}
