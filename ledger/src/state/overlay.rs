//! What an entry has changed so far, laid over the state before it. Commands read and write only here.
//!
//! A chain that fails is undone from a journal of former values, newest first. Used-up ids stay: a refusal is
//! remembered also when its chain rolls back.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::changes::{
    AccountChange, Changes, LedgerChange, NamespaceChange, PendingChange, RecordChange,
    SettingChange, TransferRow,
};
use crate::event::{Event, EventBody};
use crate::id_map::IdMap;
use crate::ids::{AccountId, TransferId};
use crate::ledger::Ledger;
use crate::pending::Pending;
use crate::record::{NamespaceTotals, Record, RecordKey};

use super::{Broken, Clock, Seen, View};

/// In `Maps::transfers`: the id was refused in this entry.
const REFUSED: u32 = u32::MAX - 1;

/// Where ids are found in the overlay's lists. Kept from entry to entry for its memory.
#[derive(Clone)]
pub(super) struct Maps {
    accounts: IdMap,
    transfers: IdMap,
    pendings: IdMap,
}

impl Maps {
    pub(super) fn new() -> Self {
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
        self.pendings.reset(0, seed);
    }
}

/// A former value.
enum Undo {
    Account {
        slot: usize,
        former: Account,
    },
    Transfer,
    Pending {
        slot: usize,
        former: Pending,
    },
    Ledger {
        ledger: u32,
        former: Option<Ledger>,
    },
    Record {
        key: RecordKey,
        former: Option<Box<Record>>,
    },
    Namespace {
        namespace: u32,
        former: Option<NamespaceTotals>,
    },
}

/// Before and after the entry.
type Pair<T> = (Option<T>, Option<T>);

pub(super) struct Overlay<'a, V> {
    view: &'a V,
    maps: &'a mut Maps,
    pub(super) clock: Clock,
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

/// Where a chain began.
struct Mark {
    clock: Clock,
    events: usize,
    account_times: usize,
}

impl<'a, V: View> Overlay<'a, V> {
    pub(super) fn new(view: &'a V, maps: &'a mut Maps, transfers: usize, seed: u64) -> Self {
        maps.reset(transfers, seed);
        Self {
            view,
            maps,
            clock: view.clock(),
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

    // Chains.

    pub(super) fn begin_chain(&mut self) {
        self.journal.clear();
        self.chain = Some(Mark {
            clock: self.clock,
            events: self.events.len(),
            account_times: self.account_times.len(),
        });
    }

    pub(super) fn keep_chain(&mut self) {
        self.chain = None;
    }

    /// Undoes everything since the chain began, except the passing of time and the refusals.
    pub(super) fn undo_chain(&mut self) {
        let Some(mark) = self.chain.take() else {
            return;
        };
        while let Some(undo) = self.journal.pop() {
            match undo {
                Undo::Account { slot, former } => self.accounts[slot].after = former,
                Undo::Transfer => {
                    if let Some(row) = self.transfers.pop() {
                        self.maps.transfers.remove(row.transfer.id.0);
                    }
                }
                Undo::Pending { slot, former } => self.pendings[slot].after = former,
                Undo::Ledger { ledger, former } => {
                    if let Some(pair) = self.ledgers.get_mut(&ledger) {
                        pair.1 = former;
                    }
                }
                Undo::Record { key, former } => {
                    if let Some(pair) = self.records.get_mut(&key) {
                        pair.1 = former.map(|record| *record);
                    }
                }
                Undo::Namespace { namespace, former } => {
                    if let Some(pair) = self.namespaces.get_mut(&namespace) {
                        pair.1 = former;
                    }
                }
            }
        }
        self.events.truncate(mark.events);
        self.account_times.truncate(mark.account_times);
        let Clock {
            timestamp,
            refused_count,
            ..
        } = self.clock;
        self.clock = Clock {
            timestamp,
            refused_count,
            ..mark.clock
        };
    }

    fn journal(&mut self, undo: impl FnOnce(&Self) -> Undo) {
        if self.chain.is_some() {
            let undo = undo(self);
            self.journal.push(undo);
        }
    }

    // Accounts.

    /// The slot of an account that exists.
    #[inline]
    pub(super) fn find_account(&mut self, id: AccountId) -> Option<usize> {
        if let Some(slot) = self.maps.accounts.get(id.0) {
            let slot = slot as usize;
            return (self.accounts[slot].after.id == id).then_some(slot);
        }
        let account = self.view.account(id)?;
        let slot = self.accounts.len();
        self.maps.accounts.insert(id.0, slot_number(slot));
        self.accounts.push(AccountChange {
            before: Some(account),
            after: account,
        });
        Some(slot)
    }

    #[inline]
    pub(super) fn account(&self, slot: usize) -> &Account {
        &self.accounts[slot].after
    }

    #[inline]
    pub(super) fn set_account(&mut self, slot: usize, account: Account) {
        self.journal(|overlay| Undo::Account {
            slot,
            former: overlay.accounts[slot].after,
        });
        self.accounts[slot].after = account;
    }

    /// Adds an account that [`Self::find_account`] did not find.
    pub(super) fn add_account(&mut self, account: Account) -> Result<(), Broken> {
        if account.timestamp <= self.clock.account_timestamp {
            return Err(Broken::TimestampRegresses {
                timestamp: account.timestamp,
            });
        }
        // Always a new slot, also when the id has one from a creation that was rolled back: new accounts leave the
        // entry in the order of their timestamps.
        let slot = self.accounts.len();
        self.maps.accounts.insert(account.id.0, slot_number(slot));
        self.accounts.push(AccountChange {
            before: None,
            after: Account::default(),
        });
        self.set_account(slot, account);
        self.account_times.push(account.timestamp);
        self.clock.account_timestamp = account.timestamp;
        self.clock.account_count = next(self.clock.account_count)?;
        Ok(())
    }

    /// True when an account has this timestamp.
    pub(super) fn account_at(&self, timestamp: u64) -> bool {
        self.account_times.binary_search(&timestamp).is_ok() || self.view.account_at(timestamp)
    }

    // Transfers.

    #[inline]
    pub(super) fn seen(&self, id: TransferId) -> Option<Seen> {
        match self.maps.transfers.get(id.0) {
            None => self.view.transfer(id),
            Some(REFUSED) => Some(Seen::Refused),
            Some(slot) => {
                let row = &self.transfers[slot as usize];
                Some(Seen::Applied {
                    transfer: row.transfer,
                    sequence: row.sequence,
                })
            }
        }
    }

    /// Adds a transfer that was not seen before and returns its sequence.
    #[inline]
    pub(super) fn add_transfer(
        &mut self,
        transfer: crate::Transfer,
        debit: usize,
        credit: usize,
    ) -> Result<u64, Broken> {
        if transfer.timestamp <= self.clock.transfer_timestamp {
            return Err(Broken::TimestampRegresses {
                timestamp: transfer.timestamp,
            });
        }
        let sequence = next(self.clock.sequence)?;
        self.clock.sequence = sequence;
        self.clock.transfer_timestamp = transfer.timestamp;
        self.clock.transfer_count = next(self.clock.transfer_count)?;
        self.maps
            .transfers
            .insert(transfer.id.0, slot_number(self.transfers.len()));
        self.journal(|_| Undo::Transfer);
        self.transfers.push(TransferRow {
            sequence,
            transfer,
            debit_after: self.accounts[debit].after.balances(),
            credit_after: self.accounts[credit].after.balances(),
        });
        Ok(sequence)
    }

    /// Uses up an id that was not seen before. Never undone.
    pub(super) fn refuse(&mut self, id: TransferId) -> Result<(), Broken> {
        self.maps.transfers.insert(id.0, REFUSED);
        self.refused.push(id);
        self.clock.refused_count = next(self.clock.refused_count)?;
        Ok(())
    }

    /// True when a transfer has this timestamp. Those of the entry are in order of time.
    pub(super) fn transfer_at(&self, timestamp: u64) -> bool {
        self.transfers
            .binary_search_by_key(&timestamp, |row| row.transfer.timestamp)
            .is_ok()
            || self.view.transfer_at(timestamp)
    }

    // Pending transfers.

    /// The slot of a pending transfer that exists.
    pub(super) fn find_pending(&mut self, id: TransferId) -> Option<usize> {
        if let Some(slot) = self.maps.pendings.get(id.0) {
            let slot = slot as usize;
            return (self.pendings[slot].after.transfer.id == id).then_some(slot);
        }
        let pending = self.view.pending(id)?;
        Some(self.load_pending(pending))
    }

    /// The slot of a pending transfer the view has given unasked.
    pub(super) fn load_pending(&mut self, pending: Pending) -> usize {
        let id = pending.transfer.id.0;
        if let Some(slot) = self.maps.pendings.get(id) {
            return slot as usize;
        }
        let slot = self.pendings.len();
        self.maps.pendings.insert(id, slot_number(slot));
        self.pendings.push(PendingChange {
            before: Some(pending),
            after: pending,
        });
        slot
    }

    pub(super) fn pending(&self, slot: usize) -> &Pending {
        &self.pendings[slot].after
    }

    pub(super) fn set_pending(&mut self, slot: usize, pending: Pending) {
        self.journal(|overlay| Undo::Pending {
            slot,
            former: overlay.pendings[slot].after,
        });
        self.pendings[slot].after = pending;
    }

    /// Adds a pending transfer that was not there.
    pub(super) fn add_pending(&mut self, pending: Pending) -> Result<(), Broken> {
        let id = pending.transfer.id.0;
        let slot = self.pendings.len();
        self.maps.pendings.insert(id, slot_number(slot));
        let none = Pending {
            transfer: crate::Transfer::default(),
            ..pending
        };
        self.pendings.push(PendingChange {
            before: None,
            after: none,
        });
        self.set_pending(slot, pending);
        self.clock.pending_count = next(self.clock.pending_count)?;
        Ok(())
    }

    /// What is due, without regard to what the entry has changed.
    pub(super) fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        self.view.due(now, limit)
    }

    // Ledgers, records, settings, events.

    pub(super) fn ledger(&mut self, ledger: u32) -> Option<Ledger> {
        let view = self.view;
        let pair = self.ledgers.entry(ledger).or_insert_with(|| {
            let row = view.ledger(ledger);
            (row, row)
        });
        pair.1
    }

    pub(super) fn set_ledger(&mut self, row: Ledger) {
        let former = self.ledger(row.ledger);
        self.journal(|_| Undo::Ledger {
            ledger: row.ledger,
            former,
        });
        if let Some(pair) = self.ledgers.get_mut(&row.ledger) {
            pair.1 = Some(row);
        }
    }

    pub(super) fn record(&mut self, key: &RecordKey) -> Option<&Record> {
        let view = self.view;
        let pair = self.records.entry(*key).or_insert_with(|| {
            let row = view.record(key);
            (row.clone(), row)
        });
        pair.1.as_ref()
    }

    pub(super) fn set_record(&mut self, key: RecordKey, record: Record) {
        let chained = self.chain.is_some();
        let pair = self.records.entry(key).or_default();
        let former = pair.1.replace(record);
        if chained {
            self.journal.push(Undo::Record {
                key,
                former: former.map(Box::new),
            });
        }
    }

    pub(super) fn namespace(&mut self, namespace: u32) -> NamespaceTotals {
        let view = self.view;
        let pair = self.namespaces.entry(namespace).or_insert_with(|| {
            let totals = view.namespace(namespace);
            (totals, totals)
        });
        pair.1.unwrap_or_default()
    }

    pub(super) fn set_namespace(&mut self, namespace: u32, totals: NamespaceTotals) {
        let chained = self.chain.is_some();
        let pair = self.namespaces.entry(namespace).or_default();
        let former = pair.1.replace(totals);
        if chained {
            self.journal.push(Undo::Namespace { namespace, former });
        }
    }

    pub(super) fn setting(&mut self, setting: u32) -> Option<u64> {
        let view = self.view;
        let pair = self.settings.entry(setting).or_insert_with(|| {
            let value = view.setting(setting);
            (value, value)
        });
        pair.1
    }

    /// Settings are never part of a chain, so there is nothing to undo.
    pub(super) fn set_setting(&mut self, setting: u32, value: u64) {
        self.settings.entry(setting).or_default().1 = Some(value);
    }

    /// Adds an event with the next sequence.
    pub(super) fn add_event(&mut self, timestamp: u64, body: EventBody) -> Result<(), Broken> {
        self.clock.sequence = next(self.clock.sequence)?;
        self.events.push(Event {
            sequence: self.clock.sequence,
            timestamp,
            body,
        });
        Ok(())
    }

    /// Everything that differs from the view now.
    pub(super) fn finish(self) -> Changes {
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
pub(super) fn next(counter: u64) -> Result<u64, Broken> {
    counter.checked_add(1).ok_or(Broken::CounterExhausted)
}

/// An entry has at most 16 MiB, so its lists are far shorter than 2^32.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn slot_number(slot: usize) -> u32 {
    slot as u32
}
