//! Every rule that a single-phase or pending transfer breaks.

use farthing_ledger::{CreateTransferStatus as S, Transfer};

use super::{
    ACCOUNT_CLOSED, BALANCING_CREDIT, BALANCING_DEBIT, Broken, CLOSING_CREDIT, CLOSING_DEBIT,
    IMPORTED, Naive, PENDING,
};

impl Naive {
    /// Single-phase and pending transfers.
    pub(super) fn movement(
        &self,
        item: &Transfer,
        timestamp: u64,
        broken: &mut Broken,
    ) -> Transfer {
        let has = |flag: u16| item.flags.0 & flag != 0;
        broken.extend([
            (item.debit_account_id.0 == 0, S::DebitAccountIdMustNotBeZero),
            (
                item.debit_account_id.0 == u128::MAX,
                S::DebitAccountIdMustNotBeIntMax,
            ),
            (
                item.credit_account_id.0 == 0,
                S::CreditAccountIdMustNotBeZero,
            ),
            (
                item.credit_account_id.0 == u128::MAX,
                S::CreditAccountIdMustNotBeIntMax,
            ),
            (
                item.debit_account_id == item.credit_account_id,
                S::AccountsMustBeDifferent,
            ),
            (item.pending_id.0 != 0, S::PendingIdMustBeZero),
            (
                !has(PENDING) && item.timeout != 0,
                S::TimeoutReservedForPendingTransfer,
            ),
            (
                !has(PENDING) && has(CLOSING_DEBIT | CLOSING_CREDIT),
                S::ClosingTransferMustBePending,
            ),
            (item.ledger == 0, S::LedgerMustNotBeZero),
            (item.code == 0, S::CodeMustNotBeZero),
        ]);
        let debit = self.accounts.get(&item.debit_account_id.0);
        let credit = self.accounts.get(&item.credit_account_id.0);
        broken.push((debit.is_none(), S::DebitAccountNotFound));
        broken.push((credit.is_none(), S::CreditAccountNotFound));
        let (Some(debit), Some(credit)) = (debit, credit) else {
            return *item;
        };
        broken.extend([
            (
                debit.ledger != credit.ledger,
                S::AccountsMustHaveTheSameLedger,
            ),
            (
                item.ledger != debit.ledger,
                S::TransferMustHaveTheSameLedgerAsAccounts,
            ),
            (
                has(IMPORTED) && timestamp <= debit.timestamp,
                S::ImportedEventTimestampMustPostdateDebitAccount,
            ),
            (
                has(IMPORTED) && timestamp <= credit.timestamp,
                S::ImportedEventTimestampMustPostdateCreditAccount,
            ),
            (
                has(IMPORTED) && item.timeout != 0,
                S::ImportedEventTimeoutMustBeZero,
            ),
            (
                debit.flags.0 & ACCOUNT_CLOSED != 0,
                S::DebitAccountAlreadyClosed,
            ),
            (
                credit.flags.0 & ACCOUNT_CLOSED != 0,
                S::CreditAccountAlreadyClosed,
            ),
        ]);
        let mut amount = item.amount;
        if has(BALANCING_DEBIT) {
            amount = amount.min(left(
                debit.credits_posted,
                debit.debits_posted,
                debit.debits_pending,
            ));
        }
        if has(BALANCING_CREDIT) {
            amount = amount.min(left(
                credit.debits_posted,
                credit.credits_posted,
                credit.credits_pending,
            ));
        }
        let over = |parts: &[u128]| total(parts).is_none();
        let debits = [debit.debits_pending, debit.debits_posted, amount];
        let credits = [credit.credits_pending, credit.credits_posted, amount];
        let expiry = u128::from(timestamp) + u128::from(item.timeout) * 1_000_000_000;
        broken.extend([
            (
                has(PENDING) && over(&[debit.debits_pending, amount]),
                S::OverflowsDebitsPending,
            ),
            (
                has(PENDING) && over(&[credit.credits_pending, amount]),
                S::OverflowsCreditsPending,
            ),
            (
                over(&[debit.debits_posted, amount]),
                S::OverflowsDebitsPosted,
            ),
            (
                over(&[credit.credits_posted, amount]),
                S::OverflowsCreditsPosted,
            ),
            (over(&debits), S::OverflowsDebits),
            (over(&credits), S::OverflowsCredits),
            (expiry >= 1 << 63, S::OverflowsTimeout),
            (
                debit.flags.0 & 2 != 0
                    && total(&debits).is_none_or(|all| all > debit.credits_posted),
                S::ExceedsCredits,
            ),
            (
                credit.flags.0 & 4 != 0
                    && total(&credits).is_none_or(|all| all > credit.debits_posted),
                S::ExceedsDebits,
            ),
        ]);
        Transfer { amount, ..*item }
    }
}

fn total(parts: &[u128]) -> Option<u128> {
    parts
        .iter()
        .try_fold(0_u128, |sum, part| sum.checked_add(*part))
}

fn left(of: u128, used: u128, reserved: u128) -> u128 {
    of.saturating_sub(used).saturating_sub(reserved)
}
