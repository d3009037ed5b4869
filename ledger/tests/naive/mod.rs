//! The ledger a second time, as plainly as possible and as slow as it wants: maps of everything, a copy of the whole
//! state for each chain, and for each item the list of *all* rules it breaks, of which the first in the order of
//! precedence is the answer. It shares the record types and the numbers of the statuses with the crate, no logic.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

mod accounts;
pub mod generator;
mod others;
mod transfers;

use std::collections::{BTreeMap, BTreeSet};

use farthing_ledger::{Account, Ledger, Setting, Transfer};

/// One item of a request, with everything it says.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Account(Account),
    Transfer(Transfer),
    Ledger(Ledger),
    Record(Note),
    Pulse,
    Setting(Setting),
}

/// A record item that owns its bytes.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Note {
    pub operation_id: u128,
    pub expected_version: u64,
    pub namespace: u32,
    pub flags: u16,
    pub reserved: u32,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// A stored record: the last write and the count of writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub version: u64,
    pub last: Note,
    pub timestamp: u64,
}

impl Item {
    fn linked(&self) -> bool {
        match self {
            Self::Account(account) => account.flags.0 & 1 != 0,
            Self::Transfer(transfer) => transfer.flags.0 & 1 != 0,
            Self::Ledger(ledger) => ledger.flags.0 & 1 != 0,
            Self::Record(note) => note.flags & 1 != 0,
            Self::Pulse | Self::Setting(_) => false,
        }
    }

    fn imported(&self) -> Option<bool> {
        match self {
            Self::Account(account) => Some(account.flags.0 & 16 != 0),
            Self::Transfer(transfer) => Some(transfer.flags.0 & 256 != 0),
            _ => None,
        }
    }
}

/// (timestamp, status)
pub type Answer = (u64, u32);

#[derive(Clone, Default)]
pub struct Naive {
    pub clock: u64,
    pub sequence: u64,
    pub accounts: BTreeMap<u128, Account>,
    pub transfers: BTreeMap<u128, Transfer>,
    /// Pending transfers and their ends: "pending", "posted", "voided", "expired".
    pub pendings: BTreeMap<u128, &'static str>,
    pub refused: BTreeSet<u128>,
    pub ledgers: BTreeMap<u32, Ledger>,
    pub records: BTreeMap<(u32, Vec<u8>), Row>,
    pub settings: BTreeMap<u32, u64>,
    pub last_account_time: u64,
    pub last_transfer_time: u64,
}

impl Naive {
    /// Applies one request proposed at a time and answers every item.
    pub fn request(&mut self, proposed: u64, items: &[Item]) -> Vec<Answer> {
        if items.is_empty() {
            return Vec::new();
        }
        self.clock = self.clock.max(proposed.max(1) - 1);
        let imports = items.iter().find_map(Item::imported).unwrap_or(false);
        let mut answers = Vec::new();
        let mut at = 0;
        while at < items.len() {
            // A group: linked items and the one behind them, or what is left when a chain stays open.
            let mut end = at;
            while end < items.len() && items[end].linked() {
                end += 1;
            }
            let closed = items
                .get(end)
                .is_some_and(|item| !matches!(item, Item::Pulse | Item::Setting(_)));
            let end = if closed || end == at { end + 1 } else { end };
            self.group(&items[at..end], imports, &mut answers);
            at = end;
        }
        answers
    }

    fn group(&mut self, items: &[Item], imports: bool, answers: &mut Vec<Answer>) {
        let open = items.last().unwrap().linked();
        let before = self.clone();
        let first = self.clock + 1;
        let mut failed = None;
        let mut group: Vec<Answer> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let now = first + index as u64;
            if open && index + 1 == items.len() {
                group.push((now, 2));
                failed = failed.or(Some(index));
            } else if failed.is_some() {
                group.push((now, 1));
            } else {
                self.clock = now;
                let answer = self.item(item, imports, now);
                group.push(answer);
                if answer.1 != 0 {
                    failed = Some(index);
                }
            }
        }
        if let Some(failed) = failed {
            let refused = std::mem::take(&mut self.refused);
            *self = Self { refused, ..before };
            self.clock = first + items.len() as u64 - 1;
            for (index, answer) in group.iter_mut().enumerate().take(failed) {
                *answer = (first + index as u64, 1);
            }
        }
        answers.extend(group);
    }

    fn item(&mut self, item: &Item, imports: bool, now: u64) -> Answer {
        match item {
            Item::Account(account) => self.create_account(account, imports, now),
            Item::Transfer(transfer) => self.create_transfer(transfer, imports, now),
            Item::Ledger(ledger) => self.register_ledger(ledger, now),
            Item::Record(note) => self.write_record(note, now),
            Item::Pulse => self.pulse(now),
            Item::Setting(setting) => self.change_setting(setting, now),
        }
    }
}

/// The first of the broken rules in the order of precedence, or success.
fn first<S: Copy + PartialEq>(order: &[S], broken: &[(bool, S)]) -> S {
    let is_broken = |status: &S| broken.iter().any(|(is, rule)| *is && rule == status);
    order.iter().copied().find(is_broken).unwrap_or(order[0])
}
