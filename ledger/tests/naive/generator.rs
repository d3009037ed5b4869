//! Requests that go wrong in every way: few ids, so that everything meets everything, and mistakes in every field.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::cast_possible_truncation)]

mod encode;
mod items;
mod mistakes;

use farthing_ledger::{Account, AccountFlags, AccountId, Changes, Transfer, TransferFlags};

use super::Item;
use crate::support::Random;

pub use encode::encode;

pub struct Generator {
    pub random: Random,
    /// ns, what the next entry is proposed at.
    pub time: u64,
    /// Timestamps of imported items go on from here.
    past: u64,
    next_transfer: u128,
    /// What was sent before, to be sent again.
    sent: Vec<Item>,
    /// Transfers that were created, to be sent again, and to be posted and voided.
    created: Vec<Transfer>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            time: 1_000_000_000_000,
            past: 1,
            next_transfer: 1,
            sent: Vec::new(),
            created: Vec::new(),
        }
    }

    /// The first request of a state: accounts to work with, some of them from the past.
    pub fn accounts(&mut self) -> Vec<Vec<Item>> {
        let account = |id: u64, flags: AccountFlags, timestamp: u64| {
            let id = AccountId(u128::from(id));
            Item::Account(Account {
                id,
                ledger: 1,
                code: 1,
                flags,
                timestamp,
                ..Account::default()
            })
        };
        let flags = |id: u64| match id % 6 {
            4 => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            5 => AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
            _ => AccountFlags::default(),
        };
        let past = |id: u64| {
            account(
                id,
                flags(id).with(AccountFlags::IMPORTED),
                self.past + 10 * id,
            )
        };
        let accounts = (1..=12).map(past).collect();
        self.past += 60;
        vec![accounts]
    }

    /// A request of any kind; the first one brings the accounts.
    pub fn any(&mut self, entries_before: u64) -> Vec<Vec<Item>> {
        match entries_before {
            0 => self.accounts(),
            _ if self.random.one_in(10) => self.pulse(),
            _ => self.request(),
        }
    }

    /// Learns which transfers were created, so that they can be met again.
    pub fn learn(&mut self, changes: &Changes) {
        for row in &changes.transfers {
            if self.created.len() >= 48 {
                let oldest = self.random.below(24) as usize;
                self.created.remove(oldest);
            }
            self.created.push(row.transfer);
        }
    }

    /// A pending transfer, most of the time.
    fn pending(&mut self) -> Option<Transfer> {
        let pendings: Vec<_> = self
            .created
            .iter()
            .filter(|transfer| transfer.flags.contains(TransferFlags::PENDING))
            .copied()
            .collect();
        if self.random.one_in(20) || pendings.is_empty() {
            return self.created.last().copied();
        }
        Some(self.random.pick(&pendings))
    }

    /// Sections of items that make one request.
    pub fn request(&mut self) -> Vec<Vec<Item>> {
        self.time += match self.random.below(8) {
            0 => 0,
            1 => 1_500_000_000,
            _ => self.random.below(200_000_000),
        };
        let imports = self.random.one_in(8);
        let sections = 1 + self.random.below(3);
        (0..sections).map(|_| self.section(imports)).collect()
    }

    /// A request with one pulse: an entry takes no more than one.
    pub fn pulse(&mut self) -> Vec<Vec<Item>> {
        let mut request = if self.random.one_in(2) {
            self.request()
        } else {
            Vec::new()
        };
        request.insert(
            self.random.below(request.len() as u64 + 1) as usize,
            vec![Item::Pulse],
        );
        request
    }

    fn section(&mut self, imports: bool) -> Vec<Item> {
        let count = if self.random.one_in(20) {
            0
        } else {
            1 + self.random.below(6)
        };
        let kind = self.random.below(20);
        (0..count).map(|_| self.item(kind, imports)).collect()
    }

    fn item(&mut self, kind: u64, imports: bool) -> Item {
        let same_kind = |item: &Item| match kind {
            0..=2 => matches!(item, Item::Account(_)),
            3 => matches!(item, Item::Ledger(_)),
            4..=5 => matches!(item, Item::Record(_)),
            6 => matches!(item, Item::Setting(_)),
            _ => matches!(item, Item::Transfer(_)),
        };
        if self.random.one_in(5) && !self.sent.is_empty() {
            let again = self.random.pick(&self.sent);
            if same_kind(&again) {
                return self.mutate(again);
            }
        }
        if kind > 6 && self.random.one_in(6) && !self.created.is_empty() {
            let mut again = self.random.pick(&self.created);
            again.timestamp = if imports { self.past() } else { 0 };
            return self.mutate(Item::Transfer(again));
        }
        let item = match kind {
            0..=2 => Item::Account(self.account(imports)),
            3 => Item::Ledger(self.ledger()),
            4..=5 => Item::Record(self.note()),
            6 => Item::Setting(self.setting()),
            _ => Item::Transfer(self.transfer(imports)),
        };
        if self.sent.len() < 400 {
            self.sent.push(item.clone());
        } else {
            let at = self.random.below(400) as usize;
            self.sent[at] = item.clone();
        }
        // Most items are sound; some have one thing wrong with them.
        if self.random.one_in(6) {
            self.mutate(item)
        } else {
            item
        }
    }
}
