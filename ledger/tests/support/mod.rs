//! What the tests share: a seeded source of choices and a view that knows only what was announced.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;
use std::collections::BTreeSet;

use farthing_ledger::{
    Account, AccountId, Applied, Applier, Clock, EntryReader, Keys, Ledger, MemoryState,
    NamespaceTotals, Pending, Record, RecordKey, Seen, TransferId, View, round_one, round_two,
};

/// SplitMix64: every run with the same seed makes the same choices.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in `of` times.
    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(choices.len() as u64)).unwrap();
        choices[index].clone()
    }
}

/// Answers only what the two rounds have announced and panics at anything else.
pub struct Announced<'a> {
    state: &'a MemoryState,
    accounts: BTreeSet<AccountId>,
    transfers: BTreeSet<TransferId>,
    pendings: BTreeSet<TransferId>,
    ledgers: BTreeSet<u32>,
    records: BTreeSet<RecordKey>,
    namespaces: BTreeSet<u32>,
    settings: BTreeSet<u32>,
    account_times: BTreeSet<u64>,
    transfer_times: BTreeSet<u64>,
    due: Option<(u64, usize)>,
    pub asked: Cell<u64>,
}

impl<'a> Announced<'a> {
    pub fn new(state: &'a MemoryState, rounds: &[&Keys]) -> Self {
        let mut view = Self {
            state,
            accounts: BTreeSet::new(),
            transfers: BTreeSet::new(),
            pendings: BTreeSet::new(),
            ledgers: BTreeSet::new(),
            records: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            settings: BTreeSet::new(),
            account_times: BTreeSet::new(),
            transfer_times: BTreeSet::new(),
            due: None,
            asked: Cell::new(0),
        };
        for keys in rounds {
            view.accounts.extend(&keys.accounts);
            view.transfers.extend(&keys.transfers);
            view.pendings.extend(&keys.pendings);
            view.ledgers.extend(&keys.ledgers);
            view.records.extend(&keys.records);
            view.namespaces.extend(&keys.namespaces);
            view.settings.extend(&keys.settings);
            view.account_times.extend(&keys.account_times);
            view.transfer_times.extend(&keys.transfer_times);
            view.due = view.due.or(keys.due.map(|due| (due.now, due.limit)));
        }
        view
    }

    fn announced(&self, was: bool, what: &str) {
        assert!(was, "asked for {what} without announcing it");
        self.asked.set(self.asked.get() + 1);
    }
}

impl View for Announced<'_> {
    fn clock(&self) -> Clock {
        self.state.clock()
    }
    fn account(&self, id: AccountId) -> Option<Account> {
        self.announced(self.accounts.contains(&id), "an account");
        self.state.account(id)
    }
    fn transfer(&self, id: TransferId) -> Option<Seen> {
        self.announced(self.transfers.contains(&id), "a transfer");
        self.state.transfer(id)
    }
    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.announced(self.pendings.contains(&id), "a pending transfer");
        self.state.pending(id)
    }
    fn ledger(&self, ledger: u32) -> Option<Ledger> {
        self.announced(self.ledgers.contains(&ledger), "a ledger");
        self.state.ledger(ledger)
    }
    fn record(&self, key: &RecordKey) -> Option<Record> {
        self.announced(self.records.contains(key), "a record");
        self.state.record(key)
    }
    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals> {
        self.announced(self.namespaces.contains(&namespace), "a namespace");
        self.state.namespace(namespace)
    }
    fn setting(&self, setting: u32) -> Option<u64> {
        self.announced(self.settings.contains(&setting), "a setting");
        self.state.setting(setting)
    }
    fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        self.announced(self.due == Some((now, limit)), "what is due");
        self.state.due(now, limit)
    }
    fn account_at(&self, timestamp: u64) -> bool {
        self.announced(
            self.account_times.contains(&timestamp),
            "an account's timestamp",
        );
        self.state.account_at(timestamp)
    }
    fn transfer_at(&self, timestamp: u64) -> bool {
        self.announced(
            self.transfer_times.contains(&timestamp),
            "a transfer's timestamp",
        );
        self.state.transfer_at(timestamp)
    }
}

/// Applies an entry as a node does: two rounds of reads, then `apply` on what they brought, then the writes.
pub fn step(state: &mut MemoryState, applier: &mut Applier, bytes: &[u8]) -> Applied {
    let entry = EntryReader::new(bytes).expect("a valid entry");
    let one = round_one(&entry, &state.clock());
    let two = round_two(&entry, &Announced::new(state, &[&one]));
    let applied = applier
        .apply(&Announced::new(state, &[&one, &two]), &entry)
        .expect("sound invariants");
    state.absorb(&applied.changes);
    applied
}
