//! Accounts, transfers and pending transfers of the entry.

use crate::account::Account;
use crate::changes::{AccountChange, PendingChange, TransferRow};
use crate::ids::{AccountId, TransferId};
use crate::pending::Pending;
use crate::transfer::Transfer;

use super::journal::Undo;
use super::{Broken, Overlay, REFUSED, Seen, View, next, slot_number};

impl<V: View> Overlay<'_, V> {
    /// The slot of an account that exists.
    #[inline]
    pub(in crate::state) fn find_account(&mut self, id: AccountId) -> Option<usize> {
        if let Some(slot) = self.maps.accounts.get(id.0) {
            let slot = slot as usize;
            return (self.accounts[slot].after.id == id).then_some(slot);
        }
        let account = self.view.account(id)?;
        let slot = self.accounts.len();
        self.maps.accounts.insert(id.0, slot_number(slot));
        self.accounts.push(AccountChange {
            before: Some(account),
            after: account,
        });
        Some(slot)
    }

    #[inline]
    pub(in crate::state) fn account(&self, slot: usize) -> &Account {
        &self.accounts[slot].after
    }

    #[inline]
    pub(in crate::state) fn set_account(&mut self, slot: usize, account: Account) {
        self.journal(|overlay| Undo::Account {
            slot,
            former: overlay.accounts[slot].after,
        });
        self.accounts[slot].after = account;
    }

    /// Adds an account that [`Self::find_account`] did not find.
    pub(in crate::state) fn add_account(&mut self, account: Account) -> Result<(), Broken> {
        if account.timestamp <= self.clock.account_timestamp {
            return Err(Broken::TimestampRegresses {
                timestamp: account.timestamp,
            });
        }
        // Always a new slot, also when the id has one from a creation that was rolled back: new accounts leave the
        // entry in the order of their timestamps.
        let slot = self.accounts.len();
        self.maps.accounts.insert(account.id.0, slot_number(slot));
        self.accounts.push(AccountChange {
            before: None,
            after: Account::default(),
        });
        self.set_account(slot, account);
        self.account_times.push(account.timestamp);
        self.clock.account_timestamp = account.timestamp;
        self.clock.account_count = next(self.clock.account_count)?;
        Ok(())
    }

    /// True when an account has this timestamp.
    pub(in crate::state) fn account_at(&self, timestamp: u64) -> bool {
        self.account_times.binary_search(&timestamp).is_ok() || self.view.account_at(timestamp)
    }

    #[inline]
    pub(in crate::state) fn seen(&self, id: TransferId) -> Option<Seen> {
        match self.maps.transfers.get(id.0) {
            None => self.view.transfer(id),
            Some(REFUSED) => Some(Seen::Refused),
            Some(slot) => {
                let row = &self.transfers[slot as usize];
                Some(Seen::Applied {
                    transfer: row.transfer,
                    sequence: row.sequence,
                })
            }
        }
    }

    /// Adds a transfer that was not seen before and returns its sequence.
    #[inline]
    pub(in crate::state) fn add_transfer(
        &mut self,
        transfer: Transfer,
        debit: usize,
        credit: usize,
    ) -> Result<u64, Broken> {
        if transfer.timestamp <= self.clock.transfer_timestamp {
            return Err(Broken::TimestampRegresses {
                timestamp: transfer.timestamp,
            });
        }
        let sequence = next(self.clock.sequence)?;
        self.clock.sequence = sequence;
        self.clock.transfer_timestamp = transfer.timestamp;
        self.clock.transfer_count = next(self.clock.transfer_count)?;
        self.maps
            .transfers
            .insert(transfer.id.0, slot_number(self.transfers.len()));
        self.journal(|_| Undo::Transfer);
        self.transfers.push(TransferRow {
            sequence,
            transfer,
            debit_after: self.accounts[debit].after.balances(),
            credit_after: self.accounts[credit].after.balances(),
        });
        Ok(sequence)
    }

    /// Uses up an id that was not seen before. Never undone.
    pub(in crate::state) fn refuse(&mut self, id: TransferId) -> Result<(), Broken> {
        self.maps.transfers.insert(id.0, REFUSED);
        self.refused.push(id);
        self.clock.refused_count = next(self.clock.refused_count)?;
        Ok(())
    }

    /// True when a transfer has this timestamp. Those of the entry are in order of time.
    pub(in crate::state) fn transfer_at(&self, timestamp: u64) -> bool {
        self.transfers
            .binary_search_by_key(&timestamp, |row| row.transfer.timestamp)
            .is_ok()
            || self.view.transfer_at(timestamp)
    }

    /// The slot of a pending transfer that exists.
    pub(in crate::state) fn find_pending(&mut self, id: TransferId) -> Option<usize> {
        if let Some(slot) = self.maps.pendings.get(id.0) {
            let slot = slot as usize;
            return (self.pendings[slot].after.transfer.id == id).then_some(slot);
        }
        let pending = self.view.pending(id)?;
        Some(self.load_pending(pending))
    }

    /// The slot of a pending transfer the view has given unasked.
    pub(in crate::state) fn load_pending(&mut self, pending: Pending) -> usize {
        let id = pending.transfer.id.0;
        if let Some(slot) = self.maps.pendings.get(id) {
            return slot as usize;
        }
        let slot = self.pendings.len();
        self.maps.pendings.insert(id, slot_number(slot));
        self.pendings.push(PendingChange {
            before: Some(pending),
            after: pending,
        });
        slot
    }

    pub(in crate::state) fn pending(&self, slot: usize) -> &Pending {
        &self.pendings[slot].after
    }

    pub(in crate::state) fn set_pending(&mut self, slot: usize, pending: Pending) {
        self.journal(|overlay| Undo::Pending {
            slot,
            former: overlay.pendings[slot].after,
        });
        self.pendings[slot].after = pending;
    }

    /// Adds a pending transfer that was not there.
    pub(in crate::state) fn add_pending(&mut self, pending: Pending) -> Result<(), Broken> {
        let id = pending.transfer.id.0;
        let slot = self.pendings.len();
        self.maps.pendings.insert(id, slot_number(slot));
        let none = Pending {
            transfer: Transfer::default(),
            ..pending
        };
        self.pendings.push(PendingChange {
            before: None,
            after: none,
        });
        self.set_pending(slot, pending);
        self.clock.pending_count = next(self.clock.pending_count)?;
        Ok(())
    }

    /// What is due, without regard to what the entry has changed.
    pub(in crate::state) fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        self.view.due(now, limit)
    }
}
