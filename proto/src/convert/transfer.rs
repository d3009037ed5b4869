//! `Transfer`.

use farthing_ledger::{AMOUNT_MAX, AccountId, Transfer, TransferFlags, TransferId};

use super::amount::{format_amount, parse_amount};
use super::id::{format_id, format_optional_id, parse_id, parse_optional_id};
use super::{Violations, flag_list, flags};
use crate::error::FieldError;
use crate::v1::{self, transfer::AmountChoice};

/// The transfers of a request.
///
/// # Errors
/// Refused fields, with paths such as `transfers[3].amount`.
pub fn from_wire(
    messages: &[v1::Transfer],
    scale_of: impl Fn(u32) -> Option<u8>,
) -> Result<Vec<Transfer>, Vec<FieldError>> {
    let mut violations = Violations::default();
    let mut items = Vec::with_capacity(messages.len());
    for (number, message) in messages.iter().enumerate() {
        violations.enter("transfers", number);
        items.push(read(
            message,
            scale_of(message.ledger).unwrap_or(0),
            &mut violations,
        ));
    }
    violations.finish(items)
}

/// A transfer of an answer, for clients.
///
/// # Errors
/// Refused fields; a server never sends them.
pub fn stored_from_wire(message: &v1::Transfer, scale: u8) -> Result<Transfer, Vec<FieldError>> {
    let mut violations = Violations::default();
    violations.enter("transfers", 0);
    let transfer = read(message, scale, &mut violations);
    violations.finish(vec![transfer]).map(|_| transfer)
}

fn read(message: &v1::Transfer, scale: u8, violations: &mut Violations) -> Transfer {
    let flags = TransferFlags(violations.take("flags", flags(&message.flags, bit)));
    // A post or a void may inherit its accounts from the pending transfer.
    let account_id = |text: &str| {
        if flags.resolves_pending() {
            parse_optional_id(text)
        } else {
            parse_id(text)
        }
    };
    Transfer {
        id: TransferId(violations.take("id", parse_id(&message.id))),
        debit_account_id: AccountId(
            violations.take("debit_account_id", account_id(&message.debit_account_id)),
        ),
        credit_account_id: AccountId(
            violations.take("credit_account_id", account_id(&message.credit_account_id)),
        ),
        amount: read_amount(message, flags, scale, violations),
        pending_id: TransferId(
            violations.take("pending_id", parse_optional_id(&message.pending_id)),
        ),
        user_data_128: violations.take("user_data_128", parse_optional_id(&message.user_data_128)),
        user_data_64: message.user_data_64,
        user_data_32: message.user_data_32,
        timeout: message.timeout_s,
        ledger: message.ledger,
        code: violations.take(
            "code",
            u16::try_from(message.code).map_err(|_| "a code is at most 65535"),
        ),
        flags,
        timestamp: message.timestamp,
    }
}

fn read_amount(
    message: &v1::Transfer,
    flags: TransferFlags,
    scale: u8,
    violations: &mut Violations,
) -> u128 {
    let posts = flags.contains(TransferFlags::POST_PENDING_TRANSFER);
    let voids = flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
    let balances =
        flags.intersects(TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT));
    match &message.amount_choice {
        Some(AmountChoice::Amount(text)) => {
            let amount = violations.take("amount", parse_amount(text, scale));
            // Without its number the ledger's scale is not known, and 12 could mean
            // twelve dollars or twelve cents.
            if amount != 0 && message.ledger == 0 && flags.resolves_pending() {
                violations.add("ledger", "a decimal amount needs the ledger's number");
            }
            amount
        }
        Some(AmountChoice::All(true)) => {
            if !posts {
                violations.add("all", "goes with the flag post_pending_transfer only");
            }
            AMOUNT_MAX
        }
        Some(AmountChoice::AsMuchAsPossible(true)) => {
            if !balances {
                let description = "goes with the flags balancing_debit and balancing_credit only";
                violations.add("as_much_as_possible", description);
            }
            AMOUNT_MAX
        }
        Some(AmountChoice::All(false) | AmountChoice::AsMuchAsPossible(false)) | None => {
            if !voids {
                violations.add("amount", "is required; write 0 for a transfer of nothing");
            }
            0
        }
    }
}

/// A stored transfer; the amount in the unit of a ledger of this scale.
#[must_use]
pub fn to_wire(transfer: &Transfer, scale: u8) -> v1::Transfer {
    v1::Transfer {
        id: format_id(transfer.id.0),
        debit_account_id: format_id(transfer.debit_account_id.0),
        credit_account_id: format_id(transfer.credit_account_id.0),
        amount_choice: Some(AmountChoice::Amount(format_amount(transfer.amount, scale))),
        pending_id: format_optional_id(transfer.pending_id.0),
        user_data_128: format_optional_id(transfer.user_data_128),
        user_data_64: transfer.user_data_64,
        user_data_32: transfer.user_data_32,
        timeout_s: transfer.timeout,
        ledger: transfer.ledger,
        code: u32::from(transfer.code),
        flags: flag_list(transfer.flags.0),
        timestamp: transfer.timestamp,
    }
}

fn bit(flag: v1::TransferFlag) -> Option<u16> {
    let flag = match flag {
        v1::TransferFlag::Unspecified => return None,
        v1::TransferFlag::Linked => TransferFlags::LINKED,
        v1::TransferFlag::Pending => TransferFlags::PENDING,
        v1::TransferFlag::PostPendingTransfer => TransferFlags::POST_PENDING_TRANSFER,
        v1::TransferFlag::VoidPendingTransfer => TransferFlags::VOID_PENDING_TRANSFER,
        v1::TransferFlag::BalancingDebit => TransferFlags::BALANCING_DEBIT,
        v1::TransferFlag::BalancingCredit => TransferFlags::BALANCING_CREDIT,
        v1::TransferFlag::ClosingDebit => TransferFlags::CLOSING_DEBIT,
        v1::TransferFlag::ClosingCredit => TransferFlags::CLOSING_CREDIT,
        v1::TransferFlag::Imported => TransferFlags::IMPORTED,
    };
    Some(flag.0)
}
