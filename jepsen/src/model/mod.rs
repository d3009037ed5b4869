//! An executable model of the ledger: what every request must be answered, and what every account must hold after it.
//!
//! Written from the documented rules and statuses, not from the code under test, and simple where that code is fast:
//! one item after the other, every change noted so that it can be taken back. It knows no log, no replication and no
//! clock: the caller says at which tick a request begins, because the cluster's answers carry the ticks, and when a
//! transfer that is due expires, because that shows only in what is read later.
//!
//! Start at [`Model::request`].

mod accounts;
mod existing;
mod listing;
mod movement;
mod second_phase;
mod store;
mod undo;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use farthing_client::{Account, AccountFlags, PendingStatus, Transfer, TransferFlags};

use crate::hash::{FastMap, FastSet};
use crate::history::{Lookup, Outcome};
pub use listing::Stretch;
use store::Store;
use undo::Undo;

/// Another item of the chain was refused; the same number for every kind of item.
const LINKED_EVENT_FAILED: u32 = 1;
/// The request ends inside a chain; the same number for every kind of item.
const LINKED_EVENT_CHAIN_OPEN: u32 = 2;
/// Timestamps are positive numbers of 63 bits.
const TIMESTAMP_MAX: u64 = (1 << 63) - 1;
/// Timeouts are in seconds, timestamps in ns.
const NS_PER_S: u64 = 1_000_000_000;

/// The items of one request.
#[derive(Clone, Copy, Debug)]
pub enum Items<'a> {
    /// Accounts to create.
    Accounts(&'a [Account]),
    /// Transfers to create.
    Transfers(&'a [Transfer]),
}

impl Items<'_> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Accounts(items) => items.len(),
            Self::Transfers(items) => items.len(),
        }
    }

    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_linked(&self, item: usize) -> bool {
        match self {
            Self::Accounts(items) => items[item].flags.contains(AccountFlags::LINKED),
            Self::Transfers(items) => items[item].flags.contains(TransferFlags::LINKED),
        }
    }

    fn is_imported(&self, item: usize) -> bool {
        match self {
            Self::Accounts(items) => items[item].flags.contains(AccountFlags::IMPORTED),
            Self::Transfers(items) => items[item].flags.contains(TransferFlags::IMPORTED),
        }
    }
}

/// A refusal: the number of its status.
type Refusal = u32;

/// A ledger.
#[derive(Debug, Default)]
pub struct Model {
    /// ns; the last tick.
    clock: u64,
    /// ns; of the newest account, for imported ones.
    account_time: u64,
    /// ns; of the newest transfer, for imported ones.
    transfer_time: u64,
    accounts: Vec<Account>,
    account_slots: FastMap<u128, u32>,
    transfers: Store,
    /// Ids used up by a refusal.
    refused: FastSet<u128>,
    pendings: FastMap<u32, PendingStatus>,
    /// Open pending transfers that will expire: (expiry, timestamp, row).
    due: BTreeSet<(u64, u64, u32)>,
    journal: Vec<Undo>,
    outcomes: Vec<Outcome>,
}

impl Model {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one request whose first item has the tick `first`, ns, and every further item the next one. The answers
    /// are valid until the next request.
    pub fn request(&mut self, items: Items<'_>, first: u64) -> &[Outcome] {
        self.outcomes.clear();
        let mode = !items.is_empty() && items.is_imported(0);
        // Where an open chain began: its first item, the journal before it, and whether it is broken.
        let mut chain: Option<(usize, usize, bool)> = None;
        for item in 0..items.len() {
            let now = first + item as u64;
            self.set_clock(now);
            let linked = items.is_linked(item);
            let last = item + 1 == items.len();
            if linked && chain.is_none() {
                chain = Some((item, self.journal.len(), false));
            }
            let broken = chain.is_some_and(|(_, _, broken)| broken);
            let outcome = if linked && last {
                Outcome(LINKED_EVENT_CHAIN_OPEN, now)
            } else if broken {
                Outcome(LINKED_EVENT_FAILED, now)
            } else {
                match items {
                    Items::Accounts(list) => self.create_account(&list[item], mode, now),
                    Items::Transfers(list) => self.create_transfer(&list[item], mode, now),
                }
            };
            self.outcomes.push(outcome);
            if let Some((began, mark, broken)) = chain {
                if outcome.status() != 0 && !broken {
                    self.undo_chain(mark);
                    for member in began..item {
                        self.outcomes[member] = Outcome(LINKED_EVENT_FAILED, first + member as u64);
                    }
                    chain = Some((began, mark, true));
                }
                if !linked || last {
                    chain = None;
                }
            }
        }
        &self.outcomes
    }

    /// The answers to the last request.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Lets the transfer that is due first expire, if its expiry is not after `until`, ns. The cluster expires in the
    /// order of (expiry, timestamp); false when nothing is left to expire.
    pub fn expire_next(&mut self, until: u64) -> bool {
        let Some((expiry, _, row)) = self.due.first().copied() else {
            return false;
        };
        if expiry > until {
            return false;
        }
        self.release(row, PendingStatus::Expired);
        true
    }

    /// Uses up an id of a transfer, because an attempt whose answer nobody saw was refused.
    pub fn refuse(&mut self, id: u128) {
        if self.refused.insert(id) {
            self.journal.push(Undo::Refused(id));
        }
    }

    /// An account as it stands.
    #[must_use]
    pub fn account(&self, id: u128) -> Option<&Account> {
        let slot = self.account_slots.get(&id)?;
        self.accounts.get(*slot as usize)
    }

    /// All accounts, in order of creation.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What is known of a transfer's id.
    #[must_use]
    pub fn lookup(&self, id: u128) -> Lookup {
        match self.transfers.find(id) {
            Some(row) => Lookup::Found(self.transfers.get(row)),
            None if self.refused.contains(&id) => Lookup::Refused,
            None => Lookup::Absent,
        }
    }

    /// Where a pending transfer stands; `None` when there is no such pending transfer.
    #[must_use]
    pub fn pending(&self, id: u128) -> Option<PendingStatus> {
        self.pendings.get(&self.transfers.find(id)?).copied()
    }

    /// Number of transfers.
    #[must_use]
    pub fn transfer_count(&self) -> usize {
        self.transfers.len()
    }

    /// All transfers, in order of creation.
    pub fn transfers(&self) -> impl Iterator<Item = Transfer> {
        (0..self.transfers.len()).map(|row| self.transfers.get(row as u32))
    }

    fn create_transfer(&mut self, item: &Transfer, mode: bool, now: u64) -> Outcome {
        match self.try_transfer(item, mode, now) {
            Ok(outcome) => outcome,
            Err(status) => {
                if movement::is_passing(status) {
                    self.refuse(item.id.0);
                }
                Outcome(status, now)
            }
        }
    }

    fn try_transfer(&mut self, item: &Transfer, mode: bool, now: u64) -> Result<Outcome, Refusal> {
        let timestamp = movement::check_identity(item, mode, now)?;
        if let Some(row) = self.transfers.find(item.id.0) {
            return self
                .compare_transfer(item, row)
                .map(|existing| Outcome(existing.0, existing.1));
        }
        if self.refused.contains(&item.id.0) {
            return Err(movement::ID_ALREADY_FAILED);
        }
        let ends = TransferFlags::POST_PENDING_TRANSFER.with(TransferFlags::VOID_PENDING_TRANSFER);
        if item.flags.intersects(ends) {
            self.resolve(item, timestamp, now)?;
        } else {
            self.move_amount(item, timestamp)?;
        }
        Ok(Outcome(0, timestamp))
    }
}
