//! The rows by time: the expiry queue and the accounts in the order in which they were created. What is in windows is
//! found by other means, so both are compared as they are on disk.

use farthing_ledger::{EventBody, PendingStatus};
use rocksdb::DBRawIterator;

use super::Report;
use super::sets::SetSum;
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader};
use crate::storage::rows::{account_times, current, family, u64_key};

/// Where transfers stand in their blocks, which is what ids and lists lead to. In windows there are no blocks: 0.
pub(super) struct Offsets<'a> {
    reader: &'a Reader,
    blocks: DBRawIterator<'a>,
    /// First sequence of the block that the last transfer was in.
    first: u64,
}

impl<'a> Offsets<'a> {
    pub(super) fn new(reader: &'a Reader) -> Result<Self, Error> {
        let mut blocks = reader.iterator(family::TRANSFERS, false)?;
        blocks.seek_to_first();
        Ok(Self {
            reader,
            blocks,
            first: 0,
        })
    }

    /// Of a change, by sequence ascending; 0 for what is no transfer.
    pub(super) fn of(&mut self, change: &Change) -> Result<u8, Error> {
        let malformed = || Error::damaged(family::TRANSFERS, "malformed row");
        let Change::Transfer(row) = change else {
            return Ok(0);
        };
        if row.sequence > self.reader.committed_sequence() {
            return Ok(0);
        }
        while let Some(key) = self.blocks.key() {
            let first = u64_key(key).ok_or_else(malformed)?;
            if first > row.sequence {
                break;
            }
            self.first = first;
            self.blocks.next();
        }
        self.blocks
            .status()
            .map_err(Error::database("scan blocks"))?;
        u8::try_from(row.sequence - self.first).map_err(|_| malformed())
    }
}

/// The expiry queue is exactly the pending transfers that can expire.
pub(super) fn check_queue(reader: &Reader, report: &mut Report) -> Result<(), Error> {
    let malformed = || Error::damaged("expiry queue", "malformed row");
    let (mut expected, mut found) = (SetSum::default(), SetSum::default());
    let mut rows = reader.iterator(family::CURRENT, false)?;
    rows.seek([current::TAG_PENDING]);
    while let Some((key, value)) = rows.item() {
        match key.first() {
            Some(&current::TAG_PENDING) => {
                let pending = current::read_pending(value).ok_or_else(malformed)?;
                if let Some(expires_at) = pending.transfer.expires_at()
                    && pending.status == PendingStatus::Pending
                {
                    let place = (expires_at, pending.transfer.timestamp);
                    expected.add_place(place, pending.transfer.id.0);
                }
            }
            Some(&current::TAG_DUE) => {
                let place = current::split_due_key(key).ok_or_else(malformed)?;
                let id = value.try_into().map_err(|_| malformed())?;
                found.add_place(place, u128::from_le_bytes(id));
            }
            _ => break,
        }
        rows.next();
    }
    rows.status()
        .map_err(Error::database("scan the expiry queue"))?;
    report.expect(found == expected, || {
        format!(
            "the expiry queue has {} places where {} transfers can expire",
            found.count(),
            expected.count()
        )
    });
    Ok(())
}

/// Adds an account that was created, as far as that is on disk.
pub(super) fn add_created(reader: &Reader, change: &Change, created: &mut SetSum) {
    if let Change::Event(event) = change
        && let EventBody::AccountCreated(account) = &event.body
        && event.sequence <= reader.committed_sequence()
    {
        created.add_place((account.timestamp, event.sequence), account.id.0);
    }
}

/// The accounts by time are exactly those that were created.
pub(super) fn check_account_times(
    reader: &Reader,
    report: &mut Report,
    expected: &SetSum,
) -> Result<(), Error> {
    let malformed = || Error::damaged(family::ACCOUNT_TIMES, "malformed row");
    let mut found = SetSum::default();
    let mut rows = reader.iterator(family::ACCOUNT_TIMES, false)?;
    rows.seek_to_first();
    while let Some((key, value)) = rows.item() {
        let time = u64_key(key).ok_or_else(malformed)?;
        let (id, sequence) = account_times::read_value(value).ok_or_else(malformed)?;
        // Behind the commit record stands what an unfinished run left.
        if sequence <= reader.committed_sequence() {
            found.add_place((time, sequence), id);
        }
        rows.next();
    }
    rows.status()
        .map_err(Error::database("scan the accounts by time"))?;
    report.expect(&found == expected, || {
        format!(
            "the list of accounts by time has {} rows where there are {} accounts",
            found.count(),
            expected.count()
        )
    });
    Ok(())
}
