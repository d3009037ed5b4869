//! A deterministic log with everything in it: few accounts and few ids, so that all of it meets.

use bytes::Bytes;
use farthing_ledger::{
    Account, AccountFlags, AccountId, EntryBuilder, Ledger, NS_PER_S, RecordFlags, RecordItem,
    RequestBuilder, Setting, Transfer, TransferFlags, TransferId, VERSION_ABSENT, VERSION_ANY,
};

/// One entry of the log.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Blank,
    Membership(Bytes),
    Normal(Vec<u8>),
}

/// How transfer ids are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ids {
    TimeOrdered,
    Random,
}

/// A small generator with a period far above what tests use.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }
}

struct Generator {
    random: Random,
    ids: Ids,
    /// s, of the clock of the log.
    now: u64,
    next_id: u64,
    used: Vec<u128>,
    pending: Vec<u128>,
    operations: u128,
}

const ACCOUNTS: u64 = 60;

/// A log of `count` entries of up to `items` items.
pub(crate) fn log(seed: u64, count: usize, items: u64, ids: Ids) -> Vec<Entry> {
    let random = Random::new(seed);
    let mut generator = Generator {
        random,
        ids,
        now: 1_000,
        next_id: 1,
        used: vec![],
        pending: vec![],
        operations: 0,
    };
    (0..count)
        .map(|index| generator.entry(index, items))
        .collect()
}

impl Generator {
    fn entry(&mut self, index: usize, items: u64) -> Entry {
        if index == 0 {
            return Entry::Membership(Bytes::from_static(b"first membership"));
        }
        self.now += self.random.below(3);
        match self.random.below(40) {
            0 => return Entry::Blank,
            1 => return Entry::Membership(Bytes::from(format!("membership {index}"))),
            _ => {}
        }
        let mut builder = EntryBuilder::new(self.now * NS_PER_S);
        let mut pulse = index.is_multiple_of(5);
        for _ in 0..=self.random.below(3) {
            let request = RequestBuilder::new(b"tester");
            let request = match self.random.below(20) {
                0 | 1 => request.accounts(&self.accounts(items)),
                2 => request.ledgers(&[Ledger::new(
                    1 + self.random.below(4) as u32,
                    "EUR",
                    self.random.below(3) as u8,
                )]),
                3 | 4 => self.records(request),
                5 => request.settings(&[Setting {
                    setting: 1,
                    value: 1 + self.random.below(2),
                    ..Setting::default()
                }]),
                6 | 7 if std::mem::take(&mut pulse) => request.pulse(),
                8 if index < 3 => request.accounts(&self.imported()),
                _ => {
                    let transfers: Vec<Transfer> = (0..=self.random.below(items))
                        .map(|_| self.transfer())
                        .collect();
                    let request = request.transfers(&transfers);
                    if self.random.below(8) == 0 {
                        self.records(request)
                    } else {
                        request
                    }
                }
            };
            builder.push(&request.finish().unwrap()).unwrap();
        }
        Entry::Normal(builder.finish())
    }

    fn account_id(&mut self) -> AccountId {
        // Ids that differ in their high half too, and one that never exists.
        let number = self.random.below(ACCOUNTS + 1);
        AccountId(u128::from(1 + number) << (8 * (number % 9)))
    }

    fn accounts(&mut self, items: u64) -> Vec<Account> {
        let flags = [
            AccountFlags(0),
            AccountFlags(0),
            AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
            AccountFlags::HISTORY,
        ];
        let mut account = || {
            let flags = flags[self.random.below(5) as usize];
            let number = self.random.below(ACCOUNTS);
            let id = AccountId(u128::from(1 + number) << (8 * (number % 9)));
            Account {
                id,
                ledger: 1 + number as u32 % 3,
                code: 1 + number as u16 % 2,
                flags,
                user_data_128: u128::from(number % 4) << 90,
                user_data_64: number % 5,
                user_data_32: number as u32 % 2,
                ..Account::default()
            }
        };
        (0..items.min(20)).map(|_| account()).collect()
    }

    /// Accounts that carry their own past.
    fn imported(&mut self) -> Vec<Account> {
        let account = |number: u64| Account {
            id: AccountId(u128::from(5_000 + number)),
            ledger: 9,
            code: 1,
            flags: AccountFlags::IMPORTED,
            timestamp: 10 + number,
            ..Account::default()
        };
        (0..4).map(account).collect()
    }

    fn new_id(&mut self) -> u128 {
        self.next_id += 1;
        match self.ids {
            // One huge id now and then must not matter.
            Ids::TimeOrdered if self.random.below(500) == 0 => {
                u128::MAX - 1 - u128::from(self.next_id)
            }
            Ids::TimeOrdered => u128::from(self.now) << 64 | u128::from(self.next_id),
            Ids::Random => {
                u128::from(self.random.next()) << 64 | u128::from(self.random.next()) | 1
            }
        }
    }

    fn transfer(&mut self) -> Transfer {
        let again = self.random.below(12) == 0 && !self.used.is_empty();
        let id = match again {
            true => self.used[self.random.below(self.used.len() as u64) as usize],
            false => self.new_id(),
        };
        self.used.push(id);
        let mut transfer = Transfer {
            id: TransferId(id),
            // Made of the id, so that a retry is the same transfer: few values, many values, and often none.
            user_data_128: (id % 6) << 70,
            user_data_64: match id % 4 {
                0 => id as u64,
                rest => rest as u64 - 1,
            },
            user_data_32: id as u32 % 3,
            debit_account_id: self.account_id(),
            credit_account_id: self.account_id(),
            amount: u128::from(self.random.below(1_000)),
            ledger: 1 + self.random.below(3) as u32,
            code: 1 + (id % 3) as u16,
            ..Transfer::default()
        };
        if self.random.below(10) < 8 {
            // Mostly on one ledger, so that most succeed.
            let number = self.random.below(ACCOUNTS / 3) * 3 + u64::from(transfer.ledger - 1);
            let other = (number + 3) % ACCOUNTS;
            transfer.debit_account_id = AccountId(u128::from(1 + number) << (8 * (number % 9)));
            transfer.credit_account_id = AccountId(u128::from(1 + other) << (8 * (other % 9)));
        }
        match self.random.below(14) {
            0..=2 => {
                transfer.flags = TransferFlags::PENDING;
                transfer.timeout = self.random.below(30) as u32;
                self.pending.push(id);
            }
            3 | 4 if !self.pending.is_empty() => {
                let post = self.random.below(2) == 0;
                let pending_id =
                    self.pending[self.random.below(self.pending.len() as u64) as usize];
                transfer = Transfer {
                    id: TransferId(id),
                    pending_id: TransferId(pending_id),
                    amount: if post { u128::MAX } else { 0 },
                    flags: if post {
                        TransferFlags::POST_PENDING_TRANSFER
                    } else {
                        TransferFlags::VOID_PENDING_TRANSFER
                    },
                    ..Transfer::default()
                };
            }
            5 => transfer.flags = TransferFlags::LINKED,
            6 => transfer.flags = TransferFlags::BALANCING_DEBIT,
            _ => {}
        }
        transfer
    }

    fn records(&mut self, request: RequestBuilder) -> RequestBuilder {
        let mut items = vec![];
        for _ in 0..=self.random.below(4) {
            self.operations += 1;
            let key = format!("key {}", self.random.below(30));
            let value = vec![b'v'; self.random.below(200) as usize];
            let delete = self.random.below(4) == 0;
            let expected_version = match self.random.below(4) {
                0 => VERSION_ABSENT,
                1 => 1,
                _ => VERSION_ANY,
            };
            let item = RecordItem {
                operation_id: self.operations,
                expected_version,
                namespace: 1 + self.random.below(3) as u32,
                flags: if delete {
                    RecordFlags::DELETE
                } else {
                    RecordFlags::default()
                },
                reserved: 0,
                key: key.as_bytes(),
                value: if delete { &[] } else { &value },
            };
            item.write_to(&mut items);
        }
        let count = {
            let mut rest = items.as_slice();
            let mut count = 0;
            while let Some((_, after)) = RecordItem::split_from(rest) {
                rest = after;
                count += 1;
                if rest.is_empty() {
                    break;
                }
            }
            count
        };
        request.section(farthing_ledger::SectionKind::Records, count, &items)
    }
}
