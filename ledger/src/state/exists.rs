//! An id that exists already: is the item the same, or which field differs first?

use crate::account::Account;
use crate::ledger::Ledger;
use crate::status::{CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus};
use crate::transfer::{Transfer, TransferFlags};

use super::resolve_pending::inherit;
use super::{Broken, Overlay, View};

/// Refuses with the status of the first field, in the order given, in which an item differs from what exists.
macro_rules! refuse_difference {
    ($item:ident, $existing:ident: $( $field:ident => $status:expr, )+) => {
        $( if $item.$field != $existing.$field {
            return Err($status);
        } )+
    };
}

/// Compares an item with the stored account of its id. Balances and timestamp are the cluster's.
pub(super) fn compare_account(
    item: &Account,
    existing: &Account,
) -> Result<(), CreateAccountStatus> {
    use CreateAccountStatus as Status;
    refuse_difference! { item, existing:
        flags => Status::ExistsWithDifferentFlags,
        user_data_128 => Status::ExistsWithDifferentUserData128,
        user_data_64 => Status::ExistsWithDifferentUserData64,
        user_data_32 => Status::ExistsWithDifferentUserData32,
        ledger => Status::ExistsWithDifferentLedger,
        code => Status::ExistsWithDifferentCode,
    }
    Ok(())
}

/// Compares a registration with the registered ledger of its number.
pub(super) fn compare_ledger(item: &Ledger, existing: &Ledger) -> Result<(), CreateLedgerStatus> {
    use CreateLedgerStatus as Status;
    refuse_difference! { item, existing:
        scale => Status::ExistsWithDifferentScale,
        currency => Status::ExistsWithDifferentCurrency,
        currency_length => Status::ExistsWithDifferentCurrency,
    }
    Ok(())
}

/// Compares an item with the stored transfer of its id.
pub(super) fn compare_transfer<V: View>(
    item: &Transfer,
    existing: &Transfer,
    overlay: &mut Overlay<'_, V>,
) -> Result<Result<(), CreateTransferStatus>, Broken> {
    if let Err(status) = compare_kind(item, existing) {
        return Ok(Err(status));
    }
    if !item.flags.resolves_pending() {
        return Ok(compare_content(item, existing));
    }
    let slot = overlay.find_pending(item.pending_id);
    let slot = slot.ok_or(Broken::PendingInconsistent {
        transfer: item.pending_id.0,
    })?;
    let meant = inherit(item, &overlay.pending(slot).transfer);
    Ok(compare_content(&meant, existing))
}

/// What decides how the other fields are read, so it comes first.
fn compare_kind(item: &Transfer, existing: &Transfer) -> Result<(), CreateTransferStatus> {
    use CreateTransferStatus as Status;
    refuse_difference! { item, existing:
        flags => Status::ExistsWithDifferentFlags,
        pending_id => Status::ExistsWithDifferentPendingId,
        timeout => Status::ExistsWithDifferentTimeout,
    }
    Ok(())
}

fn compare_content(item: &Transfer, existing: &Transfer) -> Result<(), CreateTransferStatus> {
    use CreateTransferStatus as Status;
    if crate::planted("other-fields-exist") {
        return Ok(());
    }
    refuse_difference! { item, existing:
        debit_account_id => Status::ExistsWithDifferentDebitAccountId,
        credit_account_id => Status::ExistsWithDifferentCreditAccountId,
    }
    // A balancing transfer asks for "at most" and was stored with what it moved.
    let balancing = TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
    let same_amount = if item.flags.intersects(balancing) {
        item.amount >= existing.amount
    } else {
        item.amount == existing.amount
    };
    if !same_amount {
        return Err(Status::ExistsWithDifferentAmount);
    }
    refuse_difference! { item, existing:
        user_data_128 => Status::ExistsWithDifferentUserData128,
        user_data_64 => Status::ExistsWithDifferentUserData64,
        user_data_32 => Status::ExistsWithDifferentUserData32,
        ledger => Status::ExistsWithDifferentLedger,
        code => Status::ExistsWithDifferentCode,
    }
    Ok(())
}
