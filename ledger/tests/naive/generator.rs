//! Requests that go wrong in every way: few ids, so that everything meets everything, and mistakes in every field.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::cast_possible_truncation)]

use farthing_ledger::{
    Account, AccountFlags, AccountId, Ledger, LedgerFlags, RecordFlags, RecordItem, RequestBuilder,
    Setting, Transfer, TransferFlags, TransferId,
};

use super::{Item, Note};
use crate::support::Random;

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

const ACCOUNTS: u64 = 24;

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

    /// Learns that a transfer was created, so that it can be met again.
    pub fn created(&mut self, transfer: &Transfer) {
        if self.created.len() >= 48 {
            let oldest = self.random.below(24) as usize;
            self.created.remove(oldest);
        }
        self.created.push(*transfer);
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

    fn linked(&mut self) -> bool {
        self.random.one_in(9)
    }

    fn past(&mut self) -> u64 {
        self.past += 1 + self.random.below(3);
        match self.random.below(12) {
            0 => self.past - 1,
            1 => self.time,
            _ => self.past,
        }
    }

    fn account(&mut self, imports: bool) -> Account {
        let limit = match self.random.below(5) {
            0 => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            1 => AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
            2 => AccountFlags::HISTORY,
            _ => AccountFlags::default(),
        };
        let mut account = Account {
            // A few that nobody uses, so that mistakes are not hidden behind `exists`.
            id: AccountId(
                1 + u128::from(
                    self.random
                        .below(self.random.clone().pick(&[ACCOUNTS, 1_000_000])),
                ),
            ),
            ledger: 1 + u32::from(self.random.one_in(10)),
            code: 1,
            flags: limit,
            ..Account::default()
        };
        if self.linked() {
            account.flags = account.flags.with(AccountFlags::LINKED);
        }
        if imports {
            account.flags = account.flags.with(AccountFlags::IMPORTED);
            account.timestamp = self.past();
        }
        account
    }

    fn amount(&mut self) -> u128 {
        match self.random.below(24) {
            0 => 0,
            1 => u128::MAX,
            2 => u128::MAX - u128::from(self.random.below(1000)),
            3 => u128::MAX / 2,
            4 => u128::MAX / 2 + 1,
            _ => u128::from(self.random.below(1000)),
        }
    }

    fn transfer(&mut self, imports: bool) -> Transfer {
        let id = self.next_transfer;
        self.next_transfer += 1;
        let mut transfer = Transfer {
            id: TransferId(id),
            amount: self.amount(),
            ..Transfer::default()
        };
        let mut flags = TransferFlags::default();
        if self.random.one_in(3)
            && let Some(pending) = self.pending()
        {
            transfer.pending_id = pending.id;
            if self.random.one_in(3) {
                transfer.debit_account_id = pending.debit_account_id;
                transfer.credit_account_id = pending.credit_account_id;
                transfer.ledger = pending.ledger;
                transfer.code = pending.code;
            }
            if self.random.one_in(2) {
                flags = TransferFlags::POST_PENDING_TRANSFER;
                transfer.amount = if self.random.one_in(2) {
                    u128::MAX
                } else {
                    transfer.amount
                };
            } else {
                flags = TransferFlags::VOID_PENDING_TRANSFER;
                transfer.amount = if self.random.one_in(10) {
                    transfer.amount
                } else {
                    0
                };
            }
        } else {
            let accounts = if self.random.one_in(4) { ACCOUNTS } else { 12 };
            transfer.debit_account_id = AccountId(1 + u128::from(self.random.below(accounts)));
            transfer.credit_account_id = AccountId(1 + u128::from(self.random.below(accounts)));
            transfer.ledger = 1;
            transfer.code = 1;
            if self.random.one_in(3) {
                flags = TransferFlags::PENDING;
                transfer.timeout = if imports {
                    0
                } else {
                    self.random.below(4) as u32
                };
                if self.random.one_in(12) {
                    flags = flags.with(TransferFlags::CLOSING_DEBIT);
                    transfer.timeout = 1;
                }
                if self.random.one_in(12) {
                    flags = flags.with(TransferFlags::CLOSING_CREDIT);
                }
            }
            if self.random.one_in(10) {
                flags = flags.with(TransferFlags::BALANCING_DEBIT);
            }
            if self.random.one_in(10) {
                flags = flags.with(TransferFlags::BALANCING_CREDIT);
            }
        }
        if self.linked() {
            flags = flags.with(TransferFlags::LINKED);
        }
        if imports {
            flags = flags.with(TransferFlags::IMPORTED);
            transfer.timestamp = self.past();
            if self.random.one_in(20) {
                transfer.timeout = 1;
            }
        }
        transfer.flags = flags;
        transfer.user_data_64 = self.random.below(3);
        transfer
    }

    fn ledger(&mut self) -> Ledger {
        let currency = self.random.pick(&["USD", "EUR", "XAU.GRAM", "usd", ""]);
        let mut ledger = Ledger::new(
            self.random.below(6) as u32,
            currency,
            self.random.pick(&[0, 0, 2, 6, 39]),
        );
        if self.linked() {
            ledger.flags = LedgerFlags::LINKED;
        }
        ledger
    }

    fn note(&mut self) -> Note {
        let mut flags = u16::from(self.linked());
        let delete = self.random.one_in(4);
        flags |= if delete { 2 } else { 0 };
        Note {
            operation_id: u128::from(self.random.below(60)),
            expected_version: self.random.pick(&[u64::MAX, u64::MAX, 0, 1, 2, 3]),
            namespace: self.random.below(3) as u32,
            flags,
            reserved: 0,
            key: vec![b'k'; self.random.pick(&[1, 1, 1, 2, 64, 65, 0])],
            value: if delete {
                Vec::new()
            } else {
                vec![b'v'; self.random.pick(&[0, 1, 2, 4096, 4097])]
            },
        }
    }

    fn setting(&mut self) -> Setting {
        Setting {
            setting: 1,
            reserved: u32::from(self.random.one_in(4)),
            value: self.random.below(3),
        }
    }

    /// Changes one field, or none.
    fn mutate(&mut self, item: Item) -> Item {
        let field = self.random.below(18);
        let number = self.random.pick(&[0, 0, 1, 2, 3, u128::MAX]);
        match item {
            Item::Account(mut account) => {
                match field {
                    0 => account.id = AccountId(number),
                    1 => account.ledger = number as u32,
                    2 => account.code = number as u16,
                    3 => account.reserved = number as u32,
                    4 => account.flags.0 ^= 1 << self.random.below(7),
                    5 => {
                        account.timestamp =
                            self.random
                                .pick(&[0, 1, self.past, self.time, 1 << 63, u64::MAX])
                    }
                    6 => account.debits_pending = number,
                    7 => account.debits_posted = number,
                    8 => account.credits_pending = number,
                    9 => account.credits_posted = number,
                    10 => account.user_data_128 = number,
                    11 => account.user_data_64 = number as u64,
                    12 => account.user_data_32 = number as u32,
                    13 => account.flags = AccountFlags(0b110),
                    _ => {}
                }
                Item::Account(account)
            }
            Item::Transfer(mut transfer) => {
                match field {
                    0 => transfer.id = TransferId(number),
                    1 => transfer.debit_account_id = AccountId(number),
                    2 => transfer.credit_account_id = AccountId(number),
                    3 => transfer.amount = self.amount(),
                    4 => transfer.pending_id = TransferId(number),
                    5 => transfer.user_data_128 = number,
                    6 => transfer.user_data_64 = number as u64,
                    7 => transfer.user_data_32 = number as u32,
                    8 => transfer.timeout = number as u32,
                    9 => transfer.ledger = number as u32,
                    10 => transfer.code = number as u16,
                    11 => transfer.flags.0 ^= 1 << self.random.below(10),
                    12 => {
                        transfer.timestamp =
                            self.random
                                .pick(&[0, 1, self.past, self.time, 1 << 63, u64::MAX])
                    }
                    13 => transfer.id = TransferId(self.next_transfer),
                    15 => transfer.pending_id = transfer.id,
                    16 => transfer.amount = transfer.amount.wrapping_add(1),
                    14 => {
                        // The same, resolved: every field taken from the pending one, or said again.
                        transfer.debit_account_id = AccountId(0);
                        transfer.credit_account_id = AccountId(0);
                        transfer.ledger = 0;
                        transfer.code = 0;
                    }
                    _ => {}
                }
                Item::Transfer(transfer)
            }
            Item::Ledger(mut ledger) => {
                match field {
                    0 => ledger.ledger = number as u32,
                    1 => ledger.flags.0 ^= 1 << self.random.below(3),
                    2 => ledger.scale = number as u8,
                    3 => ledger.reserved[7] = number as u8,
                    4 => ledger.timestamp = number as u64,
                    5 => ledger.currency_length = number as u8,
                    6 => ledger.currency[15] = number as u8,
                    _ => {}
                }
                Item::Ledger(ledger)
            }
            Item::Record(mut note) => {
                match field {
                    0 => note.operation_id = number,
                    1 => note.expected_version = number as u64,
                    2 => note.namespace = number as u32,
                    3 => note.flags ^= 1 << self.random.below(3),
                    4 => note.reserved = number as u32,
                    5 => note.value.push(b'w'),
                    _ => {}
                }
                Item::Record(note)
            }
            item => item,
        }
    }
}

/// The encoded request of sections of items.
pub fn encode(sections: &[Vec<Item>]) -> Vec<u8> {
    let mut request = RequestBuilder::new(b"model");
    for section in sections {
        let mut items: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for item in section {
            match item {
                Item::Account(account) => items.0.push(*account),
                Item::Transfer(transfer) => items.1.push(*transfer),
                Item::Ledger(ledger) => items.2.push(*ledger),
                Item::Record(note) => items.3.push(RecordItem {
                    operation_id: note.operation_id,
                    expected_version: note.expected_version,
                    namespace: note.namespace,
                    flags: RecordFlags(note.flags),
                    reserved: note.reserved,
                    key: &note.key,
                    value: &note.value,
                }),
                Item::Setting(setting) => items.4.push(*setting),
                Item::Pulse => {}
            }
        }
        request = match section.first() {
            Some(Item::Transfer(_)) | None => request.transfers(&items.1),
            Some(Item::Account(_)) => request.accounts(&items.0),
            Some(Item::Ledger(_)) => request.ledgers(&items.2),
            Some(Item::Record(_)) => request.records(&items.3),
            Some(Item::Setting(_)) => request.settings(&items.4),
            Some(Item::Pulse) => request.pulse(),
        };
    }
    request.finish().unwrap()
}
