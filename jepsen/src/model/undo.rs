//! Taking back: a chain that is refused, and a request that was only tried.

use farthing_client::{Account, PendingStatus};

use super::Model;

/// How one change is taken back.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    Clock(u64),
    AccountTime(u64),
    TransferTime(u64),
    /// The slot of an account, its balances and flags.
    Balances(u32, [u128; 4], u16),
    AccountAdded,
    TransferAdded,
    Refused(u128),
    /// The row and what its status was.
    Pending(u32, Option<PendingStatus>),
    DueAdded((u64, u64, u32)),
    DueRemoved((u64, u64, u32)),
}

impl Model {
    /// A point to come back to.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Makes everything so far final.
    pub fn keep(&mut self) {
        self.journal.clear();
    }

    /// Takes back everything since the mark.
    pub fn undo_to(&mut self, mark: usize) {
        while self.journal.len() > mark {
            if let Some(undo) = self.journal.pop() {
                self.undo(undo);
            }
        }
    }

    /// Takes back what a chain did. The clock goes on, and ids that were refused stay used up.
    pub(super) fn undo_chain(&mut self, mark: usize) {
        let mut kept = Vec::new();
        while self.journal.len() > mark {
            match self.journal.pop() {
                Some(undo @ (Undo::Clock(_) | Undo::Refused(_))) => kept.push(undo),
                Some(undo) => self.undo(undo),
                None => break,
            }
        }
        self.journal.extend(kept.into_iter().rev());
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Clock(former) => self.clock = former,
            Undo::AccountTime(former) => self.account_time = former,
            Undo::TransferTime(former) => self.transfer_time = former,
            Undo::Balances(slot, former, flags) => {
                let account = &mut self.accounts[slot as usize];
                [
                    account.debits_pending,
                    account.debits_posted,
                    account.credits_pending,
                    account.credits_posted,
                ] = former;
                account.flags.0 = flags;
            }
            Undo::AccountAdded => {
                if let Some(account) = self.accounts.pop() {
                    self.account_slots.remove(&account.id.0);
                }
            }
            Undo::TransferAdded => self.transfers.pop(),
            Undo::Refused(id) => {
                self.refused.remove(&id);
            }
            Undo::Pending(row, Some(former)) => {
                self.pendings.insert(row, former);
            }
            Undo::Pending(row, None) => {
                self.pendings.remove(&row);
            }
            Undo::DueAdded(due) => {
                self.due.remove(&due);
            }
            Undo::DueRemoved(due) => {
                self.due.insert(due);
            }
        }
    }

    pub(super) fn set_clock(&mut self, now: u64) {
        self.journal.push(Undo::Clock(self.clock));
        self.clock = now;
    }

    /// Changes an account's balances and flags.
    pub(super) fn change_account(&mut self, slot: u32, change: impl FnOnce(&mut Account)) {
        let account = &mut self.accounts[slot as usize];
        let former = [
            account.debits_pending,
            account.debits_posted,
            account.credits_pending,
            account.credits_posted,
        ];
        self.journal
            .push(Undo::Balances(slot, former, account.flags.0));
        change(account);
    }
}
