//! What the ledger says: settled movements of one account.

use farthing_ledger::{AccountId, Transfer, TransferFlags};

use crate::direction::Direction;

/// One movement of the account that is reconciled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LedgerEntry {
    /// The transfer.
    pub id: u128,
    /// In the ledger's smallest unit.
    pub amount: u128,
    /// The side of the account on which it stands.
    pub direction: Direction,
    /// ns since 1970.
    pub timestamp: u64,
    /// Link to outside; zero is "none".
    pub user_data_128: u128,
    /// Link to outside; zero is "none".
    pub user_data_64: u64,
    /// Link to outside; zero is "none".
    pub user_data_32: u32,
}

/// Bytes that a ledger entry takes.
pub const LEDGER_ENTRY_BYTES: usize = size_of::<LedgerEntry>();

const _: () = assert!(
    LEDGER_ENTRY_BYTES == 80,
    "docs/reference/reconcile.md says how much memory an entry takes"
);

impl LedgerEntry {
    /// What a transfer moves on `account`. `None` if it moves nothing there: it is of other accounts, or it is a hold or a
    /// void, which no bank has in its statement. A post moves what it posts.
    #[must_use]
    pub fn settled(transfer: &Transfer, account: AccountId) -> Option<Self> {
        let unsettled = TransferFlags::PENDING.with(TransferFlags::VOID_PENDING_TRANSFER);
        if transfer.flags.intersects(unsettled) {
            return None;
        }
        let direction = if transfer.debit_account_id == account {
            Direction::Debit
        } else if transfer.credit_account_id == account {
            Direction::Credit
        } else {
            return None;
        };
        Some(Self {
            id: transfer.id.0,
            amount: transfer.amount,
            direction,
            timestamp: transfer.timestamp,
            user_data_128: transfer.user_data_128,
            user_data_64: transfer.user_data_64,
            user_data_32: transfer.user_data_32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_and_voids_move_nothing() {
        let account = AccountId(7);
        let transfer = Transfer {
            debit_account_id: account,
            credit_account_id: AccountId(8),
            amount: 5,
            ..Transfer::default()
        };
        let direction = |flags, account| {
            LedgerEntry::settled(&Transfer { flags, ..transfer }, account)
                .map(|entry| entry.direction)
        };
        let plain = TransferFlags::default();
        assert_eq!(direction(plain, account), Some(Direction::Debit));
        assert_eq!(direction(plain, AccountId(8)), Some(Direction::Credit));
        assert_eq!(direction(plain, AccountId(9)), None);
        assert_eq!(direction(TransferFlags::PENDING, account), None);
        let post = TransferFlags::POST_PENDING_TRANSFER;
        assert_eq!(direction(post, account), Some(Direction::Debit));
        assert_eq!(
            direction(TransferFlags::VOID_PENDING_TRANSFER, account),
            None
        );
    }
}
