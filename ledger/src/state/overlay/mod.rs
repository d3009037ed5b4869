//! What an entry has changed so far, laid over the state before it. Commands read and write only here.
//!
//! Accounts, transfers and pending transfers are lists in the order of their first touch with maps from id to place
//! (`money.rs`); everything else is rare and lives in ordered maps (`rows.rs`). A chain that fails is undone from a
//! journal (`journal.rs`).

mod journal;
mod money;
mod rows;

use std::collections::BTreeMap;

use crate::changes::{
    AccountChange, Changes, LedgerChange, NamespaceChange, PendingChange, RecordChange,
    SettingChange, TransferRow,
};
use crate::event::Event;
use crate::id_map::IdMap;
use crate::ids::{AccountId, TransferId};
use crate::ledger::Ledger;
use crate::record::{NamespaceTotals, Record, RecordKey};

use super::{Broken, Clock, Seen, View};
use journal::{Mark, Undo};

/// In `Maps::transfers`: the id was refused in this entry.
const REFUSED: u32 = u32::MAX - 1;

/// Where ids are found in the overlay's lists. Kept from entry to entry for its memory.
#[derive(Clone)]
pub(in crate::state) struct Maps {
    accounts: IdMap,
    transfers: IdMap,
    pendings: IdMap,
}

impl Maps {
    pub(in crate::state) fn new() -> Self {
        let map = || IdMap::with_capacity(0, 0);
        Self {
            accounts: map(),
            transfers: map(),
            pendings: map(),
        }
    }

    /// The seed is the entry's time in ns: the same on every node, and unknown when clients choose their ids.
    fn reset(&mut self, transfers: usize, seed: u64) {
        self.accounts.reset(transfers.saturating_mul(2), seed);
        self.transfers.reset(transfers, seed);
        // How many pending transfers there are is seen only on the way: likely as many as last time.
        self.pendings.reset(self.pendings.len(), seed);
    }
}

/// Before and after the entry.
type Pair<T> = (Option<T>, Option<T>);

pub(in crate::state) struct Overlay<'a, V> {
    view: &'a V,
    maps: &'a mut Maps,
    pub(in crate::state) clock: Clock,
    /// A slot whose account has id zero is a creation that was rolled back.
    accounts: Vec<AccountChange>,
    account_times: Vec<u64>,
    transfers: Vec<TransferRow>,
    refused: Vec<TransferId>,
    /// A slot whose transfer has id zero is a creation that was rolled back.
    pendings: Vec<PendingChange>,
    ledgers: BTreeMap<u32, Pair<Ledger>>,
    records: BTreeMap<RecordKey, Pair<Record>>,
    namespaces: BTreeMap<u32, Pair<NamespaceTotals>>,
    settings: BTreeMap<u32, Pair<u64>>,
    events: Vec<Event>,
    journal: Vec<Undo>,
    chain: Option<Mark>,
}

impl<'a, V: View> Overlay<'a, V> {
    pub(in crate::state) fn new(
        view: &'a V,
        maps: &'a mut Maps,
        transfers: usize,
        seed: u64,
    ) -> Self {
        maps.reset(transfers, seed);
        Self {
            view,
            maps,
            clock: view.clock(),
            // An entry rarely touches more accounts than this; if it does, the list grows.
            accounts: Vec::with_capacity(transfers.saturating_mul(2).min(16_384)),
            account_times: Vec::new(),
            transfers: Vec::with_capacity(transfers),
            refused: Vec::new(),
            pendings: Vec::new(),
            ledgers: BTreeMap::new(),
            records: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            settings: BTreeMap::new(),
            events: Vec::new(),
            journal: Vec::new(),
            chain: None,
        }
    }

    /// Everything that differs from the view now.
    pub(in crate::state) fn finish(self) -> Changes {
        let mut accounts = self.accounts;
        accounts.retain(|change| {
            change.before != Some(change.after) && change.after.id != AccountId::ZERO
        });
        let mut pendings = self.pendings;
        pendings.retain(|change| {
            change.before != Some(change.after) && change.after.transfer.id != TransferId::ZERO
        });
        Changes {
            clock_after: self.clock,
            accounts,
            transfers: self.transfers,
            refused: self.refused,
            pendings,
            ledgers: changed(self.ledgers)
                .map(|(_, before, after)| LedgerChange { before, after })
                .collect(),
            records: changed(self.records)
                .map(|(key, before, after)| RecordChange { key, before, after })
                .collect(),
            namespaces: changed(self.namespaces)
                .map(|(namespace, before, after)| NamespaceChange {
                    namespace,
                    before,
                    after,
                })
                .collect(),
            settings: changed(self.settings)
                .map(|(setting, before, after)| SettingChange {
                    setting,
                    before,
                    after,
                })
                .collect(),
            events: self.events,
        }
    }
}

/// The pairs that differ, in order of their keys.
fn changed<K, T: PartialEq>(
    pairs: BTreeMap<K, Pair<T>>,
) -> impl Iterator<Item = (K, Option<T>, T)> {
    pairs
        .into_iter()
        .filter(|(_, (before, after))| before != after)
        .filter_map(|(key, (before, after))| {
            let after = after?;
            Some((key, before, after))
        })
}

/// The next number of a counter.
#[inline]
pub(in crate::state) fn next(counter: u64) -> Result<u64, Broken> {
    counter.checked_add(1).ok_or(Broken::CounterExhausted)
}

/// An entry has at most 16 MiB, so its lists are far shorter than 2^32.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn slot_number(slot: usize) -> u32 {
    slot as u32
}
