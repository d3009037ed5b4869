//! The answers to one round: what it names, looked up in batches, the windows first.

use std::collections::{HashMap, HashSet};

use farthing_ledger::{
    AccountId, Due, Keys, Ledger, NamespaceTotals, Pending, Record, RecordKey, Seen, TransferId,
};
use rocksdb::ReadOptions;

use super::{Sources, due};
use crate::storage::accounts::{AccountCache, Memo};
use crate::storage::error::Error;
use crate::storage::lookup::Lead;
use crate::storage::rows::{current, u64_at};

/// The answers of both rounds; keys that are not here are absent from the state.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) absent_accounts: HashSet<AccountId>,
    pub(super) transfers: HashMap<TransferId, Seen>,
    pub(super) pendings: HashMap<TransferId, Pending>,
    pub(super) ledgers: HashMap<u32, Ledger>,
    pub(super) records: HashMap<RecordKey, Record>,
    pub(super) namespaces: HashMap<u32, NamespaceTotals>,
    pub(super) settings: HashMap<u32, u64>,
    pub(super) account_times: HashSet<u64>,
    pub(super) transfer_times: HashSet<u64>,
    pub(super) due: Option<(Due, Vec<Pending>)>,
}

impl Gathered {
    /// Looks up what `keys` name.
    pub(super) fn add(
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
            self.due = Some((due, due::pendings(sources, due)?));
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

/// In order, without repetitions: as lookups want their keys.
pub(super) fn tidy<T: Ord>(list: &mut Vec<T>) {
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
    let at = |row: &[u8; 256]| u64_at(row, 120) == Some(timestamp);
    chunk.is_some_and(|chunk| chunk.transfers().any(|(_, _, row)| at(&row)))
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
