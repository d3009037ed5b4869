//! Replies of queries as the SDK's types: for those who speak to one node themselves. All fail with
//! [`Error::Unreadable`], and only when the other side is not a node of this version.

use farthing_ledger::{Account, Balances, Transfer};
use farthing_proto::convert;
use farthing_proto::convert::amount::parse_balance;
use farthing_proto::error::FieldError;
use farthing_proto::v1;

use super::{BalanceRow, Page, Statement, SumRow};
use crate::error::Error;

pub(crate) fn unreadable(message: &str) -> Error {
    Error::Unreadable {
        address: "the node".to_owned(),
        message: message.to_owned(),
    }
}

pub(crate) fn refused(errors: Vec<FieldError>) -> Error {
    let words: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.field, error.description))
        .collect();
    unreadable(&words.join("; "))
}

/// The scale of a ledger, which a reply names for each of its rows.
pub(crate) fn scale_of(scales: &[v1::LedgerScale], ledger: u32) -> Result<u8, Error> {
    let found = scales.iter().find(|scale| scale.ledger == ledger);
    let scale = found.and_then(|scale| u8::try_from(scale.scale).ok());
    scale.ok_or_else(|| unreadable(&format!("it does not say the scale of ledger {ledger}")))
}

fn next(token: &str) -> Option<String> {
    (!token.is_empty()).then(|| token.to_owned())
}

/// A page of transfers.
///
/// # Errors
/// See above.
pub fn transfers(reply: &v1::QueryTransfersReply) -> Result<Page<Transfer>, Error> {
    let transfer = |message: &v1::Transfer| {
        let scale = scale_of(&reply.scales, message.ledger)?;
        convert::transfer::stored_from_wire(message, scale).map_err(refused)
    };
    Ok(Page {
        rows: reply
            .transfers
            .iter()
            .map(transfer)
            .collect::<Result<_, _>>()?,
        next: next(&reply.next_page_token),
        applied_index: reply.applied_index,
    })
}

/// A page of accounts.
///
/// # Errors
/// See above.
pub fn accounts(reply: &v1::QueryAccountsReply) -> Result<Page<Account>, Error> {
    let account = |message: &v1::Account| {
        let scale = scale_of(&reply.scales, message.ledger)?;
        convert::account::stored_from_wire(message, scale).map_err(refused)
    };
    Ok(Page {
        rows: reply
            .accounts
            .iter()
            .map(account)
            .collect::<Result<_, _>>()?,
        next: next(&reply.next_page_token),
        applied_index: reply.applied_index,
    })
}

pub(crate) fn balances(message: Option<&v1::BalanceAmounts>, scale: u8) -> Result<Balances, Error> {
    let message = message.ok_or_else(|| unreadable("balances are missing"))?;
    convert::query::balances_from_wire(message, scale).map_err(refused)
}

/// Part of an account's statement; `None` when there is no such account.
///
/// # Errors
/// See above.
pub fn statement(reply: &v1::AccountBalancesReply) -> Result<Option<Statement>, Error> {
    if !reply.account_exists {
        return Ok(None);
    }
    let scale = reply.scale.as_slice();
    let scale = match scale.first() {
        Some(first) => scale_of(scale, first.ledger)?,
        None => return Err(unreadable("it does not say the scale of the ledger")),
    };
    let row = |message: &v1::BalanceRow| {
        let transfer = message
            .transfer
            .as_ref()
            .ok_or_else(|| unreadable("a row has no transfer"))?;
        Ok(BalanceRow {
            timestamp: message.timestamp,
            transfer: convert::transfer::stored_from_wire(transfer, scale).map_err(refused)?,
            expired: message.expired,
            balances: balances(message.balances.as_ref(), scale)?,
        })
    };
    Ok(Some(Statement {
        opening: balances(reply.opening.as_ref(), scale)?,
        page: Page {
            rows: reply.rows.iter().map(row).collect::<Result<_, Error>>()?,
            next: next(&reply.next_page_token),
            applied_index: reply.applied_index,
        },
    }))
}

/// The balances of an account, if it existed, and the log index at which that is exact.
///
/// # Errors
/// See above.
pub fn balance_at(reply: &v1::BalanceAtReply) -> Result<(Option<Balances>, u64), Error> {
    let Some(message) = &reply.balances else {
        return Ok((None, reply.applied_index));
    };
    let scale = reply
        .scale
        .as_ref()
        .and_then(|scale| u8::try_from(scale.scale).ok());
    let scale = scale.ok_or_else(|| unreadable("it does not say the scale of the ledger"))?;
    Ok((Some(balances(Some(message), scale)?), reply.applied_index))
}

/// The rows of one page of sums.
///
/// # Errors
/// See above.
pub fn sums(reply: &v1::SumTransfersReply) -> Result<Vec<SumRow>, Error> {
    let scale = reply.scale.as_ref().map_or(0, |scale| scale.scale);
    let scale = u8::try_from(scale).map_err(|_| unreadable("a scale is too large"))?;
    let amount = |text: &str| {
        parse_balance(text, scale).map_err(|error| unreadable(&format!("a sum: {error}")))
    };
    let row = |message: &v1::SumRow| {
        Ok(SumRow {
            period_start: message.period_start,
            code: u16::try_from(message.code).map_err(|_| unreadable("a code is too large"))?,
            debit_count: message.debit_count,
            debits_posted: amount(&message.debits_posted)?,
            credit_count: message.credit_count,
            credits_posted: amount(&message.credits_posted)?,
        })
    };
    reply.rows.iter().map(row).collect()
}
