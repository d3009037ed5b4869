//! What single-phase and pending transfers must meet, in order of precedence.

use crate::account::{Account, AccountFlags};
use crate::ids::{AccountId, TransferId};
use crate::planted;
use crate::status::CreateTransferStatus as Status;
use crate::transfer::{Transfer, TransferFlags};
use crate::{NS_PER_S, TIMESTAMP_MAX};

use super::{Overlay, View};

#[inline]
pub(super) fn check_fields(item: &Transfer) -> Result<(), Status> {
    if item.debit_account_id == AccountId::ZERO {
        return Err(Status::DebitAccountIdMustNotBeZero);
    }
    if item.debit_account_id == AccountId::MAX {
        return Err(Status::DebitAccountIdMustNotBeIntMax);
    }
    if item.credit_account_id == AccountId::ZERO {
        return Err(Status::CreditAccountIdMustNotBeZero);
    }
    if item.credit_account_id == AccountId::MAX {
        return Err(Status::CreditAccountIdMustNotBeIntMax);
    }
    if item.debit_account_id == item.credit_account_id {
        return Err(Status::AccountsMustBeDifferent);
    }
    if item.pending_id != TransferId::ZERO {
        return Err(Status::PendingIdMustBeZero);
    }
    if !item.flags.contains(TransferFlags::PENDING) {
        if item.timeout != 0 {
            return Err(Status::TimeoutReservedForPendingTransfer);
        }
        if item
            .flags
            .intersects(TransferFlags::CLOSING_DEBIT.with(TransferFlags::CLOSING_CREDIT))
        {
            return Err(Status::ClosingTransferMustBePending);
        }
    }
    if item.ledger == 0 {
        return Err(Status::LedgerMustNotBeZero);
    }
    if item.code == 0 {
        return Err(Status::CodeMustNotBeZero);
    }
    Ok(())
}

#[inline]
pub(super) fn check_accounts<V: View>(
    item: &Transfer,
    debit: &Account,
    credit: &Account,
    overlay: &Overlay<'_, V>,
    timestamp: u64,
) -> Result<(), Status> {
    if debit.ledger != credit.ledger {
        return Err(Status::AccountsMustHaveTheSameLedger);
    }
    if item.ledger != debit.ledger {
        return Err(Status::TransferMustHaveTheSameLedgerAsAccounts);
    }
    if item.flags.contains(TransferFlags::IMPORTED) {
        check_imported_timestamp(overlay, timestamp)?;
        if timestamp <= debit.timestamp {
            return Err(Status::ImportedEventTimestampMustPostdateDebitAccount);
        }
        if timestamp <= credit.timestamp {
            return Err(Status::ImportedEventTimestampMustPostdateCreditAccount);
        }
        if item.timeout != 0 {
            return Err(Status::ImportedEventTimeoutMustBeZero);
        }
    }
    if debit.flags.contains(AccountFlags::CLOSED) {
        return Err(Status::DebitAccountAlreadyClosed);
    }
    if credit.flags.contains(AccountFlags::CLOSED) {
        return Err(Status::CreditAccountAlreadyClosed);
    }
    Ok(())
}

/// An imported timestamp is above that of every transfer and belongs to no account.
pub(super) fn check_imported_timestamp<V: View>(
    overlay: &Overlay<'_, V>,
    timestamp: u64,
) -> Result<(), Status> {
    if timestamp <= overlay.clock.transfer_timestamp || overlay.account_at(timestamp) {
        return Err(Status::ImportedEventTimestampMustNotRegress);
    }
    Ok(())
}

/// The real amount: what is asked for, cut by the balancing flags to what the accounts' counter-balances leave.
#[inline]
pub(super) fn balanced_amount(item: &Transfer, debit: &Account, credit: &Account) -> u128 {
    let mut amount = item.amount;
    if item.flags.contains(TransferFlags::BALANCING_DEBIT) {
        let used = debit.debits_posted.saturating_add(debit.debits_pending);
        amount = amount.min(debit.credits_posted.saturating_sub(used));
    }
    if item.flags.contains(TransferFlags::BALANCING_CREDIT) {
        let used = credit.credits_posted.saturating_add(credit.credits_pending);
        amount = amount.min(credit.debits_posted.saturating_sub(used));
    }
    amount
}

#[inline]
pub(super) fn check_amount(
    item: &Transfer,
    amount: u128,
    debit: &Account,
    credit: &Account,
    timestamp: u64,
) -> Result<(), Status> {
    if item.flags.contains(TransferFlags::PENDING) {
        if amount.checked_add(debit.debits_pending).is_none() {
            return Err(Status::OverflowsDebitsPending);
        }
        if amount.checked_add(credit.credits_pending).is_none() {
            return Err(Status::OverflowsCreditsPending);
        }
    }
    if amount.checked_add(debit.debits_posted).is_none() {
        return Err(Status::OverflowsDebitsPosted);
    }
    if amount.checked_add(credit.credits_posted).is_none() {
        return Err(Status::OverflowsCreditsPosted);
    }
    let add = |first: u128, second: u128| first.checked_add(second)?.checked_add(amount);
    let Some(debits) = add(debit.debits_pending, debit.debits_posted) else {
        return Err(Status::OverflowsDebits);
    };
    let Some(credits) = add(credit.credits_pending, credit.credits_posted) else {
        return Err(Status::OverflowsCredits);
    };
    if timestamp.saturating_add(u64::from(item.timeout) * NS_PER_S) > TIMESTAMP_MAX {
        return Err(Status::OverflowsTimeout);
    }
    if debit
        .flags
        .contains(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS)
        && debits > debit.credits_posted
        && !planted("limit-unchecked")
    {
        return Err(Status::ExceedsCredits);
    }
    if credit
        .flags
        .contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
        && credits > credit.debits_posted
    {
        return Err(Status::ExceedsDebits);
    }
    Ok(())
}
