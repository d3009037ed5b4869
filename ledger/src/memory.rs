//! A whole state in memory: the reference the disk is compared with, and the state of tests and simulations.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::Account;
use crate::changes::{Changes, TransferRow};
use crate::event::Event;
use crate::id_map::IdMap;
use crate::ids::{AccountId, TransferId};
use crate::ledger::Ledger;
use crate::pending::Pending;
use crate::record::{NamespaceTotals, Record, RecordKey};
use crate::state::{Clock, Seen, View};

/// In the map of transfers: the id was refused.
const REFUSED: u32 = u32::MAX - 1;

/// A state that keeps everything, in order of its creation. Holds up to 2^32 - 2 of each.
#[derive(Clone)]
pub struct MemoryState {
    clock: Clock,
    accounts: Vec<Account>,
    account_slots: IdMap,
    transfers: Vec<TransferRow>,
    transfer_slots: IdMap,
    refused: Vec<TransferId>,
    pendings: Vec<Pending>,
    pending_slots: IdMap,
    due: BTreeSet<(u64, u64, TransferId)>,
    ledgers: BTreeMap<u32, Ledger>,
    records: BTreeMap<RecordKey, Record>,
    namespaces: BTreeMap<u32, NamespaceTotals>,
    settings: BTreeMap<u32, u64>,
    events: Vec<Event>,
}

impl Default for MemoryState {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryState {
    /// The state before the first entry.
    pub fn new() -> Self {
        let slots = || IdMap::with_capacity(1024, 0);
        Self {
            clock: Clock::default(),
            accounts: Vec::new(),
            account_slots: slots(),
            transfers: Vec::new(),
            transfer_slots: slots(),
            refused: Vec::new(),
            pendings: Vec::new(),
            pending_slots: slots(),
            due: BTreeSet::new(),
            ledgers: BTreeMap::new(),
            records: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            settings: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// Takes over what an entry changed.
    pub fn absorb(&mut self, changes: &Changes) {
        for change in &changes.accounts {
            put(
                &mut self.accounts,
                &mut self.account_slots,
                change.after.id.0,
                change.after,
            );
        }
        for row in &changes.transfers {
            put(
                &mut self.transfers,
                &mut self.transfer_slots,
                row.transfer.id.0,
                *row,
            );
        }
        for &id in &changes.refused {
            self.transfer_slots.insert(id.0, REFUSED);
            self.refused.push(id);
        }
        for change in &changes.pendings {
            let id = change.after.transfer.id;
            if let Some((expires_at, timestamp)) =
                change.before.and_then(|pending| pending.due_at())
            {
                self.due.remove(&(expires_at, timestamp, id));
            }
            if let Some((expires_at, timestamp)) = change.after.due_at() {
                self.due.insert((expires_at, timestamp, id));
            }
            put(
                &mut self.pendings,
                &mut self.pending_slots,
                id.0,
                change.after,
            );
        }
        self.ledgers.extend(
            changes
                .ledgers
                .iter()
                .map(|change| (change.after.ledger, change.after)),
        );
        self.records.extend(
            changes
                .records
                .iter()
                .map(|change| (change.key, change.after.clone())),
        );
        self.namespaces.extend(
            changes
                .namespaces
                .iter()
                .map(|change| (change.namespace, change.after)),
        );
        self.settings.extend(
            changes
                .settings
                .iter()
                .map(|change| (change.setting, change.after)),
        );
        self.events.extend_from_slice(&changes.events);
        self.clock = changes.clock_after;
    }

    /// Accounts, in order of creation.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Transfers, by sequence.
    pub fn transfers(&self) -> &[TransferRow] {
        &self.transfers
    }

    /// Used-up ids, in order of their refusal.
    pub fn refused(&self) -> &[TransferId] {
        &self.refused
    }

    /// Pending transfers whatever their status, in order of creation.
    pub fn pendings(&self) -> &[Pending] {
        &self.pendings
    }

    /// Ledgers, by number.
    pub fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        self.ledgers.values()
    }

    /// Records, by key.
    pub fn records(&self) -> impl Iterator<Item = (&RecordKey, &Record)> {
        self.records.iter()
    }

    /// Events that are not transfers, by sequence.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// When the next pending transfer expires, ns.
    pub fn next_expiry(&self) -> Option<u64> {
        self.due.first().map(|&(expires_at, _, _)| expires_at)
    }
}

fn put<T>(rows: &mut Vec<T>, slots: &mut IdMap, id: u128, row: T) {
    match slots.get(id) {
        Some(slot) => rows[slot as usize] = row,
        None => {
            slots.insert(id, u32::try_from(rows.len()).unwrap_or(u32::MAX));
            rows.push(row);
        }
    }
}

impl View for MemoryState {
    fn clock(&self) -> Clock {
        self.clock
    }

    fn account(&self, id: AccountId) -> Option<Account> {
        self.account_slots
            .get(id.0)
            .map(|slot| self.accounts[slot as usize])
    }

    fn transfer(&self, id: TransferId) -> Option<Seen> {
        match self.transfer_slots.get(id.0)? {
            REFUSED => Some(Seen::Refused),
            slot => {
                let row = &self.transfers[slot as usize];
                Some(Seen::Applied {
                    transfer: row.transfer,
                    sequence: row.sequence,
                })
            }
        }
    }

    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.pending_slots
            .get(id.0)
            .map(|slot| self.pendings[slot as usize])
    }

    fn ledger(&self, ledger: u32) -> Option<Ledger> {
        self.ledgers.get(&ledger).copied()
    }

    fn record(&self, key: &RecordKey) -> Option<Record> {
        self.records.get(key).cloned()
    }

    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals> {
        self.namespaces.get(&namespace).copied()
    }

    fn setting(&self, setting: u32) -> Option<u64> {
        self.settings.get(&setting).copied()
    }

    fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        let due = self
            .due
            .iter()
            .take_while(|(expires_at, _, _)| *expires_at <= now)
            .take(limit);
        due.filter_map(|&(_, _, id)| self.pending(id)).collect()
    }

    fn account_at(&self, timestamp: u64) -> bool {
        self.accounts
            .binary_search_by_key(&timestamp, |account| account.timestamp)
            .is_ok()
    }

    fn transfer_at(&self, timestamp: u64) -> bool {
        self.transfers
            .binary_search_by_key(&timestamp, |row| row.transfer.timestamp)
            .is_ok()
    }
}
