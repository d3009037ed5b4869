//! One item of each kind, sound most of the time.

use farthing_ledger::{
    Account, AccountFlags, AccountId, Ledger, LedgerFlags, Setting, Transfer, TransferFlags,
    TransferId,
};

use super::Generator;
use crate::naive::Note;

const ACCOUNTS: u64 = 24;

impl Generator {
    fn linked(&mut self) -> bool {
        self.random.one_in(9)
    }

    pub(super) fn past(&mut self) -> u64 {
        self.past += 1 + self.random.below(3);
        match self.random.below(12) {
            0 => self.past - 1,
            1 => self.time,
            _ => self.past,
        }
    }

    pub(super) fn account(&mut self, imports: bool) -> Account {
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

    pub(super) fn amount(&mut self) -> u128 {
        match self.random.below(24) {
            0 => 0,
            1 => u128::MAX,
            2 => u128::MAX - u128::from(self.random.below(1000)),
            3 => u128::MAX / 2,
            4 => u128::MAX / 2 + 1,
            _ => u128::from(self.random.below(1000)),
        }
    }

    pub(super) fn transfer(&mut self, imports: bool) -> Transfer {
        let id = self.next_transfer;
        self.next_transfer += 1;
        let mut transfer = Transfer {
            id: TransferId(id),
            amount: self.amount(),
            ..Transfer::default()
        };
        let mut flags = if self.random.one_in(3)
            && let Some(pending) = self.pending()
        {
            self.resolve(&mut transfer, &pending)
        } else {
            self.move_amount(&mut transfer, imports)
        };
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

    /// Makes a transfer the post or void of a pending one and returns its flag.
    fn resolve(&mut self, transfer: &mut Transfer, pending: &Transfer) -> TransferFlags {
        transfer.pending_id = pending.id;
        if self.random.one_in(3) {
            transfer.debit_account_id = pending.debit_account_id;
            transfer.credit_account_id = pending.credit_account_id;
            transfer.ledger = pending.ledger;
            transfer.code = pending.code;
        }
        if self.random.one_in(2) {
            if self.random.one_in(2) {
                transfer.amount = u128::MAX;
            }
            TransferFlags::POST_PENDING_TRANSFER
        } else {
            if !self.random.one_in(10) {
                transfer.amount = 0;
            }
            TransferFlags::VOID_PENDING_TRANSFER
        }
    }

    /// Lets a transfer move its amount between two accounts and returns its flags.
    fn move_amount(&mut self, transfer: &mut Transfer, imports: bool) -> TransferFlags {
        let mut flags = TransferFlags::default();
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
        flags
    }

    pub(super) fn ledger(&mut self) -> Ledger {
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

    pub(super) fn note(&mut self) -> Note {
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

    pub(super) fn setting(&mut self) -> Setting {
        Setting {
            setting: 1,
            reserved: u32::from(self.random.one_in(4)),
            value: self.random.below(3),
        }
    }
}
