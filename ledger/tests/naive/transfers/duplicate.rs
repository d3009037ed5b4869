//! An id that exists: every field in which the item differs from the stored transfer.

use farthing_ledger::{CreateTransferStatus as S, Transfer};

use super::{BALANCING_CREDIT, BALANCING_DEBIT, Broken, Naive, POST, VOID, inherit};

impl Naive {
    pub(super) fn compare(&self, item: &Transfer, existing: &Transfer, broken: &mut Broken) {
        broken.extend([
            (item.flags != existing.flags, S::ExistsWithDifferentFlags),
            (
                item.pending_id != existing.pending_id,
                S::ExistsWithDifferentPendingId,
            ),
            (
                item.timeout != existing.timeout,
                S::ExistsWithDifferentTimeout,
            ),
        ]);
        // What a post or void would have been stored as, if it is one of the same pending transfer.
        let mut meant = *item;
        if let Some(pending) = self.transfers.get(&item.pending_id.0)
            && item.flags.0 & (POST | VOID) != 0
        {
            meant = inherit(item, pending);
            if item.flags.0 & VOID != 0 && item.amount == 0
                || item.flags.0 & VOID == 0 && item.amount == u128::MAX
            {
                meant.amount = pending.amount;
            }
            meant.ledger = if item.ledger == 0 {
                existing.ledger
            } else {
                item.ledger
            };
            meant.code = if item.code == 0 {
                existing.code
            } else {
                item.code
            };
            meant.debit_account_id = if item.debit_account_id.0 == 0 {
                existing.debit_account_id
            } else {
                item.debit_account_id
            };
            meant.credit_account_id = if item.credit_account_id.0 == 0 {
                existing.credit_account_id
            } else {
                item.credit_account_id
            };
        }
        let balancing = item.flags.0 & (BALANCING_DEBIT | BALANCING_CREDIT) != 0;
        let other_amount = if balancing {
            meant.amount < existing.amount
        } else {
            meant.amount != existing.amount
        };
        broken.extend([
            (
                meant.debit_account_id != existing.debit_account_id,
                S::ExistsWithDifferentDebitAccountId,
            ),
            (
                meant.credit_account_id != existing.credit_account_id,
                S::ExistsWithDifferentCreditAccountId,
            ),
            (other_amount, S::ExistsWithDifferentAmount),
            (
                meant.user_data_128 != existing.user_data_128,
                S::ExistsWithDifferentUserData128,
            ),
            (
                meant.user_data_64 != existing.user_data_64,
                S::ExistsWithDifferentUserData64,
            ),
            (
                meant.user_data_32 != existing.user_data_32,
                S::ExistsWithDifferentUserData32,
            ),
            (
                meant.ledger != existing.ledger,
                S::ExistsWithDifferentLedger,
            ),
            (meant.code != existing.code, S::ExistsWithDifferentCode),
            (true, S::Exists),
        ]);
    }
}
