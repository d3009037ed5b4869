//! What one transfer costs in `apply`, in full batches: prints nanoseconds for each shape. No framework: the figures
//! are minima and medians over many entries, so a busy machine disturbs them little.
//!
//! `cargo bench -p farthing-ledger` (or `-- ENTRIES`).
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation
)]

use std::hint::black_box;
use std::time::Instant;

use farthing_ledger::entry::REQUEST_ITEMS_MAX;
use farthing_ledger::id_map::IdMap;
use farthing_ledger::{
    Account, AccountId, Applier, Clock, EntryBuilder, EntryReader, Keys, Ledger, MemoryState,
    NamespaceTotals, Pending, Record, RecordKey, RequestBuilder, Seen, Transfer, TransferFlags,
    TransferId, View, round_one,
};

/// What a node has in hand when it applies an entry: the answers to the rounds and nothing else. Looking them up is
/// the state's work and not part of the figures.
struct Prefetched<'a> {
    state: &'a MemoryState,
    account_slots: IdMap,
    accounts: Vec<Account>,
    transfer_slots: IdMap,
    transfers: Vec<Seen>,
}

impl<'a> Prefetched<'a> {
    fn new(state: &'a MemoryState, keys: &Keys) -> Self {
        let mut account_slots = IdMap::with_capacity(keys.accounts.len(), 1);
        let mut accounts = Vec::new();
        for &id in &keys.accounts {
            if account_slots.get(id.0).is_none()
                && let Some(account) = state.account(id)
            {
                account_slots.insert(id.0, accounts.len() as u32);
                accounts.push(account);
            }
        }
        let mut transfer_slots = IdMap::with_capacity(0, 1);
        let mut transfers = Vec::new();
        for &id in &keys.transfers {
            if let Some(seen) = state.transfer(id) {
                transfer_slots.insert(id.0, transfers.len() as u32);
                transfers.push(seen);
            }
        }
        Self {
            state,
            account_slots,
            accounts,
            transfer_slots,
            transfers,
        }
    }
}

impl View for Prefetched<'_> {
    fn clock(&self) -> Clock {
        self.state.clock()
    }
    fn account(&self, id: AccountId) -> Option<Account> {
        self.account_slots
            .get(id.0)
            .map(|slot| self.accounts[slot as usize])
    }
    fn transfer(&self, id: TransferId) -> Option<Seen> {
        self.transfer_slots
            .get(id.0)
            .map(|slot| self.transfers[slot as usize])
    }
    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.state.pending(id)
    }
    fn ledger(&self, ledger: u32) -> Option<Ledger> {
        self.state.ledger(ledger)
    }
    fn record(&self, key: &RecordKey) -> Option<Record> {
        self.state.record(key)
    }
    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals> {
        self.state.namespace(namespace)
    }
    fn setting(&self, setting: u32) -> Option<u64> {
        self.state.setting(setting)
    }
    fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        self.state.due(now, limit)
    }
    fn account_at(&self, timestamp: u64) -> bool {
        self.state.account_at(timestamp)
    }
    fn transfer_at(&self, timestamp: u64) -> bool {
        self.state.transfer_at(timestamp)
    }
}

/// Deterministic: two runs measure the same work.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn account(&mut self, accounts: u64) -> AccountId {
        AccountId(account_id(self.next() % accounts))
    }
}

/// Spread over the 128 bits, as client-made ids are.
fn account_id(number: u64) -> u128 {
    (u128::from(number) << 64 | u128::from(number.wrapping_mul(0x2545_f491_4f6c_dd1d))) + 1
}

fn accounts(state: &mut MemoryState, applier: &mut Applier, count: u64) {
    let mut number = 0;
    while number < count {
        let end = count.min(number + REQUEST_ITEMS_MAX as u64);
        let batch: Vec<_> = (number..end)
            .map(|number| Account {
                id: AccountId(account_id(number)),
                ledger: 1,
                code: 1,
                ..Account::default()
            })
            .collect();
        number = end;
        let mut builder = EntryBuilder::new(1);
        builder
            .push(&RequestBuilder::new(b"").accounts(&batch).finish().unwrap())
            .unwrap();
        let bytes = builder.finish();
        let applied = applier
            .apply(state, &EntryReader::new(&bytes).unwrap())
            .unwrap();
        state.absorb(&applied.changes);
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Plain,
    Pending,
    ChainsOfTwo,
    Duplicates,
}

fn batch(random: &mut Random, shape: Shape, accounts: u64, first_id: u128) -> Vec<u8> {
    let transfers: Vec<_> = (0..REQUEST_ITEMS_MAX)
        .map(|index| {
            let debit = random.account(accounts);
            let credit = loop {
                let credit = random.account(accounts);
                if credit != debit {
                    break credit;
                }
            };
            let flags = match shape {
                Shape::Plain | Shape::Duplicates => TransferFlags::default(),
                Shape::Pending => TransferFlags::PENDING,
                Shape::ChainsOfTwo if index % 2 == 0 && index + 1 < REQUEST_ITEMS_MAX => {
                    TransferFlags::LINKED
                }
                Shape::ChainsOfTwo => TransferFlags::default(),
            };
            let id = match shape {
                Shape::Duplicates => 1 + index as u128 / 2,
                _ => first_id + index as u128,
            };
            Transfer {
                id: TransferId(id),
                debit_account_id: debit,
                credit_account_id: credit,
                amount: u128::from(random.next() % 10_000),
                ledger: 1,
                code: 1,
                flags,
                ..Transfer::default()
            }
        })
        .collect();
    let mut builder = EntryBuilder::new(1);
    builder
        .push(
            &RequestBuilder::new(b"")
                .transfers(&transfers)
                .finish()
                .unwrap(),
        )
        .unwrap();
    builder.finish()
}

fn measure(name: &str, shape: Shape, account_count: u64, entries: usize) {
    let mut random = Random(42);
    let mut state = MemoryState::new();
    let mut applier = Applier::new();
    accounts(&mut state, &mut applier, account_count);
    let (mut check, mut gather, mut apply, mut absorb) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for entry in 0..entries {
        let bytes = batch(
            &mut random,
            shape,
            account_count,
            1 + (entry * REQUEST_ITEMS_MAX) as u128,
        );
        let timed = |times: &mut Vec<f64>, start: Instant| {
            times.push(start.elapsed().as_nanos() as f64 / REQUEST_ITEMS_MAX as f64);
        };
        let start = Instant::now();
        let reader = EntryReader::new(black_box(&bytes)).unwrap();
        timed(&mut check, start);
        let start = Instant::now();
        let keys = round_one(&reader, &state.clock());
        timed(&mut gather, start);
        let view = Prefetched::new(&state, &keys);
        let start = Instant::now();
        let applied = applier.apply(&view, &reader).unwrap();
        timed(&mut apply, start);
        let start = Instant::now();
        state.absorb(&applied.changes);
        timed(&mut absorb, start);
    }
    let figures = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        format!("{:6.0} {:6.0}", times[0], times[times.len() / 2])
    };
    println!(
        "{name:28} apply {}   reader {}   round one {}   absorb in memory {}",
        figures(apply),
        figures(check),
        figures(gather),
        figures(absorb)
    );
}

fn main() {
    let entries = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(60);
    println!("ns a transfer (minimum, median of {entries} entries of {REQUEST_ITEMS_MAX})");
    measure("plain, 10 k accounts", Shape::Plain, 10_000, entries);
    measure("plain, 1 M accounts", Shape::Plain, 1_000_000, entries);
    measure("pending, 10 k accounts", Shape::Pending, 10_000, entries);
    measure(
        "chains of two, 10 k accounts",
        Shape::ChainsOfTwo,
        10_000,
        entries,
    );
    measure(
        "duplicates, 10 k accounts",
        Shape::Duplicates,
        10_000,
        entries,
    );
}
