//! The event stream: filters, and events as messages.

use farthing_ledger::{AccountId, Balances, Event, EventBody, EventFilter, Transfer, TransferRow};

use super::id::{format_id, parse_id};
use super::query::balances_to_wire;
use super::{Violations, account, ledger, record, transfer};
use crate::error::FieldError;
use crate::v1::{self, event::Body};

/// Accounts in a filter, at most.
pub const FILTER_ACCOUNTS_MAX: usize = 1_000;

/// The events that a request asks for.
///
/// # Errors
/// Refused fields, with paths such as `filter.account_ids`.
pub fn filter_from_wire(message: &v1::EventFilter) -> Result<EventFilter, Vec<FieldError>> {
    let mut violations = Violations::default();
    violations.within("filter");
    if message.account_ids.len() > FILTER_ACCOUNTS_MAX {
        let why = format!(
            "names {} accounts, at most {FILTER_ACCOUNTS_MAX} are allowed",
            message.account_ids.len()
        );
        violations.add("account_ids", why);
        return violations.finish(EventFilter::default());
    }
    let ids = message.account_ids.iter();
    let mut accounts: Vec<AccountId> = ids
        .map(|text| AccountId(violations.take("account_ids", parse_id(text))))
        .collect();
    accounts.sort_unstable_by_key(|id| id.0);
    accounts.dedup();
    let code = violations.take(
        "code",
        u16::try_from(message.code).map_err(|_| "a code is at most 65535"),
    );
    let mut kinds = 0;
    for kind in &message.kinds {
        match v1::EventKind::try_from(*kind) {
            Ok(kind) => kinds |= 1 << kind as u8,
            Err(_) => violations.add("kinds", format!("there is no kind {kind}")),
        }
    }
    violations.finish(EventFilter {
        accounts,
        ledger: Some(message.ledger).filter(|ledger| *ledger != 0),
        code: Some(code).filter(|code| *code != 0),
        kinds,
    })
}

/// The reverse of [`filter_from_wire`].
#[must_use]
pub fn filter_to_wire(filter: &EventFilter) -> v1::EventFilter {
    let kinds = (0..8).filter(|kind| filter.kinds >> kind & 1 == 1);
    v1::EventFilter {
        account_ids: filter.accounts.iter().map(|id| format_id(id.0)).collect(),
        ledger: filter.ledger.unwrap_or_default(),
        code: filter.code.unwrap_or_default().into(),
        kinds: kinds.collect(),
    }
}

/// A transfer that took place; `scale` is its ledger's.
#[must_use]
pub fn transfer_to_wire(row: &TransferRow, balances: bool, scale: u8) -> v1::Event {
    let after = balances.then_some((&row.debit_after, &row.credit_after));
    v1::Event {
        sequence: row.sequence,
        timestamp: row.transfer.timestamp,
        body: Some(Body::TransferCreated(moved(&row.transfer, after, scale))),
    }
}

/// Anything else; `scale` is that of [`ledger_of`].
#[must_use]
pub fn event_to_wire(event: &Event, balances: bool, scale: u8) -> v1::Event {
    let body = match &event.body {
        EventBody::AccountCreated(created) => {
            Body::AccountCreated(account::to_wire(created, scale))
        }
        EventBody::LedgerRegistered(registered) => {
            Body::LedgerRegistered(ledger::to_wire(registered))
        }
        EventBody::RecordWritten { key, record } => Body::RecordWritten(v1::RecordEvent {
            record: Some(record::stored_to_wire(key, record)),
            deleted: record.deleted,
        }),
        EventBody::TransferExpired {
            transfer,
            debit_after,
            credit_after,
        } => {
            let after = balances.then_some((debit_after, credit_after));
            Body::TransferExpired(moved(transfer, after, scale))
        }
        EventBody::SettingChanged(setting) => Body::SettingChanged(v1::SettingEvent {
            setting: setting.setting,
            value: setting.value,
        }),
    };
    v1::Event {
        sequence: event.sequence,
        timestamp: event.timestamp,
        body: Some(body),
    }
}

/// The ledger whose unit an event's amounts are in; `None` when it has none.
#[must_use]
pub fn ledger_of(event: &Event) -> Option<u32> {
    match &event.body {
        EventBody::AccountCreated(account) => Some(account.ledger),
        EventBody::TransferExpired { transfer, .. } => Some(transfer.ledger),
        EventBody::LedgerRegistered(_)
        | EventBody::RecordWritten { .. }
        | EventBody::SettingChanged(_) => None,
    }
}

fn moved(moved: &Transfer, after: Option<(&Balances, &Balances)>, scale: u8) -> v1::TransferEvent {
    v1::TransferEvent {
        transfer: Some(transfer::to_wire(moved, scale)),
        debit_account: after.map(|(debit, _)| balances_to_wire(debit, scale)),
        credit_account: after.map(|(_, credit)| balances_to_wire(credit, scale)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn filters_come_back() {
        let filter = EventFilter {
            accounts: vec![AccountId(3), AccountId(9)],
            ledger: Some(840),
            code: Some(7),
            kinds: 0b10_0011,
        };
        assert_eq!(filter_from_wire(&filter_to_wire(&filter)).unwrap(), filter);
        let all = EventFilter::default();
        assert_eq!(filter_from_wire(&filter_to_wire(&all)).unwrap(), all);
    }

    #[test]
    fn what_is_wrong_in_a_filter_is_named() {
        let message = v1::EventFilter {
            account_ids: vec!["x".into()],
            code: 70_000,
            kinds: vec![6],
            ..v1::EventFilter::default()
        };
        let wrong = filter_from_wire(&message).unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(
            fields,
            ["filter.account_ids", "filter.code", "filter.kinds"]
        );
        let many = v1::EventFilter {
            account_ids: vec!["01".repeat(16); FILTER_ACCOUNTS_MAX + 1],
            ..v1::EventFilter::default()
        };
        assert!(filter_from_wire(&many).is_err());
    }
}
