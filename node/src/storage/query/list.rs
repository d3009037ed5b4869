//! One list of changes, walked in either direction: its rows on disk up to the commit record, the windows above it.

use farthing_ledger::Order;
use rocksdb::DBRawIterator;

use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::history::EXPIRY;
use crate::storage::rows::postings::{self, Posting};
use crate::storage::rows::user_data::Of;
use crate::storage::rows::{family, log_index};
use crate::storage::window::{Found, ListKey};

/// Set in the side of what is an event and not a transfer.
pub(super) const EVENT: u8 = EXPIRY;

/// See the module.
pub(super) struct List<'a> {
    key: ListKey,
    /// Where the list stands on disk.
    prefix: Vec<u8>,
    disk: DBRawIterator<'a>,
    /// The row the iterator is at; empty when it is at none of this list.
    row: Vec<Posting>,
    /// Oldest first.
    windows: Vec<Found>,
    /// Index and sequence of the commit record: the disk ends there.
    committed: u64,
    committed_sequence: u64,
    /// The cut ends here.
    last_sequence: u64,
}

impl<'a> List<'a> {
    pub(super) fn open(reader: &'a Reader, key: ListKey) -> Result<Self, Error> {
        let (name, prefix) = match key {
            ListKey::History(account) => (family::HISTORY, account.to_be_bytes().to_vec()),
            ListKey::UserData(field, of, value) => (field.family(), field.list(of, value)),
        };
        let windows = reader.lookup().windows.iter();
        let windows = windows.filter(|_| !crate::planted::is("windows-not-listed"));
        let windows = windows.map(|view| view.list(key));
        Ok(Self {
            key,
            prefix,
            disk: reader.iterator(name, true)?,
            row: vec![],
            windows: windows.collect::<Result<_, _>>()?,
            committed: reader.committed(),
            committed_sequence: reader.committed_sequence(),
            last_sequence: reader.applied().clock.sequence,
        })
    }

    /// The nearest change from `from` on in `order`, `from` included.
    pub(super) fn seek(&mut self, order: Order, from: u64) -> Result<Option<Posting>, Error> {
        match order {
            Order::Forward => self.at_or_after(from),
            Order::Reversed => self.at_or_before(from),
        }
    }

    fn at_or_after(&mut self, from: u64) -> Result<Option<Posting>, Error> {
        if from <= self.committed_sequence {
            let found = self.on_disk_after(from)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let from = from.max(self.committed_sequence + 1);
        let found = self.windows.iter().find_map(|list| list.at_or_after(from));
        Ok(found
            .filter(|&sequence| sequence <= self.last_sequence)
            .map(recent))
    }

    fn at_or_before(&mut self, from: u64) -> Result<Option<Posting>, Error> {
        let from = from.min(self.last_sequence);
        if from > self.committed_sequence {
            let mut windows = self.windows.iter().rev();
            let found = windows.find_map(|list| list.at_or_before(from));
            if let Some(sequence) = found.filter(|&sequence| sequence > self.committed_sequence) {
                return Ok(Some(recent(sequence)));
            }
        }
        self.on_disk_before(from.min(self.committed_sequence))
    }

    fn on_disk_after(&mut self, from: u64) -> Result<Option<Posting>, Error> {
        // The row at hand, then the one behind it: what a page asks for one after another.
        for _ in 0..2 {
            match (self.row.first(), self.row.last()) {
                (Some(first), Some(last)) if first.sequence <= from && from <= last.sequence => {
                    return Ok(self.first_from(from));
                }
                (Some(_), Some(last)) if last.sequence < from => {
                    let before = last.sequence;
                    self.disk.next();
                    self.load()?;
                    let reaches = |row: &Posting| row.sequence >= from && before < from;
                    if self.row.last().is_some_and(reaches) {
                        return Ok(self.first_from(from));
                    }
                }
                _ => break,
            }
        }
        self.disk.seek_for_prev(self.row_key(from));
        self.load()?;
        if let Some(found) = self.first_from(from) {
            return Ok(Some(found));
        }
        self.disk.seek(self.row_key(from));
        self.load()?;
        Ok(self.first_from(from))
    }

    fn on_disk_before(&mut self, from: u64) -> Result<Option<Posting>, Error> {
        for _ in 0..2 {
            match (self.row.first(), self.row.last()) {
                (Some(first), Some(last)) if first.sequence <= from && from <= last.sequence => {
                    return Ok(self.last_up_to(from));
                }
                (Some(first), Some(_)) if from < first.sequence => {
                    self.disk.prev();
                    self.load()?;
                    if self.row.first().is_some_and(|row| row.sequence <= from) {
                        return Ok(self.last_up_to(from));
                    }
                }
                _ => break,
            }
        }
        self.disk.seek_for_prev(self.row_key(from));
        self.load()?;
        Ok(self.last_up_to(from))
    }

    fn row_key(&self, sequence: u64) -> Vec<u8> {
        let mut key = self.prefix.clone();
        key.extend_from_slice(&sequence.to_be_bytes());
        key
    }

    /// Reads the row at the iterator, if it is one of this list and of the cut.
    fn load(&mut self) -> Result<(), Error> {
        let malformed = || Error::damaged("lists of changes", "malformed row");
        self.row.clear();
        self.disk
            .status()
            .map_err(Error::database("read a list of changes"))?;
        let Some((key, value)) = self.disk.item() else {
            return Ok(());
        };
        let (list, first) = postings::split_key(key).ok_or_else(malformed)?;
        // What an unfinished run left behind does not exist.
        if list != self.prefix || log_index(value).ok_or_else(malformed)? > self.committed {
            return Ok(());
        }
        self.row = postings::read_value(first, value).ok_or_else(malformed)?;
        if matches!(self.key, ListKey::UserData(_, Of::Accounts, _)) {
            self.row
                .iter_mut()
                .for_each(|posting| posting.side |= EVENT);
        }
        Ok(())
    }

    fn first_from(&self, from: u64) -> Option<Posting> {
        let at = self.row.partition_point(|row| row.sequence < from);
        self.row.get(at).copied()
    }

    fn last_up_to(&self, from: u64) -> Option<Posting> {
        let at = self.row.partition_point(|row| row.sequence <= from);
        Some(self.row[at.checked_sub(1)?])
    }
}

/// A change in a window is found by its sequence alone.
fn recent(sequence: u64) -> Posting {
    Posting {
        sequence,
        side: 0,
        offset: 0,
    }
}
