//! The second phase: posting or voiding a pending transfer.

use crate::AMOUNT_MAX;
use crate::account::{Account, AccountFlags};
use crate::ids::{AccountId, TransferId};
use crate::pending::{Pending, PendingStatus};
use crate::planted;
use crate::status::CreateTransferStatus as Status;
use crate::transfer::{Transfer, TransferFlags};

use super::create_transfer::{change_accounts, sum};
use super::movement_rules::check_imported_timestamp;
use super::{Broken, Overlay, View};

/// A post or void with an id not seen before. `timestamp` is what it would be stored with, `now` its tick of the
/// clock: expiry is judged by the clock, so importing cannot reach back before it.
pub(super) fn resolve_pending<V: View>(
    item: &Transfer,
    overlay: &mut Overlay<'_, V>,
    timestamp: u64,
    now: u64,
) -> Result<Result<(), Status>, Broken> {
    if let Err(status) = check_fields(item) {
        return Ok(Err(status));
    }
    let Some(pending_slot) = overlay.find_pending(item.pending_id) else {
        let known = matches!(
            overlay.seen(item.pending_id),
            Some(super::Seen::Applied { .. })
        );
        return Ok(Err(if known {
            Status::PendingTransferNotPending
        } else {
            Status::PendingTransferNotFound
        }));
    };
    let pending = *overlay.pending(pending_slot);
    let meant = inherit(item, &pending.transfer);
    if let Err(status) = check_against_pending(&meant, &pending, now) {
        return Ok(Err(status));
    }
    if item.flags.contains(TransferFlags::IMPORTED)
        && let Err(status) = check_imported_timestamp(overlay, timestamp)
    {
        return Ok(Err(status));
    }
    let (debit_slot, credit_slot) = find_accounts(overlay, &pending.transfer)?;
    let posts = item.flags.contains(TransferFlags::POST_PENDING_TRANSFER);
    // The only movement a closed account takes is the voiding of what is pending.
    if posts
        && overlay
            .account(debit_slot)
            .flags
            .contains(AccountFlags::CLOSED)
    {
        return Ok(Err(Status::DebitAccountAlreadyClosed));
    }
    if posts
        && overlay
            .account(credit_slot)
            .flags
            .contains(AccountFlags::CLOSED)
    {
        return Ok(Err(Status::CreditAccountAlreadyClosed));
    }

    // The line of no return: from here on the transfer is created.
    let end = if posts {
        PendingStatus::Posted
    } else {
        PendingStatus::Voided
    };
    let (mut debit, mut credit) = release(overlay, &pending, pending_slot, end)?;
    if posts {
        debit.debits_posted = sum(debit.debits_posted, meant.amount, &debit)?;
        credit.credits_posted = sum(credit.credits_posted, meant.amount, &credit)?;
    }
    change_accounts(overlay, (debit_slot, debit), (credit_slot, credit))?;
    let transfer = Transfer { timestamp, ..meant };
    overlay.add_transfer(transfer, debit_slot, credit_slot)?;
    Ok(Ok(()))
}

fn check_fields(item: &Transfer) -> Result<(), Status> {
    let both = TransferFlags::POST_PENDING_TRANSFER.with(TransferFlags::VOID_PENDING_TRANSFER);
    let foreign = TransferFlags::PENDING
        .with(TransferFlags::BALANCING_DEBIT)
        .with(TransferFlags::BALANCING_CREDIT)
        .with(TransferFlags::CLOSING_DEBIT)
        .with(TransferFlags::CLOSING_CREDIT);
    if item.flags.contains(both) || item.flags.intersects(foreign) {
        return Err(Status::FlagsAreMutuallyExclusive);
    }
    if item.pending_id == TransferId::ZERO {
        return Err(Status::PendingIdMustNotBeZero);
    }
    if item.pending_id == TransferId::MAX {
        return Err(Status::PendingIdMustNotBeIntMax);
    }
    if item.pending_id == item.id {
        return Err(Status::PendingIdMustBeDifferent);
    }
    if item.timeout != 0 {
        return Err(Status::TimeoutReservedForPendingTransfer);
    }
    Ok(())
}

/// What a post or void means: everything it leaves open is that of its pending transfer. An amount is left open by 0 in
/// a void and by [`AMOUNT_MAX`] in a post.
pub(super) fn inherit(item: &Transfer, pending: &Transfer) -> Transfer {
    fn or<T: PartialEq>(own: T, open: T, pending: T) -> T {
        if own == open { pending } else { own }
    }
    let voids = item.flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
    let all = if voids { 0 } else { AMOUNT_MAX };
    Transfer {
        debit_account_id: or(
            item.debit_account_id,
            AccountId::ZERO,
            pending.debit_account_id,
        ),
        credit_account_id: or(
            item.credit_account_id,
            AccountId::ZERO,
            pending.credit_account_id,
        ),
        amount: or(item.amount, all, pending.amount),
        user_data_128: or(item.user_data_128, 0, pending.user_data_128),
        user_data_64: or(item.user_data_64, 0, pending.user_data_64),
        user_data_32: or(item.user_data_32, 0, pending.user_data_32),
        ledger: or(item.ledger, 0, pending.ledger),
        code: or(item.code, 0, pending.code),
        ..*item
    }
}

/// What of a post or void, after [`inherit`], does not fit its pending transfer.
fn check_against_pending(meant: &Transfer, pending: &Pending, now: u64) -> Result<(), Status> {
    let reserved = &pending.transfer;
    if meant.debit_account_id != reserved.debit_account_id {
        return Err(Status::PendingTransferHasDifferentDebitAccountId);
    }
    if meant.credit_account_id != reserved.credit_account_id {
        return Err(Status::PendingTransferHasDifferentCreditAccountId);
    }
    if meant.ledger != reserved.ledger {
        return Err(Status::PendingTransferHasDifferentLedger);
    }
    if meant.code != reserved.code {
        return Err(Status::PendingTransferHasDifferentCode);
    }
    if meant.amount > reserved.amount && !planted("post-over-pending") {
        return Err(Status::ExceedsPendingTransferAmount);
    }
    let voids = meant.flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
    if voids && meant.amount < reserved.amount {
        return Err(Status::PendingTransferHasDifferentAmount);
    }
    match pending.status {
        PendingStatus::Pending => {}
        PendingStatus::Posted if planted("posted-twice") => {}
        PendingStatus::Posted => return Err(Status::PendingTransferAlreadyPosted),
        PendingStatus::Voided => return Err(Status::PendingTransferAlreadyVoided),
        PendingStatus::Expired => return Err(Status::PendingTransferExpired),
    }
    // Due but not yet expired by a pulse: the answer must not depend on when the pulse comes.
    if reserved
        .expires_at()
        .is_some_and(|expires_at| expires_at <= now)
        && !planted("posts-what-is-due")
    {
        return Err(Status::PendingTransferExpired);
    }
    Ok(())
}

/// The accounts of a pending transfer, which exist because accounts are never deleted.
pub(super) fn find_accounts<V: View>(
    overlay: &mut Overlay<'_, V>,
    pending: &Transfer,
) -> Result<(usize, usize), Broken> {
    let mut find = |id: AccountId| {
        overlay
            .find_account(id)
            .ok_or(Broken::AccountMissing { account: id.0 })
    };
    Ok((
        find(pending.debit_account_id)?,
        find(pending.credit_account_id)?,
    ))
}

/// Ends a pending transfer: marks its row and returns its accounts without the reservation. A void or an expiry of a
/// closing transfer reopens what it closed; a post cannot get here with a closed account.
pub(super) fn release<V: View>(
    overlay: &mut Overlay<'_, V>,
    pending: &Pending,
    pending_slot: usize,
    end: PendingStatus,
) -> Result<(Account, Account), Broken> {
    let reserved = &pending.transfer;
    let inconsistent = Broken::PendingInconsistent {
        transfer: reserved.id.0,
    };
    let (debit_slot, credit_slot) = find_accounts(overlay, reserved)?;
    let (mut debit, mut credit) = (*overlay.account(debit_slot), *overlay.account(credit_slot));
    let subtract = |balance: u128, account: &Account| {
        balance
            .checked_sub(reserved.amount)
            .ok_or(Broken::BalanceWraps {
                account: account.id.0,
            })
    };
    if end != PendingStatus::Voided || !planted("void-keeps-reserve") {
        debit.debits_pending = subtract(debit.debits_pending, &debit)?;
        credit.credits_pending = subtract(credit.credits_pending, &credit)?;
    }
    for (flag, account) in [
        (TransferFlags::CLOSING_DEBIT, &mut debit),
        (TransferFlags::CLOSING_CREDIT, &mut credit),
    ] {
        if reserved.flags.contains(flag) {
            if end == PendingStatus::Posted || !account.flags.contains(AccountFlags::CLOSED) {
                return Err(inconsistent);
            }
            account.flags = account.flags.without(AccountFlags::CLOSED);
        }
    }
    if pending.status != PendingStatus::Pending && !planted("posted-twice") {
        return Err(inconsistent);
    }
    overlay.set_pending(
        pending_slot,
        Pending {
            status: end,
            ..*pending
        },
    );
    overlay.clock.pending_count = overlay
        .clock
        .pending_count
        .checked_sub(1)
        .ok_or(inconsistent)?;
    Ok((debit, credit))
}
