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
