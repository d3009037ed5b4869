//! A transfer id that exists already: is the item the same, or which field differs first?

use crate::AMOUNT_MAX;
use crate::ids::AccountId;
use crate::status::CreateTransferStatus as Status;
use crate::transfer::{Transfer, TransferFlags};

use super::{Broken, Overlay, View};

/// Compares an item with the stored transfer of its id.
pub(super) fn compare<V: View>(
    item: &Transfer,
    existing: &Transfer,
    overlay: &mut Overlay<'_, V>,
) -> Result<Status, Broken> {
    // Flags decide what the other fields mean, so they come first.
    if item.flags != existing.flags {
        return Ok(Status::ExistsWithDifferentFlags);
    }
    if item.pending_id != existing.pending_id {
        return Ok(Status::ExistsWithDifferentPendingId);
    }
    if item.timeout != existing.timeout {
        return Ok(Status::ExistsWithDifferentTimeout);
    }
    if !item.flags.resolves_pending() {
        return Ok(compare_move(item, existing));
    }
    let slot = overlay.find_pending(item.pending_id);
    let slot = slot.ok_or(Broken::PendingInconsistent {
        transfer: item.pending_id.0,
    })?;
    Ok(compare_resolution(
        item,
        existing,
        &overlay.pending(slot).transfer,
    ))
}

fn compare_move(item: &Transfer, existing: &Transfer) -> Status {
    if item.debit_account_id != existing.debit_account_id {
        return Status::ExistsWithDifferentDebitAccountId;
    }
    if item.credit_account_id != existing.credit_account_id {
        return Status::ExistsWithDifferentCreditAccountId;
    }
    // A balancing transfer asks for "at most" and was stored with what it moved.
    let balancing = TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
    let same_amount = if item.flags.intersects(balancing) {
        item.amount >= existing.amount
    } else {
        item.amount == existing.amount
    };
    if !same_amount {
        return Status::ExistsWithDifferentAmount;
    }
    if item.user_data_128 != existing.user_data_128 {
        return Status::ExistsWithDifferentUserData128;
    }
    if item.user_data_64 != existing.user_data_64 {
        return Status::ExistsWithDifferentUserData64;
    }
    if item.user_data_32 != existing.user_data_32 {
        return Status::ExistsWithDifferentUserData32;
    }
    if item.ledger != existing.ledger {
        return Status::ExistsWithDifferentLedger;
    }
    if item.code != existing.code {
        return Status::ExistsWithDifferentCode;
    }
    Status::Exists
}

/// Posts and voids inherit from the pending transfer what they leave zero.
fn compare_resolution(item: &Transfer, existing: &Transfer, pending: &Transfer) -> Status {
    let named = |id: AccountId, stored: AccountId| id == AccountId::ZERO || id == stored;
    if !named(item.debit_account_id, existing.debit_account_id) {
        return Status::ExistsWithDifferentDebitAccountId;
    }
    if !named(item.credit_account_id, existing.credit_account_id) {
        return Status::ExistsWithDifferentCreditAccountId;
    }
    let all = if item.flags.contains(TransferFlags::VOID_PENDING_TRANSFER) {
        0
    } else {
        AMOUNT_MAX
    };
    let amount = if item.amount == all {
        pending.amount
    } else {
        item.amount
    };
    if amount != existing.amount {
        return Status::ExistsWithDifferentAmount;
    }
    let user_data_128 = if item.user_data_128 == 0 {
        pending.user_data_128
    } else {
        item.user_data_128
    };
    if user_data_128 != existing.user_data_128 {
        return Status::ExistsWithDifferentUserData128;
    }
    let user_data_64 = if item.user_data_64 == 0 {
        pending.user_data_64
    } else {
        item.user_data_64
    };
    if user_data_64 != existing.user_data_64 {
        return Status::ExistsWithDifferentUserData64;
    }
    let user_data_32 = if item.user_data_32 == 0 {
        pending.user_data_32
    } else {
        item.user_data_32
    };
    if user_data_32 != existing.user_data_32 {
        return Status::ExistsWithDifferentUserData32;
    }
    if item.ledger != 0 && item.ledger != existing.ledger {
        return Status::ExistsWithDifferentLedger;
    }
    if item.code != 0 && item.code != existing.code {
        return Status::ExistsWithDifferentCode;
    }
    Status::Exists
}
