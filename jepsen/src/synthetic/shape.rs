//! What clients ask for.

use farthing_client::{
    AMOUNT_MAX, Account, AccountFlags, AccountId, Transfer, TransferFlags, TransferId,
};
use rand::Rng;
use rand::rngs::SmallRng;

use super::Config;

/// Ids of accounts begin here.
pub(super) const FIRST_ACCOUNT: u128 = 0x0a00;
/// Pending transfers that posts and voids choose from.
const RECENT_MAX: usize = 64;

/// Makes items.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) accounts: u128,
    next_id: u128,
    /// Pending transfers made not long ago.
    recent: Vec<TransferId>,
    plain: bool,
}

impl Shape {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            accounts: u128::from(config.accounts.max(4)),
            // Like ids of the SDK: a time in front, so that they grow.
            next_id: 0x0193_0000_0000_7000_8000_0000_0000_0000,
            recent: Vec::new(),
            plain: config.plain,
        }
    }

    /// Every account, in requests of at most 100.
    pub(super) fn all_accounts(&self) -> Vec<Vec<Account>> {
        let all: Vec<Account> = (0..self.accounts)
            .map(|number| Account {
                id: AccountId(FIRST_ACCOUNT + number),
                ledger: 1,
                code: 1,
                flags: match number % 8 {
                    1 => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
                    3 => AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
                    _ => AccountFlags::default(),
                },
                ..Account::default()
            })
            .collect();
        all.chunks(100).map(<[Account]>::to_vec).collect()
    }

    pub(super) fn account(&self, rng: &mut SmallRng) -> AccountId {
        let hot = rng.random_range(0..3) != 0;
        let range = if hot {
            (self.accounts / 10).max(2)
        } else {
            self.accounts
        };
        AccountId(FIRST_ACCOUNT + rng.random_range(0..range))
    }

    pub(super) fn request(&mut self, rng: &mut SmallRng, config: &Config) -> Vec<Transfer> {
        let batch = rng.random_range(0..1000) < config.batches_per_mille;
        let count = if batch { rng.random_range(2..8) } else { 1 };
        let chains = batch && rng.random_range(0..2) == 0;
        (0..count)
            .map(|place| {
                let mut item = self.transfer(rng);
                if chains && place + 1 < count && rng.random_range(0..4) != 0 {
                    item.flags = item.flags.with(TransferFlags::LINKED);
                }
                item
            })
            .collect()
    }

    fn transfer(&mut self, rng: &mut SmallRng) -> Transfer {
        self.next_id += 1 + rng.random_range(0..1000);
        let id = TransferId(self.next_id);
        match rng.random_range(0..100) {
            _ if self.plain => self.first_phase(id, u32::MAX, rng),
            0..8 if !self.recent.is_empty() => self.second_phase(id, rng),
            kind => self.first_phase(id, kind, rng),
        }
    }

    fn first_phase(&mut self, id: TransferId, kind: u32, rng: &mut SmallRng) -> Transfer {
        let debit_account_id = self.account(rng);
        let mut credit_account_id = self.account(rng);
        if credit_account_id == debit_account_id && rng.random_range(0..50) != 0 {
            credit_account_id =
                AccountId(FIRST_ACCOUNT + (debit_account_id.0 - FIRST_ACCOUNT + 1) % self.accounts);
        }
        let mut item = Transfer {
            id,
            debit_account_id,
            credit_account_id,
            amount: rng.random_range(1..1000),
            ledger: 1,
            code: 1,
            ..Transfer::default()
        };
        match kind {
            8..18 => {
                item.flags = TransferFlags::PENDING;
                item.timeout = if rng.random_range(0..2) == 0 { 0 } else { 1 };
                if self.recent.len() == RECENT_MAX {
                    self.recent.swap_remove(rng.random_range(0..RECENT_MAX));
                }
                self.recent.push(id);
            }
            18 => {
                item.flags = TransferFlags::BALANCING_DEBIT;
                item.amount = if rng.random_range(0..2) == 0 {
                    AMOUNT_MAX
                } else {
                    500
                };
            }
            19 => item.credit_account_id = AccountId(9),
            20 => item.code = 0,
            21 => item.user_data_64 = rng.random(),
            _ => {}
        }
        item
    }

    fn second_phase(&mut self, id: TransferId, rng: &mut SmallRng) -> Transfer {
        let pending_id = self.recent[rng.random_range(0..self.recent.len())];
        let (flags, amount) = match rng.random_range(0..4) {
            0 => (TransferFlags::VOID_PENDING_TRANSFER, 0),
            1 => (
                TransferFlags::POST_PENDING_TRANSFER,
                rng.random_range(0..500),
            ),
            _ => (TransferFlags::POST_PENDING_TRANSFER, AMOUNT_MAX),
        };
        Transfer {
            id,
            pending_id,
            flags,
            amount,
            ..Transfer::default()
        }
    }

    /// The same request again; sometimes with another amount under the same id.
    pub(super) fn again(items: &[Transfer], rng: &mut SmallRng) -> Vec<Transfer> {
        let mut items = items.to_vec();
        if rng.random_range(0..4) == 0
            && let Some(first) = items.first_mut()
        {
            first.amount = first.amount.saturating_sub(1);
        }
        items
    }
}
