//! The invariants of the ledger, one function each, over a whole state. `apply` checks what one entry can break; these
//! check everything, in tests, in simulations and in an operator's verification.
//!
//! 1. Per ledger the sum of posted debits equals the sum of posted credits; the same for pending.
//! 2. No balance wraps or goes below zero.
//! 3. The limits of an account hold.
//! 4. A transfer id occurs at most once, and not among the refused.
//! 5. A pending transfer makes exactly one transition; open ones add up to the accounts' pending totals.
//! 6. Chains are all or nothing (a property of `apply`, tested there; no state shows it afterwards).
//! 7. The sequence is dense; timestamps strictly increase within a kind and are never shared.
//! 8. Transfers never change: replaying them gives the balances stored with each and those of the accounts.
//! 9. Equal applied index means equal state (compared by digest, outside this crate).
//! 10. Secondary indexes equal a full scan (outside this crate).
//!
//! 1 to 5, 7 and 8 follow the accounting model of double entry; their numbers are those of [`crate::Broken`].

mod replay;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::account::Account;
use crate::changes::TransferRow;
use crate::event::{Event, EventBody};
use crate::ids::{AccountId, TransferId};
use crate::memory::MemoryState;
use crate::pending::{Pending, PendingStatus};
use crate::transfer::TransferFlags;

pub use replay::replay_agrees;

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Its number in the list of this module.
    pub invariant: u8,
    /// What was found, with ids.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {}: {}", self.invariant, self.found)
    }
}

impl std::error::Error for Violation {}

fn violated(invariant: u8, found: String) -> Result<(), Violation> {
    Err(Violation { invariant, found })
}

/// Every invariant a whole state can show.
///
/// # Errors
/// The first that does not hold.
pub fn check_all(state: &MemoryState) -> Result<(), Violation> {
    ledgers_balance(state.accounts())?;
    balances_fit(state.accounts())?;
    limits_hold(state.accounts())?;
    ids_are_unique(
        state.transfers().iter().map(|row| row.transfer.id),
        state.refused().iter().copied(),
    )?;
    pendings_add_up(
        state.accounts(),
        state.pendings(),
        state.transfers(),
        state.events(),
    )?;
    order_holds(state.accounts(), state.transfers(), state.events())?;
    replay_agrees(state.accounts(), state.transfers(), state.events())
}

/// Invariant 1. Luca Pacioli, *Summa de arithmetica* (1494): every debit has its credit.
///
/// # Errors
/// Names the first ledger that is not balanced.
pub fn ledgers_balance<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
) -> Result<(), Violation> {
    // Sums of many u128 may pass 2^128; their difference modulo 2^128 is zero all the same when they are equal.
    let mut drift: BTreeMap<u32, (u128, u128)> = BTreeMap::new();
    for account in accounts {
        let (pending, posted) = drift.entry(account.ledger).or_default();
        *pending = pending
            .wrapping_add(account.debits_pending)
            .wrapping_sub(account.credits_pending);
        *posted = posted
            .wrapping_add(account.debits_posted)
            .wrapping_sub(account.credits_posted);
    }
    match drift.into_iter().find(|(_, drift)| *drift != (0, 0)) {
        Some((ledger, _)) => violated(1, format!("ledger {ledger} is not balanced")),
        None => Ok(()),
    }
}

/// Invariant 2. Stored balances cannot be negative; what remains to check is that pending and posted fit together.
///
/// # Errors
/// Names the first account whose totals do not fit.
pub fn balances_fit<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Result<(), Violation> {
    for account in accounts {
        let debits = account.debits_pending.checked_add(account.debits_posted);
        let credits = account.credits_pending.checked_add(account.credits_posted);
        if debits.is_none() || credits.is_none() {
            return violated(2, format!("totals of account {} wrap", account.id));
        }
    }
    Ok(())
}

/// Invariant 3. `debits_must_not_exceed_credits` and `credits_must_not_exceed_debits`, as documented on the flags.
///
/// # Errors
/// Names the first account beyond its limit.
pub fn limits_hold<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Result<(), Violation> {
    match accounts.into_iter().find(|account| !account.limits_hold()) {
        Some(account) => violated(3, format!("account {} is beyond its limit", account.id)),
        None => Ok(()),
    }
}

/// Invariant 4. At most once, for ever: an id was applied once, or refused once, or neither.
///
/// # Errors
/// Names the first id that occurs twice.
pub fn ids_are_unique(
    transfers: impl IntoIterator<Item = TransferId>,
    refused: impl IntoIterator<Item = TransferId>,
) -> Result<(), Violation> {
    let mut seen = BTreeSet::new();
    for id in transfers.into_iter().chain(refused) {
        if !seen.insert(id) {
            return violated(4, format!("transfer id {id} occurs twice"));
        }
    }
    Ok(())
}

/// Invariant 5. Two-phase transfers: every reservation is held by exactly one open pending transfer, and each end of
/// a pending transfer is the work of exactly one post, void or expiry.
///
/// # Errors
/// Names the first pending transfer or account that does not fit.
pub fn pendings_add_up<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
    pendings: impl IntoIterator<Item = &'a Pending>,
    transfers: impl IntoIterator<Item = &'a TransferRow>,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), Violation> {
    let mut ends: BTreeMap<TransferId, PendingStatus> = BTreeMap::new();
    let mut opened = BTreeSet::new();
    for row in transfers {
        let transfer = &row.transfer;
        if transfer.flags.contains(TransferFlags::PENDING) {
            opened.insert(transfer.id);
        }
        if transfer.flags.resolves_pending() {
            let posts = transfer
                .flags
                .contains(TransferFlags::POST_PENDING_TRANSFER);
            let end = if posts {
                PendingStatus::Posted
            } else {
                PendingStatus::Voided
            };
            if ends.insert(transfer.pending_id, end).is_some() {
                return violated(
                    5,
                    format!("pending transfer {} ended twice", transfer.pending_id),
                );
            }
        }
    }
    for event in events {
        if let EventBody::TransferExpired { transfer, .. } = &event.body
            && ends.insert(transfer.id, PendingStatus::Expired).is_some()
        {
            return violated(5, format!("pending transfer {} ended twice", transfer.id));
        }
    }
    let mut reserved: BTreeMap<AccountId, (u128, u128)> = BTreeMap::new();
    for pending in pendings {
        let transfer = &pending.transfer;
        let end = ends.remove(&transfer.id).unwrap_or(PendingStatus::Pending);
        if !opened.remove(&transfer.id) || pending.status != end {
            return violated(
                5,
                format!(
                    "pending transfer {} is {:?}, should be {end:?}",
                    transfer.id, pending.status
                ),
            );
        }
        if pending.status == PendingStatus::Pending {
            let debit = reserved.entry(transfer.debit_account_id).or_default();
            debit.0 = debit.0.wrapping_add(transfer.amount);
            let credit = reserved.entry(transfer.credit_account_id).or_default();
            credit.1 = credit.1.wrapping_add(transfer.amount);
        }
    }
    if let Some(id) = opened.first().or(ends.keys().next()) {
        return violated(5, format!("pending transfer {id} has no row"));
    }
    for account in accounts {
        let (debits, credits) = reserved.remove(&account.id).unwrap_or_default();
        if (debits, credits) != (account.debits_pending, account.credits_pending) {
            return violated(
                5,
                format!(
                    "open pendings do not add up to those of account {}",
                    account.id
                ),
            );
        }
    }
    match reserved.keys().next() {
        Some(id) => violated(5, format!("account {id} of a pending transfer is missing")),
        None => Ok(()),
    }
}

/// Invariant 7. Sequences run from 1 without a gap over transfers and events together; timestamps strictly increase
/// among accounts and among transfers, and no timestamp belongs to both kinds.
///
/// # Errors
/// Names the first sequence or timestamp out of order.
pub fn order_holds<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
    transfers: impl IntoIterator<Item = &'a TransferRow>,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), Violation> {
    let mut timestamps = BTreeSet::new();
    let mut last = 0;
    for account in accounts {
        if account.timestamp <= last {
            return violated(7, format!("account {} is out of order", account.id));
        }
        last = account.timestamp;
        timestamps.insert(last);
    }
    let mut sequences = BTreeSet::new();
    let (mut last, mut last_sequence) = (0, 0);
    for row in transfers {
        if row.transfer.timestamp <= last || row.sequence <= last_sequence {
            return violated(7, format!("transfer {} is out of order", row.transfer.id));
        }
        (last, last_sequence) = (row.transfer.timestamp, row.sequence);
        if !timestamps.insert(last) {
            return violated(
                7,
                format!("timestamp {last} belongs to an account and a transfer"),
            );
        }
        sequences.insert(row.sequence);
    }
    for event in events {
        if !sequences.insert(event.sequence) {
            return violated(7, format!("sequence {} occurs twice", event.sequence));
        }
    }
    match (1..)
        .zip(&sequences)
        .find(|(expected, found)| expected != *found)
    {
        Some((expected, _)) => violated(7, format!("sequence {expected} is missing")),
        None => Ok(()),
    }
}
