//! Undoing a chain: former values, newest first. Used-up ids stay: a refusal is remembered also when its chain rolls
//! back, and the time that has passed has passed.

use crate::account::Account;
use crate::ledger::Ledger;
use crate::pending::Pending;
use crate::record::{NamespaceTotals, Record, RecordKey};

use super::{Clock, Overlay, View};

/// A former value.
pub(super) enum Undo {
    Account {
        slot: usize,
        former: Account,
    },
    Transfer,
    Pending {
        slot: usize,
        former: Pending,
    },
    Ledger {
        ledger: u32,
        former: Option<Ledger>,
    },
    Record {
        key: RecordKey,
        former: Option<Box<Record>>,
    },
    Namespace {
        namespace: u32,
        former: Option<NamespaceTotals>,
    },
}

/// Where a chain began.
pub(super) struct Mark {
    clock: Clock,
    events: usize,
    account_times: usize,
}

impl<V: View> Overlay<'_, V> {
    pub(in crate::state) fn begin_chain(&mut self) {
        self.journal.clear();
        self.chain = Some(Mark {
            clock: self.clock,
            events: self.events.len(),
            account_times: self.account_times.len(),
        });
    }

    pub(in crate::state) fn keep_chain(&mut self) {
        self.chain = None;
    }

    /// Undoes everything since the chain began, except the passing of time and the refusals.
    pub(in crate::state) fn undo_chain(&mut self) {
        let Some(mark) = self.chain.take() else {
            return;
        };
        if crate::planted("chain-not-undone") {
            return;
        }
        while let Some(undo) = self.journal.pop() {
            match undo {
                Undo::Account { slot, former } => self.accounts[slot].after = former,
                Undo::Transfer => {
                    if let Some(row) = self.transfers.pop() {
                        self.maps.transfers.remove(row.transfer.id.0);
                    }
                }
                Undo::Pending { slot, former } => self.pendings[slot].after = former,
                Undo::Ledger { ledger, former } => {
                    if let Some(pair) = self.ledgers.get_mut(&ledger) {
                        pair.1 = former;
                    }
                }
                Undo::Record { key, former } => {
                    if let Some(pair) = self.records.get_mut(&key) {
                        pair.1 = former.map(|record| *record);
                    }
                }
                Undo::Namespace { namespace, former } => {
                    if let Some(pair) = self.namespaces.get_mut(&namespace) {
                        pair.1 = former;
                    }
                }
            }
        }
        self.events.truncate(mark.events);
        self.account_times.truncate(mark.account_times);
        let Clock {
            timestamp,
            refused_count,
            ..
        } = self.clock;
        self.clock = Clock {
            timestamp,
            refused_count,
            ..mark.clock
        };
    }

    pub(super) fn journal(&mut self, undo: impl FnOnce(&Self) -> Undo) {
        if self.chain.is_some() {
            let undo = undo(self);
            self.journal.push(undo);
        }
    }
}
