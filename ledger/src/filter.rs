//! What a question about accounts or transfers asks for. An index may answer it, but its answer is what a full scan with
//! `matches` gives.

use crate::{Account, AccountId, Transfer};

/// Which end of the log comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Order {
    /// Oldest first.
    #[default]
    Forward,
    /// Newest first.
    Reversed,
}

/// On which side of a transfer an account stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sides {
    /// On either.
    #[default]
    Both,
    /// It is debited.
    Debits,
    /// It is credited.
    Credits,
}

/// Which transfers; what is left out matches all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TransferFilter {
    /// Of this account.
    pub account_id: Option<AccountId>,
    /// Where that account stands; without an account of no meaning.
    pub sides: Sides,
    /// With this `user_data_128`.
    pub user_data_128: Option<u128>,
    /// With this `user_data_64`.
    pub user_data_64: Option<u64>,
    /// With this `user_data_32`.
    pub user_data_32: Option<u32>,
    /// On this ledger.
    pub ledger: Option<u32>,
    /// With this code.
    pub code: Option<u16>,
    /// ns, included; 0: from the beginning.
    pub timestamp_min: u64,
    /// ns, included; `None`: without an end.
    pub timestamp_max: Option<u64>,
}

/// Which accounts; what is left out matches all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AccountFilter {
    /// With this `user_data_128`.
    pub user_data_128: Option<u128>,
    /// With this `user_data_64`.
    pub user_data_64: Option<u64>,
    /// With this `user_data_32`.
    pub user_data_32: Option<u32>,
    /// On this ledger.
    pub ledger: Option<u32>,
    /// With this code.
    pub code: Option<u16>,
    /// ns, included; 0: from the beginning.
    pub timestamp_min: u64,
    /// ns, included; `None`: without an end.
    pub timestamp_max: Option<u64>,
}

fn fits<T: PartialEq>(wanted: Option<T>, value: T) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}

impl TransferFilter {
    /// Whether it matches a transfer.
    pub fn matches(&self, transfer: &Transfer) -> bool {
        let stands = |id: AccountId| match self.sides {
            Sides::Both => transfer.debit_account_id == id || transfer.credit_account_id == id,
            Sides::Debits => transfer.debit_account_id == id,
            Sides::Credits => transfer.credit_account_id == id,
        };
        self.account_id.is_none_or(stands)
            && fits(self.user_data_128, transfer.user_data_128)
            && fits(self.user_data_64, transfer.user_data_64)
            && fits(self.user_data_32, transfer.user_data_32)
            && fits(self.ledger, transfer.ledger)
            && fits(self.code, transfer.code)
            && transfer.timestamp >= self.timestamp_min
            && self
                .timestamp_max
                .is_none_or(|max| transfer.timestamp <= max)
    }
}

impl AccountFilter {
    /// Whether it matches an account.
    pub fn matches(&self, account: &Account) -> bool {
        fits(self.user_data_128, account.user_data_128)
            && fits(self.user_data_64, account.user_data_64)
            && fits(self.user_data_32, account.user_data_32)
            && fits(self.ledger, account.ledger)
            && fits(self.code, account.code)
            && account.timestamp >= self.timestamp_min
            && self
                .timestamp_max
                .is_none_or(|max| account.timestamp <= max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_filter_is_looked_at() {
        let transfer = Transfer {
            debit_account_id: AccountId(1),
            credit_account_id: AccountId(2),
            user_data_128: 3,
            user_data_64: 4,
            user_data_32: 5,
            ledger: 6,
            code: 7,
            timestamp: 8,
            ..Transfer::default()
        };
        let all = TransferFilter::default();
        assert!(all.matches(&transfer));
        let exact = TransferFilter {
            account_id: Some(AccountId(1)),
            sides: Sides::Debits,
            user_data_128: Some(3),
            user_data_64: Some(4),
            user_data_32: Some(5),
            ledger: Some(6),
            code: Some(7),
            timestamp_min: 8,
            timestamp_max: Some(8),
        };
        assert!(exact.matches(&transfer));
        let others = [
            TransferFilter {
                account_id: Some(AccountId(3)),
                ..exact
            },
            TransferFilter {
                sides: Sides::Credits,
                ..exact
            },
            TransferFilter {
                user_data_128: Some(0),
                ..exact
            },
            TransferFilter {
                user_data_64: Some(0),
                ..exact
            },
            TransferFilter {
                user_data_32: Some(0),
                ..exact
            },
            TransferFilter {
                ledger: Some(1),
                ..exact
            },
            TransferFilter {
                code: Some(1),
                ..exact
            },
            TransferFilter {
                timestamp_min: 9,
                ..exact
            },
            TransferFilter {
                timestamp_max: Some(7),
                ..exact
            },
        ];
        for other in others {
            assert!(!other.matches(&transfer), "{other:?}");
        }
    }
}
