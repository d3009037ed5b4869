//! `Account`.

use farthing_ledger::{Account, AccountFlags, AccountId};

use super::amount::{format_amount, parse_balance};
use super::id::{format_id, format_optional_id, parse_id, parse_optional_id};
use super::{Violations, flag_list, flags};
use crate::error::FieldError;
use crate::v1;

/// The accounts of a request.
///
/// # Errors
/// Refused fields, with paths such as `accounts[3].id`.
pub fn from_wire(
    messages: &[v1::Account],
    scale_of: impl Fn(u32) -> Option<u8>,
) -> Result<Vec<Account>, Vec<FieldError>> {
    let mut violations = Violations::default();
    let mut items = Vec::with_capacity(messages.len());
    for (number, message) in messages.iter().enumerate() {
        violations.enter("accounts", number);
        items.push(read(
            message,
            scale_of(message.ledger).unwrap_or(0),
            &mut violations,
        ));
    }
    violations.finish(items)
}

/// An account of an answer, for clients.
///
/// # Errors
/// Refused fields; a server never sends them.
pub fn stored_from_wire(message: &v1::Account, scale: u8) -> Result<Account, Vec<FieldError>> {
    let mut violations = Violations::default();
    violations.enter("accounts", 0);
    let account = read(message, scale, &mut violations);
    violations.finish(vec![account]).map(|_| account)
}

fn read(message: &v1::Account, scale: u8, violations: &mut Violations) -> Account {
    Account {
        id: AccountId(violations.take("id", parse_id(&message.id))),
        // Balances in a request are read so that the ledger can answer with its own
        // status when they are not zero.
        debits_pending: violations.take(
            "debits_pending",
            parse_balance(&message.debits_pending, scale),
        ),
        debits_posted: violations.take(
            "debits_posted",
            parse_balance(&message.debits_posted, scale),
        ),
        credits_pending: violations.take(
            "credits_pending",
            parse_balance(&message.credits_pending, scale),
        ),
        credits_posted: violations.take(
            "credits_posted",
            parse_balance(&message.credits_posted, scale),
        ),
        user_data_128: violations.take("user_data_128", parse_optional_id(&message.user_data_128)),
        user_data_64: message.user_data_64,
        user_data_32: message.user_data_32,
        reserved: 0,
        ledger: message.ledger,
        code: violations.take(
            "code",
            u16::try_from(message.code).map_err(|_| "a code is at most 65535"),
        ),
        flags: AccountFlags(violations.take("flags", flags(&message.flags, bit))),
        timestamp: message.timestamp,
    }
}

/// A stored account; balances in the unit of a ledger of this scale.
#[must_use]
pub fn to_wire(account: &Account, scale: u8) -> v1::Account {
    v1::Account {
        id: format_id(account.id.0),
        debits_pending: format_amount(account.debits_pending, scale),
        debits_posted: format_amount(account.debits_posted, scale),
        credits_pending: format_amount(account.credits_pending, scale),
        credits_posted: format_amount(account.credits_posted, scale),
        user_data_128: format_optional_id(account.user_data_128),
        user_data_64: account.user_data_64,
        user_data_32: account.user_data_32,
        ledger: account.ledger,
        code: u32::from(account.code),
        flags: flag_list(account.flags.0),
        timestamp: account.timestamp,
    }
}

fn bit(flag: v1::AccountFlag) -> Option<u16> {
    let flag = match flag {
        v1::AccountFlag::Unspecified => return None,
        v1::AccountFlag::Linked => AccountFlags::LINKED,
        v1::AccountFlag::DebitsMustNotExceedCredits => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        v1::AccountFlag::CreditsMustNotExceedDebits => AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
        v1::AccountFlag::History => AccountFlags::HISTORY,
        v1::AccountFlag::Imported => AccountFlags::IMPORTED,
        v1::AccountFlag::Closed => AccountFlags::CLOSED,
    };
    Some(flag.0)
}
