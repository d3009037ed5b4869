//! Mutable rows by key: the windows' newest versions merged with the disk's rows.

use farthing_ledger::{Account, NamespaceTotals, Pending, Record, RecordKey};
use rocksdb::DBRawIterator;

use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::{current, family};

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
        self.current_rows(&[current::TAG_ACCOUNT], |key, value| {
            current::read_account(value).filter(|it| current::account_key(it.id) == key)
        })
    }

    /// Every pending transfer whatever its status, by id.
    ///
    /// # Errors
    /// As [`Reader::all_accounts`].
    pub fn all_pendings(&self) -> Result<CurrentRows<'_, Pending>, Error> {
        self.current_rows(&[current::TAG_PENDING], |key, value| {
            let pending = current::read_pending(value);
            pending.filter(|it| current::pending_key(it.transfer.id) == key)
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
}

fn read_record(key: &[u8], value: &[u8]) -> Option<(RecordKey, Record)> {
    Some((current::split_record_key(key)?, Record::from_bytes(value)?))
}

fn read_number(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.get(1..)?.first_chunk()?))
}
