//! A ledger, and a statement made of it by known changes: what was done must be found, and nothing else.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::*;
use farthing_reconcile::{Class, DAY_NS, LedgerEntry, Options, Span, Statement, reconcile};
use proptest::prelude::*;

/// What was done to some transfers.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// In the statement with its id.
    Named,
    /// In the statement without.
    Unnamed,
    /// Several, as one entry that names them.
    MergedNamed(usize),
    /// Several, as one entry that does not.
    MergedUnnamed(usize),
    /// As several entries that name it.
    SplitNamed(usize),
    /// As several entries that do not.
    SplitUnnamed(usize),
    /// Named, with another amount.
    Altered,
    /// Named, in the other direction.
    Turned,
    /// Named, twice.
    Doubled,
    /// Not in the statement.
    Dropped,
    /// In the statement, and no transfer.
    Added,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Named),
        3 => Just(Change::Unnamed),
        1 => (2_usize..5).prop_map(Change::MergedNamed),
        1 => (2_usize..4).prop_map(Change::MergedUnnamed),
        1 => (2_usize..5).prop_map(Change::SplitNamed),
        1 => (2_usize..4).prop_map(Change::SplitUnnamed),
        1 => Just(Change::Altered),
        1 => Just(Change::Turned),
        1 => Just(Change::Doubled),
        1 => Just(Change::Dropped),
        1 => Just(Change::Added),
    ]
}

/// Class, entries by number, transfers by id.
type Expected = BTreeSet<(Class, Vec<u64>, Vec<u128>)>;

/// Draws numbers one after another from a seed; large, so that no sum fits by chance.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn amount(&mut self) -> u128 {
        u128::from(self.next() % 1_000_000_000_000) + 1_000_000_000
    }

    /// Within half a day after noon, so that everything is within the window of everything.
    fn time(&mut self) -> u64 {
        NOON + self.next() % (DAY_NS / 2)
    }
}

struct Planted {
    lines: Vec<Line>,
    ledger: Vec<LedgerEntry>,
    expected: Expected,
    draw: Draw,
}

impl Planted {
    fn transfer(&mut self) -> LedgerEntry {
        let id = u128::from(self.draw.next()) << 64 | u128::from(self.draw.next());
        let mut entry = transfer(id, self.draw.amount(), 0);
        entry.timestamp = self.draw.time();
        self.ledger.push(entry);
        entry
    }

    /// Its number.
    fn line(&mut self, reference: &str, amount: u128) -> u64 {
        let mut line = line(reference, amount, 0);
        line.span = Span::instant(self.draw.time());
        self.lines.push(line);
        self.lines.len() as u64
    }

    fn expect(&mut self, class: Class, lines: &[u64], transfers: &[LedgerEntry]) {
        let mut ids: Vec<u128> = transfers.iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        self.expected.insert((class, lines.to_vec(), ids));
    }

    fn apply(&mut self, change: Change) {
        let name = |entry: &LedgerEntry| format!("{:032x}", entry.id);
        match change {
            Change::Named | Change::Unnamed | Change::Altered | Change::Turned => {
                let entry = self.transfer();
                let (reference, amount, class) = match change {
                    Change::Named => (name(&entry), entry.amount, Class::Matched),
                    Change::Unnamed => (String::new(), entry.amount, Class::Matched),
                    Change::Turned => (name(&entry), entry.amount, Class::Different),
                    _ => (name(&entry), self.draw.amount(), Class::Different),
                };
                let number = self.line(&reference, amount);
                if matches!(change, Change::Turned) {
                    self.lines.last_mut().unwrap().direction = DEBIT;
                }
                self.expect(class, &[number], &[entry]);
            }
            Change::Doubled => {
                let entry = self.transfer();
                let first = self.line(&name(&entry), entry.amount);
                let second = self.line(&name(&entry), entry.amount);
                self.expect(Class::Different, &[first, second], &[entry]);
            }
            Change::MergedNamed(count) | Change::MergedUnnamed(count) => {
                let entries: Vec<LedgerEntry> = (0..count).map(|_| self.transfer()).collect();
                let names: Vec<String> = match change {
                    Change::MergedNamed(_) => entries.iter().map(name).collect(),
                    _ => Vec::new(),
                };
                let sum = entries.iter().map(|entry| entry.amount).sum();
                let number = self.line(&names.join(" "), sum);
                self.expect(Class::Matched, &[number], &entries);
            }
            Change::SplitNamed(count) | Change::SplitUnnamed(count) => {
                let amounts: Vec<u128> = (0..count).map(|_| self.draw.amount()).collect();
                let mut entry = self.transfer();
                entry.amount = amounts.iter().sum();
                *self.ledger.last_mut().unwrap() = entry;
                let reference = match change {
                    Change::SplitNamed(_) => name(&entry),
                    _ => String::new(),
                };
                let numbers: Vec<u64> = amounts
                    .iter()
                    .map(|amount| self.line(&reference, *amount))
                    .collect();
                self.expect(Class::Matched, &numbers, &[entry]);
            }
            Change::Dropped => {
                let entry = self.transfer();
                self.expect(Class::Extra, &[], &[entry]);
            }
            Change::Added => {
                let amount = self.draw.amount();
                let number = self.line("unknown", amount);
                self.expect(Class::Missing, &[number], &[]);
            }
        }
    }
}

fn found(statement: &Statement, ledger: &[LedgerEntry]) -> Expected {
    let report = reconcile(statement, ledger, &Options::default()).unwrap();
    report
        .items(&Class::ALL)
        .map(|item| {
            let lines = item.statement.iter().map(|entry| entry.entry).collect();
            let id = |hex: &str| u128::from_str_radix(&hex.replace('-', ""), 16).unwrap();
            let mut ids: Vec<u128> = item.ledger.iter().map(|entry| id(&entry.id)).collect();
            ids.sort_unstable();
            (item.class, lines, ids)
        })
        .collect()
}

proptest! {
    #![proptest_config(cases("PLANTED_CASES", 500))]

    #[test]
    fn what_was_planted_is_found(changes in prop::collection::vec(change(), 0..9), seed: u64) {
        let mut planted = Planted {
            lines: Vec::new(),
            ledger: Vec::new(),
            expected: Expected::new(),
            draw: Draw(seed),
        };
        for change in changes {
            planted.apply(change);
        }
        let statement = statement(&planted.lines);
        prop_assert_eq!(found(&statement, &planted.ledger), planted.expected);
    }
}
