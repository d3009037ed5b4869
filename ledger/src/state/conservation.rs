//! Invariant 1 for one entry: on every ledger, what its accounts gained in debits they gained in credits.

use std::collections::BTreeMap;

use crate::account::Balances;
use crate::changes::Changes;

use super::Broken;

/// Differences modulo 2^128 of one ledger: debits minus credits, pending and posted.
#[derive(Default)]
struct Drift {
    pending: u128,
    posted: u128,
}

impl Drift {
    #[inline]
    fn add(&mut self, before: &Balances, after: &Balances) {
        let gained = |after: u128, before: u128| after.wrapping_sub(before);
        let debits = gained(after.debits_pending, before.debits_pending);
        let credits = gained(after.credits_pending, before.credits_pending);
        self.pending = self.pending.wrapping_add(debits).wrapping_sub(credits);
        let debits = gained(after.debits_posted, before.debits_posted);
        let credits = gained(after.credits_posted, before.credits_posted);
        self.posted = self.posted.wrapping_add(debits).wrapping_sub(credits);
    }
}

/// Checks every changed account of an entry.
pub(super) fn check(changes: &Changes) -> Result<(), Broken> {
    // Most entries stay on one ledger: the map is only asked when the ledger changes.
    let mut others: BTreeMap<u32, Drift> = BTreeMap::new();
    let (mut ledger, mut drift) = (0, Drift::default());
    for change in &changes.accounts {
        if change.after.ledger != ledger {
            others.insert(ledger, drift);
            ledger = change.after.ledger;
            drift = others.remove(&ledger).unwrap_or_default();
        }
        let before = change
            .before
            .map(|account| account.balances())
            .unwrap_or_default();
        drift.add(&before, &change.after.balances());
    }
    others.insert(ledger, drift);
    let unbalanced = others
        .iter()
        .find(|(_, drift)| drift.pending != 0 || drift.posted != 0);
    match unbalanced {
        Some((&ledger, _)) => Err(Broken::Unbalanced { ledger }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, AccountChange, AccountId};

    /// An account on a ledger that gained so much.
    fn gained(
        id: u128,
        ledger: u32,
        debits_posted: u128,
        credits_posted: u128,
        pending: u128,
    ) -> AccountChange {
        let id = AccountId(id);
        let before = Account {
            id,
            ledger,
            debits_posted: 5,
            ..Account::default()
        };
        let after = Account {
            debits_posted: 5 + debits_posted,
            credits_posted,
            debits_pending: pending,
            ..before
        };
        AccountChange {
            before: Some(before),
            after,
        }
    }

    fn check_all(accounts: &[AccountChange]) -> Result<(), Broken> {
        check(&Changes {
            accounts: accounts.to_vec(),
            ..Changes::default()
        })
    }

    #[test]
    fn each_ledger_balances_for_itself() {
        let (debit, credit) = (gained(1, 1, 7, 0, 0), gained(2, 1, 0, 7, 0));
        let (other_debit, other_credit) = (gained(3, 2, 9, 0, 0), gained(4, 2, 0, 9, 0));
        assert_eq!(
            check_all(&[debit, other_credit, credit, other_debit]),
            Ok(())
        );
        assert_eq!(check_all(&[debit]), Err(Broken::Unbalanced { ledger: 1 }));
        let lost = [debit, credit, other_debit, gained(4, 2, 0, 8, 0)];
        assert_eq!(check_all(&lost), Err(Broken::Unbalanced { ledger: 2 }));
        let crossed = [debit, gained(4, 2, 0, 7, 0)];
        assert_eq!(check_all(&crossed), Err(Broken::Unbalanced { ledger: 1 }));
    }

    #[test]
    fn pending_and_posted_balance_apart() {
        // Seven more pending debits do not make up for seven posted credits.
        let (debit, credit) = (gained(1, 1, 0, 0, 7), gained(2, 1, 0, 7, 0));
        assert_eq!(
            check_all(&[debit, credit]),
            Err(Broken::Unbalanced { ledger: 1 })
        );
    }

    #[test]
    fn a_new_account_begins_at_nothing() {
        let AccountChange { after, .. } = gained(2, 1, 0, 12, 0);
        let credit = AccountChange {
            before: None,
            after: Account {
                debits_posted: 0,
                ..after
            },
        };
        assert_eq!(check_all(&[gained(1, 1, 12, 0, 0), credit]), Ok(()));
    }
}
