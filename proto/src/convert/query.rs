//! Filters and balances of queries.

use farthing_ledger::{AccountFilter, AccountId, Balances, Sides, TransferFilter};

use super::Violations;
use super::amount::{format_amount, parse_balance};
use super::id::{format_id, parse_id, parse_optional_id};
use crate::error::FieldError;
use crate::v1;

/// Rows of a page when the request names no number.
pub const PAGE_DEFAULT: usize = 100;
/// Rows of a page, at most.
pub const PAGE_MAX: usize = 1_000;

/// Rows of the page that a request asks for.
#[must_use]
pub fn page_size(size: u32) -> usize {
    match size {
        0 => PAGE_DEFAULT,
        size => usize::try_from(size).unwrap_or(PAGE_MAX).min(PAGE_MAX),
    }
}

/// The transfers that a request asks for.
///
/// # Errors
/// Refused fields, with paths such as `filter.account_id`.
pub fn transfers_from_wire(
    message: &v1::TransferFilter,
) -> Result<TransferFilter, Vec<FieldError>> {
    let mut violations = Violations::default();
    violations.within("filter");
    let account = match message.account_id.as_str() {
        "" => None,
        text => Some(AccountId(violations.take("account_id", parse_id(text)))),
    };
    let sides = match v1::AccountSide::try_from(message.side) {
        Ok(v1::AccountSide::Unspecified) => Sides::Both,
        Ok(v1::AccountSide::Debit) => Sides::Debits,
        Ok(v1::AccountSide::Credit) => Sides::Credits,
        Err(_) => {
            violations.add("side", format!("side {} is not known", message.side));
            Sides::Both
        }
    };
    if sides != Sides::Both && account.is_none() {
        violations.add("side", "needs account_id: the side is that account's");
    }
    let filter = TransferFilter {
        account_id: account,
        sides,
        user_data_128: user_data_128(message.user_data_128.as_deref(), &mut violations),
        user_data_64: message.user_data_64,
        user_data_32: message.user_data_32,
        ledger: Some(message.ledger).filter(|ledger| *ledger != 0),
        code: code(message.code, &mut violations),
        timestamp_min: message.timestamp_min,
        timestamp_max: timestamp_max(
            message.timestamp_min,
            message.timestamp_max,
            &mut violations,
        ),
    };
    violations.finish(filter)
}

/// The accounts that a request asks for.
///
/// # Errors
/// Refused fields, with paths such as `filter.code`.
pub fn accounts_from_wire(message: &v1::AccountFilter) -> Result<AccountFilter, Vec<FieldError>> {
    let mut violations = Violations::default();
    violations.within("filter");
    let filter = AccountFilter {
        user_data_128: user_data_128(message.user_data_128.as_deref(), &mut violations),
        user_data_64: message.user_data_64,
        user_data_32: message.user_data_32,
        ledger: Some(message.ledger).filter(|ledger| *ledger != 0),
        code: code(message.code, &mut violations),
        timestamp_min: message.timestamp_min,
        timestamp_max: timestamp_max(
            message.timestamp_min,
            message.timestamp_max,
            &mut violations,
        ),
    };
    violations.finish(filter)
}

fn user_data_128(text: Option<&str>, violations: &mut Violations) -> Option<u128> {
    text.map(|text| violations.take("user_data_128", parse_optional_id(text)))
}

fn code(code: u32, violations: &mut Violations) -> Option<u16> {
    let code = u16::try_from(code).map_err(|_| "a code is at most 65535");
    Some(violations.take("code", code)).filter(|code| *code != 0)
}

/// The end of a time range; 0 is none.
fn timestamp_max(min: u64, max: u64, violations: &mut Violations) -> Option<u64> {
    if max != 0 && max < min {
        violations.add("timestamp_max", "is before timestamp_min");
    }
    Some(max).filter(|max| *max != 0)
}

/// A filter as a request carries it. A ledger or code 0, which nothing has, cannot be asked for and is left out.
#[must_use]
pub fn transfers_to_wire(filter: &TransferFilter) -> v1::TransferFilter {
    let side = match filter.sides {
        Sides::Both => v1::AccountSide::Unspecified,
        Sides::Debits => v1::AccountSide::Debit,
        Sides::Credits => v1::AccountSide::Credit,
    };
    v1::TransferFilter {
        account_id: filter
            .account_id
            .map(|id| format_id(id.0))
            .unwrap_or_default(),
        side: side.into(),
        user_data_128: filter.user_data_128.map(format_id),
        user_data_64: filter.user_data_64,
        user_data_32: filter.user_data_32,
        ledger: filter.ledger.unwrap_or_default(),
        code: filter.code.unwrap_or_default().into(),
        timestamp_min: filter.timestamp_min,
        timestamp_max: filter.timestamp_max.unwrap_or_default(),
    }
}

/// A filter as a request carries it; see [`transfers_to_wire`].
#[must_use]
pub fn accounts_to_wire(filter: &AccountFilter) -> v1::AccountFilter {
    v1::AccountFilter {
        user_data_128: filter.user_data_128.map(format_id),
        user_data_64: filter.user_data_64,
        user_data_32: filter.user_data_32,
        ledger: filter.ledger.unwrap_or_default(),
        code: filter.code.unwrap_or_default().into(),
        timestamp_min: filter.timestamp_min,
        timestamp_max: filter.timestamp_max.unwrap_or_default(),
    }
}

/// Balances in the unit of a ledger of this scale.
#[must_use]
pub fn balances_to_wire(balances: &Balances, scale: u8) -> v1::BalanceAmounts {
    v1::BalanceAmounts {
        debits_pending: format_amount(balances.debits_pending, scale),
        debits_posted: format_amount(balances.debits_posted, scale),
        credits_pending: format_amount(balances.credits_pending, scale),
        credits_posted: format_amount(balances.credits_posted, scale),
    }
}

/// Balances of an answer, for clients.
///
/// # Errors
/// Refused fields; a server never sends them.
pub fn balances_from_wire(
    message: &v1::BalanceAmounts,
    scale: u8,
) -> Result<Balances, Vec<FieldError>> {
    let mut violations = Violations::default();
    violations.within("balances");
    let mut read = |field: &str, text: &str| violations.take(field, parse_balance(text, scale));
    let balances = Balances {
        debits_pending: read("debits_pending", &message.debits_pending),
        debits_posted: read("debits_posted", &message.debits_posted),
        credits_pending: read("credits_pending", &message.credits_pending),
        credits_posted: read("credits_posted", &message.credits_posted),
    };
    violations.finish(balances)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn filters_come_back() {
        let filter = TransferFilter {
            account_id: Some(AccountId(9)),
            sides: Sides::Credits,
            user_data_128: Some(0),
            user_data_64: Some(7),
            user_data_32: Some(0),
            ledger: Some(3),
            code: Some(65_535),
            timestamp_min: 5,
            timestamp_max: Some(u64::MAX),
        };
        let none = TransferFilter::default();
        for filter in [filter, none] {
            assert_eq!(
                transfers_from_wire(&transfers_to_wire(&filter)).unwrap(),
                filter
            );
        }
        let filter = AccountFilter {
            user_data_128: Some(1 << 100),
            user_data_32: Some(0),
            code: Some(1),
            ..AccountFilter::default()
        };
        assert_eq!(
            accounts_from_wire(&accounts_to_wire(&filter)).unwrap(),
            filter
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let message = v1::TransferFilter {
            account_id: "seven".into(),
            side: 9,
            user_data_128: Some("x".into()),
            code: 70_000,
            timestamp_min: 2,
            timestamp_max: 1,
            ..v1::TransferFilter::default()
        };
        let errors = transfers_from_wire(&message).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        let expected = [
            "account_id",
            "side",
            "user_data_128",
            "code",
            "timestamp_max",
        ];
        assert_eq!(fields, expected.map(|field| format!("filter.{field}")));
        let lonely = v1::TransferFilter {
            side: v1::AccountSide::Debit.into(),
            ..v1::TransferFilter::default()
        };
        assert_eq!(transfers_from_wire(&lonely).unwrap_err().len(), 1);
    }
}
