//! The three ends of a pending transfer: post, void, expire.

use farthing_client::{
    AMOUNT_MAX, AccountFlags, AccountId, CreateTransferStatus as Status, PendingStatus, Transfer,
    TransferFlags,
};

use super::movement::refuse_if;
use super::undo::Undo;
use super::{Model, NS_PER_S, Refusal};

/// What a post or a void means: what it leaves open is as in its pending transfer.
pub(super) fn meant(item: &Transfer, pending: &Transfer) -> Transfer {
    let mut meant = *item;
    if meant.debit_account_id == AccountId(0) {
        meant.debit_account_id = pending.debit_account_id;
    }
    if meant.credit_account_id == AccountId(0) {
        meant.credit_account_id = pending.credit_account_id;
    }
    let voids = item.flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
    if item.amount == if voids { 0 } else { AMOUNT_MAX } {
        meant.amount = pending.amount;
    }
    if meant.user_data_128 == 0 {
        meant.user_data_128 = pending.user_data_128;
    }
    if meant.user_data_64 == 0 {
        meant.user_data_64 = pending.user_data_64;
    }
    if meant.user_data_32 == 0 {
        meant.user_data_32 = pending.user_data_32;
    }
    if meant.ledger == 0 {
        meant.ledger = pending.ledger;
    }
    if meant.code == 0 {
        meant.code = pending.code;
    }
    meant
}

impl Model {
    /// A post or void whose id is new. `now` is its tick: expiry is judged by it, also when it is imported.
    pub(super) fn resolve(
        &mut self,
        item: &Transfer,
        timestamp: u64,
        now: u64,
    ) -> Result<(), Refusal> {
        let posts = item.flags.contains(TransferFlags::POST_PENDING_TRANSFER);
        let voids = item.flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
        let foreign = TransferFlags::PENDING
            .with(TransferFlags::BALANCING_DEBIT)
            .with(TransferFlags::BALANCING_CREDIT)
            .with(TransferFlags::CLOSING_DEBIT)
            .with(TransferFlags::CLOSING_CREDIT);
        refuse_if! {
            posts && voids || item.flags.intersects(foreign) => FlagsAreMutuallyExclusive,
            item.pending_id.0 == 0 => PendingIdMustNotBeZero,
            item.pending_id.0 == u128::MAX => PendingIdMustNotBeIntMax,
            item.pending_id == item.id => PendingIdMustBeDifferent,
            item.timeout != 0 => TimeoutReservedForPendingTransfer,
        }
        let Some(row) = self.transfers.find(item.pending_id.0) else {
            return Err(Status::PendingTransferNotFound.code());
        };
        let Some(status) = self.pendings.get(&row).copied() else {
            return Err(Status::PendingTransferNotPending.code());
        };
        let pending = self.transfers.get(row);
        let meant = meant(item, &pending);
        let expiry = pending.timestamp + u64::from(pending.timeout) * NS_PER_S;
        refuse_if! {
            meant.debit_account_id != pending.debit_account_id
                => PendingTransferHasDifferentDebitAccountId,
            meant.credit_account_id != pending.credit_account_id
                => PendingTransferHasDifferentCreditAccountId,
            meant.ledger != pending.ledger => PendingTransferHasDifferentLedger,
            meant.code != pending.code => PendingTransferHasDifferentCode,
            meant.amount > pending.amount => ExceedsPendingTransferAmount,
            voids && meant.amount != pending.amount => PendingTransferHasDifferentAmount,
            status == PendingStatus::Posted => PendingTransferAlreadyPosted,
            status == PendingStatus::Voided => PendingTransferAlreadyVoided,
            status == PendingStatus::Expired => PendingTransferExpired,
            pending.timeout != 0 && expiry <= now => PendingTransferExpired,
        }
        if item.flags.contains(TransferFlags::IMPORTED) {
            self.check_imported(timestamp)?;
        }
        let (debit_slot, credit_slot) = self.slots(&pending);
        let closed = |slot: u32| {
            self.accounts[slot as usize]
                .flags
                .contains(AccountFlags::CLOSED)
        };
        refuse_if! {
            posts && closed(debit_slot) => DebitAccountAlreadyClosed,
            posts && closed(credit_slot) => CreditAccountAlreadyClosed,
        }

        if posts {
            self.release(row, PendingStatus::Posted);
            self.change_account(debit_slot, |account| account.debits_posted += meant.amount);
            self.change_account(credit_slot, |account| {
                account.credits_posted += meant.amount
            });
        } else {
            self.release(row, PendingStatus::Voided);
        }
        self.add_transfer(&Transfer { timestamp, ..meant });
        Ok(())
    }

    /// Ends a pending transfer: its reservation goes, and what it closed opens again.
    pub(super) fn release(&mut self, row: u32, end: PendingStatus) {
        let pending = self.transfers.get(row);
        let (debit_slot, credit_slot) = self.slots(&pending);
        self.change_account(debit_slot, |account| {
            account.debits_pending -= pending.amount;
            if pending.flags.contains(TransferFlags::CLOSING_DEBIT) {
                account.flags = account.flags.without(AccountFlags::CLOSED);
            }
        });
        self.change_account(credit_slot, |account| {
            account.credits_pending -= pending.amount;
            if pending.flags.contains(TransferFlags::CLOSING_CREDIT) {
                account.flags = account.flags.without(AccountFlags::CLOSED);
            }
        });
        self.set_pending(row, end);
        if pending.timeout != 0 {
            let expiry = pending.timestamp + u64::from(pending.timeout) * NS_PER_S;
            let due = (expiry, pending.timestamp, row);
            if self.due.remove(&due) {
                self.journal.push(Undo::DueRemoved(due));
            }
        }
    }

    fn slots(&self, transfer: &Transfer) -> (u32, u32) {
        let slot = |id: AccountId| self.account_slots[&id.0];
        (
            slot(transfer.debit_account_id),
            slot(transfer.credit_account_id),
        )
    }
}
