//! Creating a transfer: single-phase or pending. The second phase is in `resolve_pending.rs`.

use crate::account::{Account, AccountFlags};
use crate::ids::TransferId;
use crate::pending::{Pending, PendingStatus};
use crate::planted;
use crate::result::ItemResult;
use crate::status::CreateTransferStatus as Status;
use crate::transfer::{Transfer, TransferFlags};

use super::command::{Command, TimeStatuses, item_timestamp};
use super::exists::compare_transfer;
use super::movement_rules::{balanced_amount, check_accounts, check_amount, check_fields};
use super::resolve_pending::resolve_pending;
use super::{Broken, Overlay, Seen, View};

impl Command for Transfer {
    #[inline]
    fn linked(&self) -> bool {
        self.flags.contains(TransferFlags::LINKED)
    }

    #[inline]
    fn imported(&self) -> Option<bool> {
        Some(self.flags.contains(TransferFlags::IMPORTED))
    }

    fn execute<V: View>(
        &self,
        overlay: &mut Overlay<'_, V>,
        mode: bool,
        now: u64,
    ) -> Result<ItemResult, Broken> {
        let timestamp = match check_identity(self, mode, now) {
            Ok(timestamp) => timestamp,
            Err(status) => return Ok(status.at(now)),
        };
        match overlay.seen(self.id) {
            None => {}
            Some(Seen::Refused) => return Ok(Status::IdAlreadyFailed.at(now)),
            Some(Seen::Applied {
                transfer: existing, ..
            }) if !planted("exists-moves-again") => {
                return Ok(match compare_transfer(self, &existing, overlay)? {
                    Ok(()) => Status::Exists.at(existing.timestamp),
                    Err(status) => status.at(now),
                });
            }
            Some(Seen::Applied { .. }) => {}
        }
        let outcome = if self.flags.resolves_pending() {
            resolve_pending(self, overlay, timestamp, now)?
        } else {
            move_amount(self, overlay, timestamp)?
        };
        match outcome {
            Ok(()) => Ok(Status::Created.at(timestamp)),
            Err(status) => {
                if status.is_transient() && !planted("refused-id-forgotten") {
                    overlay.refuse(self.id)?;
                }
                Ok(status.at(now))
            }
        }
    }
}

/// What can be said without looking at the state: the transfer's timestamp, or why there will be no transfer.
#[inline]
fn check_identity(item: &Transfer, mode: bool, now: u64) -> Result<u64, Status> {
    let imported = item.flags.contains(TransferFlags::IMPORTED);
    let statuses = TimeStatuses {
        expected: Status::ImportedEventExpected,
        not_expected: Status::ImportedEventNotExpected,
        must_be_zero: Status::TimestampMustBeZero,
        out_of_range: Status::ImportedEventTimestampOutOfRange,
        must_not_advance: Status::ImportedEventTimestampMustNotAdvance,
    };
    let timestamp = item_timestamp(imported, mode, item.timestamp, now, statuses)?;
    if item.flags.has_reserved() {
        return Err(Status::ReservedFlag);
    }
    if item.id == TransferId::ZERO {
        return Err(Status::IdMustNotBeZero);
    }
    if item.id == TransferId::MAX {
        return Err(Status::IdMustNotBeIntMax);
    }
    Ok(timestamp)
}

/// A single-phase or pending transfer with an id not seen before.
fn move_amount<V: View>(
    item: &Transfer,
    overlay: &mut Overlay<'_, V>,
    timestamp: u64,
) -> Result<Result<(), Status>, Broken> {
    if let Err(status) = check_fields(item) {
        return Ok(Err(status));
    }
    let Some(debit_slot) = overlay.find_account(item.debit_account_id) else {
        return Ok(Err(Status::DebitAccountNotFound));
    };
    let Some(credit_slot) = overlay.find_account(item.credit_account_id) else {
        return Ok(Err(Status::CreditAccountNotFound));
    };
    let debit = overlay.account(debit_slot);
    let credit = overlay.account(credit_slot);
    if let Err(status) = check_accounts(item, debit, credit, overlay, timestamp) {
        return Ok(Err(status));
    }
    let amount = balanced_amount(item, debit, credit);
    if let Err(status) = check_amount(item, amount, debit, credit, timestamp) {
        return Ok(Err(status));
    }

    // The line of no return: from here on the transfer is created.
    let (mut debit, mut credit) = (*debit, *credit);
    let pending = item.flags.contains(TransferFlags::PENDING);
    if pending {
        debit.debits_pending = sum(debit.debits_pending, amount, &debit)?;
        credit.credits_pending = sum(credit.credits_pending, amount, &credit)?;
    } else {
        debit.debits_posted = sum(debit.debits_posted, amount, &debit)?;
        credit.credits_posted = sum(credit.credits_posted, amount, &credit)?;
    }
    if item.flags.contains(TransferFlags::CLOSING_DEBIT) {
        debit.flags = debit.flags.with(AccountFlags::CLOSED);
    }
    if item.flags.contains(TransferFlags::CLOSING_CREDIT) {
        credit.flags = credit.flags.with(AccountFlags::CLOSED);
    }
    change_accounts(overlay, (debit_slot, debit), (credit_slot, credit))?;
    let transfer = Transfer {
        amount,
        timestamp,
        ..*item
    };
    let transfer = match planted("field-lost") {
        true => Transfer {
            code: transfer.code.max(1) - 1,
            ..transfer
        },
        false => transfer,
    };
    let transfer = match planted("nodes-differ") && timestamp.is_multiple_of(16) {
        true => Transfer {
            user_data_32: transfer.user_data_32 ^ 1,
            ..transfer
        },
        false => transfer,
    };
    let sequence = overlay.add_transfer(transfer, debit_slot, credit_slot)?;
    if pending {
        overlay.add_pending(Pending {
            transfer,
            status: PendingStatus::Pending,
            sequence,
        })?;
    }
    Ok(Ok(()))
}

/// A balance plus an amount that was checked to fit.
#[inline]
pub(super) fn sum(balance: u128, amount: u128, account: &Account) -> Result<u128, Broken> {
    balance.checked_add(amount).ok_or(Broken::BalanceWraps {
        account: account.id.0,
    })
}

/// Writes both accounts of a transfer, after making sure once more that their limits hold.
#[inline]
pub(super) fn change_accounts<V: View>(
    overlay: &mut Overlay<'_, V>,
    (debit_slot, debit): (usize, Account),
    (credit_slot, credit): (usize, Account),
) -> Result<(), Broken> {
    if !debit.limits_hold() {
        return Err(Broken::LimitExceeded {
            account: debit.id.0,
        });
    }
    if !credit.limits_hold() {
        return Err(Broken::LimitExceeded {
            account: credit.id.0,
        });
    }
    overlay.set_account(debit_slot, debit);
    overlay.set_account(credit_slot, credit);
    Ok(())
}
