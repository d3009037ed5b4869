//! Everything an entry will ask for, gathered before it is applied: two rounds of batched lookups, then no I/O.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use farthing_ledger::{
    Account, AccountId, Clock, Due, EntryReader, Keys, Ledger, NamespaceTotals, Pending, Record,
    RecordKey, Seen, TransferId, View, round_one, round_two,
};
use rocksdb::ReadOptions;

use super::accounts::{AccountCache, Memo};
use super::database::Database;
use super::error::Error;
use super::lookup::{Lead, Lookup};
use super::recent::{Place, Recent};
use super::rows::{current, family};

/// The answers of both rounds; keys that are not here are absent from the state.
#[derive(Default)]
struct Gathered {
    absent_accounts: HashSet<AccountId>,
    transfers: HashMap<TransferId, Seen>,
    pendings: HashMap<TransferId, Pending>,
    ledgers: HashMap<u32, Ledger>,
    records: HashMap<RecordKey, Record>,
    namespaces: HashMap<u32, NamespaceTotals>,
    settings: HashMap<u32, u64>,
    account_times: HashSet<u64>,
    transfer_times: HashSet<u64>,
    due: Option<(Due, Vec<Pending>)>,
}

/// The view of one entry: the state after the entry before it, as far as the entry can ask.
pub struct Prefetched<'a> {
    clock: Clock,
    accounts: &'a AccountCache,
    gathered: Gathered,
    unannounced: Cell<bool>,
}

/// Where the answers come from.
pub(crate) struct Sources<'a> {
    pub(crate) lookup: &'a Lookup,
    pub(crate) database: &'a Database,
    pub(crate) recents: &'a [Recent],
    pub(crate) clock: Clock,
    /// A lower bound of the places in the expiry queue; set to the first one when the queue is read.
    pub(crate) queue_floor: &'a mut Place,
}

/// Runs both rounds.
pub(crate) fn prefetch<'a>(
    mut sources: Sources<'_>,
    accounts: &'a mut AccountCache,
    entry: &EntryReader<'_>,
) -> Result<Prefetched<'a>, Error> {
    accounts.begin_entry();
    let clock = sources.clock;
    let mut gathered = Gathered::default();
    gathered.add(&mut sources, accounts, round_one(entry, &clock))?;
    // Round two only looks at what round one brought; most entries have none.
    let first = Prefetched {
        clock,
        accounts,
        gathered,
        unannounced: Cell::new(false),
    };
    let keys = round_two(entry, &first);
    let mut gathered = first.gathered;
    if !keys.is_empty() {
        gathered.add(&mut sources, accounts, keys)?;
    }
    Ok(Prefetched {
        clock,
        accounts,
        gathered,
        unannounced: Cell::new(false),
    })
}

impl Prefetched<'_> {
    /// An error if something was asked for that no round had announced: the answer may have been wrong.
    ///
    /// # Errors
    /// [`Error::Broken`]: the rounds and `apply` disagree, and the node must stop before it pushes the changes.
    pub fn check(&self) -> Result<(), Error> {
        match self.unannounced.get() {
            false => Ok(()),
            true => Err(Error::Broken(
                "apply asked for something that no round had announced".into(),
            )),
        }
    }
}

impl Gathered {
    fn add(
        &mut self,
        sources: &mut Sources<'_>,
        cache: &mut AccountCache,
        keys: Keys,
    ) -> Result<(), Error> {
        self.add_accounts(sources, cache, &keys.accounts)?;
        self.add_transfers(sources, &keys.transfers)?;
        self.add_pendings(sources, &keys.pendings)?;
        self.add_small(sources, &keys)?;
        self.add_times(sources, keys.account_times, keys.transfer_times)?;
        if let Some(due) = keys.due {
            self.due = Some((due, due_pendings(sources, due)?));
        }
        Ok(())
    }

    fn add_accounts(
        &mut self,
        sources: &Sources<'_>,
        cache: &mut AccountCache,
        ids: &[AccountId],
    ) -> Result<(), Error> {
        let mut missing: Vec<u128> = ids
            .iter()
            .filter(|&&id| !cache.touch(id))
            .map(|id| id.0)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        tidy(&mut missing);
        let found = sources
            .lookup
            .accounts(sources.database, &ReadOptions::default(), &missing)?;
        for (id, account) in missing.into_iter().zip(found) {
            match account {
                Some(account) => cache.put(account, Memo::default()),
                None => drop(self.absent_accounts.insert(AccountId(id))),
            }
        }
        Ok(())
    }

    fn add_transfers(&mut self, sources: &Sources<'_>, ids: &[TransferId]) -> Result<(), Error> {
        let mut missing = vec![];
        for &id in ids {
            let maybe_recent = sources
                .recents
                .iter()
                .any(|recent| recent.may_have_id(id.0));
            match maybe_recent
                .then(|| sources.lookup.window_id(id.0))
                .flatten()
            {
                Some(lead) => drop(self.transfers.insert(id, seen(lead))),
                None if sources.lookup.id_ranges.may_contain(id.0) => missing.push(id.0),
                None => {}
            }
        }
        tidy(&mut missing);
        let found = sources
            .lookup
            .disk_ids(sources.database, &ReadOptions::default(), &missing)?;
        for (id, lead) in missing.into_iter().zip(found) {
            if let Some(lead) = lead {
                self.transfers.insert(TransferId(id), seen(lead));
            }
        }
        Ok(())
    }

    fn add_pendings(&mut self, sources: &Sources<'_>, ids: &[TransferId]) -> Result<(), Error> {
        let mut ids: Vec<u128> = ids.iter().map(|id| id.0).collect();
        tidy(&mut ids);
        let found = sources
            .lookup
            .pendings(sources.database, &ReadOptions::default(), &ids)?;
        let found = ids
            .into_iter()
            .zip(found)
            .filter_map(|(id, pending)| Some((TransferId(id), pending?)));
        self.pendings.extend(found);
        Ok(())
    }

    fn add_small(&mut self, sources: &Sources<'_>, keys: &Keys) -> Result<(), Error> {
        gather(
            sources,
            "ledger",
            &keys.ledgers,
            number(current::TAG_LEDGER),
            current::read_ledger,
            &mut self.ledgers,
        )?;
        gather(
            sources,
            "record",
            &keys.records,
            current::record_key,
            Record::from_bytes,
            &mut self.records,
        )?;
        let namespace = number(current::TAG_NAMESPACE);
        gather(
            sources,
            "namespace",
            &keys.namespaces,
            namespace,
            current::read_namespace,
            &mut self.namespaces,
        )?;
        let setting = number(current::TAG_SETTING);
        gather(
            sources,
            "setting",
            &keys.settings,
            setting,
            current::read_setting,
            &mut self.settings,
        )
    }

    fn add_times(
        &mut self,
        sources: &Sources<'_>,
        mut accounts: Vec<u64>,
        mut transfers: Vec<u64>,
    ) -> Result<(), Error> {
        let clock = sources.clock;
        // Later than the last of its kind cannot be taken: the common case of an import in order.
        accounts.retain(|&timestamp| timestamp <= clock.account_timestamp);
        transfers.retain(|&timestamp| timestamp <= clock.transfer_timestamp);
        tidy(&mut accounts);
        tidy(&mut transfers);
        let recent = |timestamp: &u64| {
            sources
                .recents
                .iter()
                .any(|recent| recent.has_account_at(*timestamp))
        };
        let (found, missing): (Vec<u64>, Vec<u64>) = accounts.into_iter().partition(recent);
        self.account_times.extend(found);
        if !missing.is_empty() {
            let found = sources.lookup.disk_account_times(
                sources.database,
                &ReadOptions::default(),
                &missing,
            )?;
            self.account_times.extend(
                missing
                    .into_iter()
                    .zip(found)
                    .filter(|(_, found)| *found)
                    .map(|(at, _)| at),
            );
        }
        let (found, missing): (Vec<u64>, Vec<u64>) = transfers
            .into_iter()
            .partition(|&timestamp| window_transfer_at(sources, timestamp));
        self.transfer_times.extend(found);
        if !missing.is_empty() {
            let last = clock.sequence;
            let options = ReadOptions::default();
            let found =
                sources
                    .lookup
                    .disk_transfer_times(sources.database, options, &missing, last)?;
            self.transfer_times.extend(
                missing
                    .into_iter()
                    .zip(found)
                    .filter(|(_, found)| *found)
                    .map(|(at, _)| at),
            );
        }
        Ok(())
    }
}

fn tidy<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

fn number(tag: u8) -> impl Fn(&u32) -> Vec<u8> {
    move |&number| current::number_key(tag, number).to_vec()
}

/// Reads the rows of a kind with few of them.
fn gather<K: Clone + Eq + std::hash::Hash, V>(
    sources: &Sources<'_>,
    what: &'static str,
    keys: &[K],
    encode: impl Fn(&K) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Option<V>,
    into: &mut HashMap<K, V>,
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut keys: Vec<(Vec<u8>, &K)> = keys.iter().map(|key| (encode(key), key)).collect();
    keys.sort_unstable_by(|one, two| one.0.cmp(&two.0));
    keys.dedup_by(|one, two| one.0 == two.0);
    let encoded: Vec<&[u8]> = keys.iter().map(|(encoded, _)| encoded.as_slice()).collect();
    let rows = sources
        .lookup
        .rows(sources.database, &ReadOptions::default(), &encoded)?;
    for ((_, key), row) in keys.iter().zip(rows) {
        if let Some(row) = row {
            let value = decode(&row).ok_or_else(|| Error::damaged(what, "malformed row"))?;
            into.insert((*key).clone(), value);
        }
    }
    Ok(())
}

fn window_transfer_at(sources: &Sources<'_>, timestamp: u64) -> bool {
    let newest_first = sources.recents.iter().rev();
    let place = newest_first
        .filter_map(|recent| Some((recent.number, recent.chunk_of_transfer_at(timestamp)?)))
        .next();
    let Some((number, chunk)) = place else {
        return false;
    };
    let window = sources
        .lookup
        .windows
        .iter()
        .find(|window| window.window().number == number);
    let chunk = window.and_then(|window| window.window().chunk(chunk));
    let at = |row: &[u8; 256]| super::rows::u64_at(row, 120) == Some(timestamp);
    chunk.is_some_and(|chunk| chunk.transfers().any(|(_, _, row)| at(&row)))
}

/// The first pendings that are due, by (expires_at, timestamp): those on disk that no window removed, and those the
/// windows added.
fn due_pendings(sources: &mut Sources<'_>, due: Due) -> Result<Vec<Pending>, Error> {
    let floor = *sources.queue_floor;
    let mut places: Vec<(Place, u128)> = vec![];
    {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(current::due_key(floor.0, floor.1));
        options.set_iterate_upper_bound([current::TAG_DUE + 1]);
        let family = sources.database.family(family::CURRENT)?;
        let mut rows = sources.database.db()?.raw_iterator_cf_opt(family, options);
        rows.seek_to_first();
        // One more than asked for: the first that stays is the queue's next floor.
        while let Some((key, value)) = rows.item() {
            let malformed = || Error::damaged("expiry queue", "malformed row");
            let place = current::split_due_key(key).ok_or_else(malformed)?;
            let id = value
                .first_chunk()
                .map(|id| u128::from_le_bytes(*id))
                .ok_or_else(malformed)?;
            if !sources
                .recents
                .iter()
                .any(|recent| recent.is_removed(&place))
            {
                places.push((place, id));
                if places.len() > due.limit || place.0 > due.now {
                    break;
                }
            }
            rows.next();
        }
        rows.status()
            .map_err(Error::database("read the expiry queue"))?;
    }
    for recent in sources.recents {
        let still = recent.added_from(floor).filter(|(place, _)| {
            !sources
                .recents
                .iter()
                .any(|later| later.number > recent.number && later.is_removed(place))
        });
        places.extend(still.take(due.limit + 1));
    }
    places.sort_unstable();
    places.dedup();
    *sources.queue_floor = places
        .first()
        .map_or((u64::MAX, u64::MAX), |(place, _)| *place);
    places.retain(|((expires_at, _), _)| *expires_at <= due.now);
    places.truncate(due.limit);
    let mut ids: Vec<u128> = places.iter().map(|(_, id)| *id).collect();
    tidy(&mut ids);
    let found = sources
        .lookup
        .pendings(sources.database, &ReadOptions::default(), &ids)?;
    let pending_of = |id: &u128| ids.binary_search(id).ok().and_then(|at| found[at]);
    let missing = || Error::damaged("expiry queue", "a row without its pending transfer");
    places
        .iter()
        .map(|(_, id)| pending_of(id).ok_or_else(missing))
        .collect()
}

fn seen(lead: Lead) -> Seen {
    match lead {
        Lead::Refused => Seen::Refused,
        Lead::Transfer(row) => Seen::Applied {
            transfer: row.transfer,
            sequence: row.sequence,
        },
    }
}

impl View for Prefetched<'_> {
    fn clock(&self) -> Clock {
        self.clock
    }

    #[inline]
    fn account(&self, id: AccountId) -> Option<Account> {
        let account = self.accounts.get(id);
        if account.is_none() && !self.gathered.absent_accounts.contains(&id) {
            self.unannounced.set(true);
        }
        account.copied()
    }

    #[inline]
    fn transfer(&self, id: TransferId) -> Option<Seen> {
        if self.gathered.transfers.is_empty() {
            return None;
        }
        self.gathered.transfers.get(&id).copied()
    }

    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.gathered.pendings.get(&id).copied()
    }

    fn ledger(&self, ledger: u32) -> Option<Ledger> {
        self.gathered.ledgers.get(&ledger).copied()
    }

    fn record(&self, key: &RecordKey) -> Option<Record> {
        self.gathered.records.get(key).cloned()
    }

    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals> {
        self.gathered.namespaces.get(&namespace).copied()
    }

    fn setting(&self, setting: u32) -> Option<u64> {
        self.gathered.settings.get(&setting).copied()
    }

    fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        match &self.gathered.due {
            Some((due, pendings)) if due.now == now && due.limit == limit => pendings.clone(),
            _ => {
                self.unannounced.set(true);
                vec![]
            }
        }
    }

    fn account_at(&self, timestamp: u64) -> bool {
        self.gathered.account_times.contains(&timestamp)
    }

    fn transfer_at(&self, timestamp: u64) -> bool {
        self.gathered.transfer_times.contains(&timestamp)
    }
}
