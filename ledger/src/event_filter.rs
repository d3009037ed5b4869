//! Which changes a subscriber wants.

use crate::changes::TransferRow;
use crate::event::{Event, EventBody};
use crate::ids::AccountId;
use crate::transfer::Transfer;

/// The kind of a transfer among the kinds of changes; the others are those of [`EventBody`].
pub const KIND_TRANSFER: u8 = 0;

/// Which changes; what is left out matches all, what is not must match: a change without an account, a ledger or a code
/// does not match a filter for one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// That touch one of these accounts, sorted by their ids; empty: of all.
    pub accounts: Vec<AccountId>,
    /// On this ledger.
    pub ledger: Option<u32>,
    /// Whose transfer or account has this code.
    pub code: Option<u16>,
    /// Of these kinds, a bit each; 0: of all.
    pub kinds: u8,
}

impl EventFilter {
    /// Everything matches.
    pub fn is_all(&self) -> bool {
        self.accounts.is_empty() && self.ledger.is_none() && self.code.is_none() && self.kinds == 0
    }

    /// Whether changes of a kind can match.
    pub fn takes(&self, kind: u8) -> bool {
        self.kinds == 0
            || 1_u8
                .checked_shl(kind.into())
                .is_some_and(|bit| self.kinds & bit != 0)
    }

    /// Whether a transfer matches.
    pub fn matches_transfer(&self, row: &TransferRow) -> bool {
        self.takes(KIND_TRANSFER) && self.matches_parts(&row.transfer)
    }

    /// Whether anything else matches.
    pub fn matches_event(&self, event: &Event) -> bool {
        if !self.takes(event.kind()) {
            return false;
        }
        match &event.body {
            EventBody::AccountCreated(account) => {
                self.touches(&[account.id]) && self.is_on(account.ledger) && self.has(account.code)
            }
            EventBody::TransferExpired { transfer, .. } => self.matches_parts(transfer),
            EventBody::LedgerRegistered(ledger) => {
                self.accounts.is_empty() && self.is_on(ledger.ledger) && self.code.is_none()
            }
            EventBody::RecordWritten { .. } | EventBody::SettingChanged(_) => {
                self.accounts.is_empty() && self.ledger.is_none() && self.code.is_none()
            }
        }
    }

    fn matches_parts(&self, transfer: &Transfer) -> bool {
        self.touches(&[transfer.debit_account_id, transfer.credit_account_id])
            && self.is_on(transfer.ledger)
            && self.has(transfer.code)
    }

    fn touches(&self, accounts: &[AccountId]) -> bool {
        self.accounts.is_empty()
            || accounts.iter().any(|id| {
                self.accounts
                    .binary_search_by_key(&id.0, |wanted| wanted.0)
                    .is_ok()
            })
    }

    fn is_on(&self, ledger: u32) -> bool {
        self.ledger.is_none_or(|wanted| wanted == ledger)
    }

    fn has(&self, code: u16) -> bool {
        self.code.is_none_or(|wanted| wanted == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::setting::Setting;

    fn row() -> TransferRow {
        TransferRow {
            sequence: 1,
            transfer: Transfer {
                debit_account_id: AccountId(7),
                credit_account_id: AccountId(9),
                ledger: 3,
                code: 5,
                ..Transfer::default()
            },
            debit_after: Default::default(),
            credit_after: Default::default(),
        }
    }

    fn event(body: EventBody) -> Event {
        Event {
            sequence: 2,
            timestamp: 1,
            body,
        }
    }

    #[test]
    fn what_is_set_must_match() {
        let all = EventFilter::default();
        let setting = event(EventBody::SettingChanged(Setting::from_bytes(&[0; 16])));
        let account = event(EventBody::AccountCreated(Account {
            id: AccountId(9),
            ledger: 3,
            code: 5,
            ..Account::default()
        }));
        assert!(all.is_all() && all.matches_transfer(&row()) && all.matches_event(&setting));
        let filters = [
            EventFilter {
                accounts: vec![AccountId(1), AccountId(9)],
                ..EventFilter::default()
            },
            EventFilter {
                ledger: Some(3),
                ..EventFilter::default()
            },
            EventFilter {
                code: Some(5),
                ..EventFilter::default()
            },
            EventFilter {
                kinds: 0b11,
                ..EventFilter::default()
            },
        ];
        for filter in filters {
            assert!(
                filter.matches_transfer(&row()) && filter.matches_event(&account),
                "{filter:?}"
            );
            assert!(
                !filter.is_all() && !filter.matches_event(&setting),
                "{filter:?}"
            );
        }
        let others = [
            EventFilter {
                accounts: vec![AccountId(8)],
                ..EventFilter::default()
            },
            EventFilter {
                ledger: Some(4),
                ..EventFilter::default()
            },
            EventFilter {
                code: Some(6),
                ..EventFilter::default()
            },
            EventFilter {
                kinds: 0b100,
                ..EventFilter::default()
            },
        ];
        for filter in others {
            assert!(
                !filter.matches_transfer(&row()) && !filter.matches_event(&account),
                "{filter:?}"
            );
        }
    }
}
