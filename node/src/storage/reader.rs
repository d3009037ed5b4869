//! One consistent cut of the state, readable from any thread.
//!
//! The list of windows is taken first, then one RocksDB snapshot, then the commit record in it: if that is above the
//! cut, a run was committed in between and the reader starts again. All answers of a reader are exact at its
//! [`Reader::applied_index`], whatever is applied meanwhile. A reader pins memory and files: keep it for one answer.

use std::sync::Arc;

use farthing_ledger::{
    Account, AccountId, Ledger, NamespaceTotals, Pending, Record, RecordKey, TransferId,
};
use rocksdb::{DBPinnableSlice, DBRawIterator, ReadOptions, Snapshot};
use self_cell::self_cell;

use super::AppliedState;
use super::database::Database;
use super::error::Error;
use super::lookup::{Lead, Lookup, RowBytes};
use super::rows::{commit, current, family};
use super::shared::{Published, Shared};
use super::window::KeyHash;

mod scan;

pub(crate) use scan::chunk_changes;
pub use scan::{Change, Changes, CurrentRows};

self_cell!(
    struct Pinned {
        owner: Arc<Database>,
        #[covariant]
        dependent: Snapshot,
    }
);

/// See the module.
pub struct Reader {
    published: Arc<Published>,
    lookup: Lookup,
    pinned: Pinned,
    /// Index of the commit record in the snapshot: up to here immutable rows are on disk, from here to the cut in
    /// the windows.
    committed: u64,
    /// The last sequence that the commit record speaks for.
    committed_sequence: u64,
}

impl Reader {
    pub(crate) fn new(shared: &Shared) -> Result<Self, Error> {
        loop {
            if let Some(reader) = Self::try_of(shared.published(), shared.hash)? {
                return Ok(reader);
            }
        }
    }

    /// A reader of a state nobody writes to.
    pub(crate) fn of(published: Arc<Published>, hash: KeyHash) -> Result<Self, Error> {
        Self::try_of(published, hash)?
            .ok_or_else(|| Error::damaged("commit record", "it is above what was loaded"))
    }

    /// `None` when a run above the cut was committed since the cut was taken.
    pub(crate) fn try_of(published: Arc<Published>, hash: KeyHash) -> Result<Option<Self>, Error> {
        let pinned = Pinned::try_new(Arc::clone(&published.database), |database| {
            Ok(database.db()?.snapshot())
        })?;
        let committed = committed_in(&pinned)?;
        let above = |id: super::LogId| {
            published
                .applied
                .log_id
                .is_none_or(|applied| id.index > applied.index)
        };
        if committed
            .as_ref()
            .and_then(|state| state.log_id)
            .is_some_and(above)
        {
            return Ok(None);
        }
        let committed_sequence = committed.as_ref().map_or(0, |state| state.clock.sequence);
        let committed = committed.map_or(0, |state| state.index());
        let lookup = published.lookup(hash);
        Ok(Some(Self {
            published,
            lookup,
            pinned,
            committed,
            committed_sequence,
        }))
    }

    /// What was applied at this cut.
    pub fn applied(&self) -> &AppliedState {
        &self.published.applied
    }

    /// The log index at which every answer is exact; 0 before the first entry.
    pub fn applied_index(&self) -> u64 {
        self.lookup.index
    }

    fn database(&self) -> &Database {
        self.pinned.borrow_owner()
    }

    pub(crate) fn database_shared(&self) -> Arc<Database> {
        Arc::clone(self.pinned.borrow_owner())
    }

    /// Which generation of the state it reads.
    pub(crate) fn generation(&self) -> u32 {
        self.published.generation
    }

    fn options(&self) -> ReadOptions {
        snapshot_options(&self.pinned)
    }

    /// An account.
    ///
    /// # Errors
    /// When the disk fails or is damaged; so for all reads.
    pub fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        Ok(self.accounts(&[id])?.pop().flatten())
    }

    /// Accounts, in the order of `ids`.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn accounts(&self, ids: &[AccountId]) -> Result<Vec<Option<Account>>, Error> {
        let ids: Vec<u128> = ids.iter().map(|id| id.0).collect();
        self.sorted(&ids, |sorted| {
            self.lookup
                .accounts(self.database(), &self.options(), sorted)
        })
    }

    /// What a transfer id leads to.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn transfer(&self, id: TransferId) -> Result<Option<Lead>, Error> {
        Ok(self.transfers(&[id])?.pop().flatten())
    }

    /// What transfer ids lead to, in the order of `ids`.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn transfers(&self, ids: &[TransferId]) -> Result<Vec<Option<Lead>>, Error> {
        let ids: Vec<u128> = ids.iter().map(|id| id.0).collect();
        self.lookup.ids(self.database(), &self.options(), &ids)
    }

    /// A pending transfer, whatever its status.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn pending(&self, id: TransferId) -> Result<Option<Pending>, Error> {
        Ok(self.pendings(&[id])?.pop().flatten())
    }

    /// Pending transfers, in the order of `ids`.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn pendings(&self, ids: &[TransferId]) -> Result<Vec<Option<Pending>>, Error> {
        let ids: Vec<u128> = ids.iter().map(|id| id.0).collect();
        self.sorted(&ids, |sorted| {
            self.lookup
                .pendings(self.database(), &self.options(), sorted)
        })
    }

    /// Looks ids up in ascending order and answers in the caller's.
    fn sorted<T: Clone>(
        &self,
        ids: &[u128],
        look_up: impl FnOnce(&[u128]) -> Result<Vec<Option<T>>, Error>,
    ) -> Result<Vec<Option<T>>, Error> {
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let found = look_up(&sorted)?;
        Ok(ids
            .iter()
            .map(|id| {
                sorted
                    .binary_search(id)
                    .ok()
                    .and_then(|at| found[at].clone())
            })
            .collect())
    }

    fn current_row<T>(
        &self,
        what: &'static str,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let options = self.options();
        let rows = self.lookup.rows(self.database(), &options, &[key])?;
        let row: Option<&RowBytes<'_>> = rows.first().and_then(|row| row.as_ref());
        row.map(|row| read(row).ok_or_else(|| Error::damaged(what, "malformed row")))
            .transpose()
    }

    /// The row of a ledger number, registered or not.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn ledger(&self, ledger: u32) -> Result<Option<Ledger>, Error> {
        self.current_row(
            "ledger",
            &current::number_key(current::TAG_LEDGER, ledger),
            current::read_ledger,
        )
    }

    /// Every ledger row, by number.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn ledgers(&self) -> Result<Vec<Ledger>, Error> {
        let rows = self.current_rows(&[current::TAG_LEDGER], |key, value| {
            let ledger = current::read_ledger(value);
            ledger.filter(|it| current::number_key(current::TAG_LEDGER, it.ledger) == key)
        })?;
        rows.collect()
    }

    /// A record, deleted or not.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn record(&self, key: &RecordKey) -> Result<Option<Record>, Error> {
        self.current_row("record", &current::record_key(key), Record::from_bytes)
    }

    /// The totals of a namespace.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn namespace(&self, namespace: u32) -> Result<Option<NamespaceTotals>, Error> {
        let key = current::number_key(current::TAG_NAMESPACE, namespace);
        self.current_row("namespace", &key, current::read_namespace)
    }

    /// The value of a setting that was changed at least once.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn setting(&self, setting: u32) -> Result<Option<u64>, Error> {
        let key = current::number_key(current::TAG_SETTING, setting);
        self.current_row("setting", &key, current::read_setting)
    }

    /// An iterator over a family within this cut's snapshot. `fill` keeps what it reads in the block cache.
    pub(crate) fn iterator(
        &self,
        name: &'static str,
        fill: bool,
    ) -> Result<DBRawIterator<'_>, Error> {
        let mut options = self.options();
        options.fill_cache(fill);
        let database = self.database();
        Ok(database
            .db()?
            .raw_iterator_cf_opt(database.family(name)?, options))
    }

    /// Rows of a family within this cut's snapshot; `keys` in ascending order.
    pub(crate) fn multi_get<K: AsRef<[u8]>>(
        &self,
        name: &'static str,
        keys: &[K],
    ) -> Result<Vec<Option<DBPinnableSlice<'_>>>, Error> {
        self.database().multi_get(name, keys, &self.options())
    }

    pub(crate) fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    /// Up to this index immutable rows are read from disk, above it from the windows.
    pub(crate) fn committed(&self) -> u64 {
        self.committed
    }

    /// The same as a sequence.
    pub(crate) fn committed_sequence(&self) -> u64 {
        self.committed_sequence
    }
}

/// What the commit record of a snapshot says.
fn committed_in(pinned: &Pinned) -> Result<Option<AppliedState>, Error> {
    let database = pinned.borrow_owner();
    let row = database
        .db()?
        .get_pinned_cf_opt(
            database.family(family::CURRENT)?,
            [current::TAG_COMMIT],
            &snapshot_options(pinned),
        )
        .map_err(Error::database("read the commit record"))?;
    match row {
        Some(row) => commit::from_bytes(&row).map(Some),
        None => Ok(None),
    }
}

fn snapshot_options(pinned: &Pinned) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_snapshot(pinned.borrow_dependent());
    options
}
