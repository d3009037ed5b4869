//! Single-phase and pending transfers.

use farthing_client::{
    Account, AccountFlags, CreateTransferStatus as Status, PendingStatus, Transfer, TransferFlags,
};

use super::undo::Undo;
use super::{Model, NS_PER_S, Refusal, TIMESTAMP_MAX};

/// Every flag that has a meaning.
const KNOWN_FLAGS: u16 = 0b1_1111_1111;

/// The id was refused for a passing reason before.
pub(super) const ID_ALREADY_FAILED: u32 = Status::IdAlreadyFailed as u32;

/// Refusals that depend on the state at the time use up the id.
pub(super) fn is_passing(status: Refusal) -> bool {
    const PASSING: [Status; 7] = [
        Status::DebitAccountNotFound,
        Status::CreditAccountNotFound,
        Status::PendingTransferNotFound,
        Status::DebitAccountAlreadyClosed,
        Status::CreditAccountAlreadyClosed,
        Status::ExceedsCredits,
        Status::ExceedsDebits,
    ];
    PASSING.iter().any(|passing| passing.code() == status)
}

/// Refuses with the status of the first condition that holds.
macro_rules! refuse_if {
    ($($condition:expr => $status:ident,)+) => {
        $( if $condition { return Err(Status::$status.code()); } )+
    };
}
pub(super) use refuse_if;

/// What can be said of an item alone; its timestamp if nothing is wrong.
pub(super) fn check_identity(item: &Transfer, mode: bool, now: u64) -> Result<u64, Refusal> {
    let imported = item.flags.contains(TransferFlags::IMPORTED);
    refuse_if! {
        mode && !imported => ImportedEventExpected,
        imported && !mode => ImportedEventNotExpected,
        !imported && item.timestamp != 0 => TimestampMustBeZero,
        imported && (item.timestamp == 0 || item.timestamp > TIMESTAMP_MAX)
            => ImportedEventTimestampOutOfRange,
        imported && item.timestamp >= now => ImportedEventTimestampMustNotAdvance,
        item.flags.0 & !KNOWN_FLAGS != 0 => ReservedFlag,
        item.id.0 == 0 => IdMustNotBeZero,
        item.id.0 == u128::MAX => IdMustNotBeIntMax,
    }
    Ok(if imported { item.timestamp } else { now })
}

fn check_fields(item: &Transfer) -> Result<(), Refusal> {
    let (debit, credit) = (item.debit_account_id.0, item.credit_account_id.0);
    let pending = item.flags.contains(TransferFlags::PENDING);
    let closing = TransferFlags::CLOSING_DEBIT.with(TransferFlags::CLOSING_CREDIT);
    refuse_if! {
        debit == 0 => DebitAccountIdMustNotBeZero,
        debit == u128::MAX => DebitAccountIdMustNotBeIntMax,
        credit == 0 => CreditAccountIdMustNotBeZero,
        credit == u128::MAX => CreditAccountIdMustNotBeIntMax,
        debit == credit => AccountsMustBeDifferent,
        item.pending_id.0 != 0 => PendingIdMustBeZero,
        !pending && item.timeout != 0 => TimeoutReservedForPendingTransfer,
        !pending && item.flags.intersects(closing) => ClosingTransferMustBePending,
        item.ledger == 0 => LedgerMustNotBeZero,
        item.code == 0 => CodeMustNotBeZero,
    }
    Ok(())
}

/// What the balancing flags leave of the amount asked for.
fn balanced(item: &Transfer, debit: &Account, credit: &Account) -> u128 {
    let mut amount = item.amount;
    if item.flags.contains(TransferFlags::BALANCING_DEBIT) {
        let used = debit.debits_posted.saturating_add(debit.debits_pending);
        amount = amount.min(debit.credits_posted.saturating_sub(used));
    }
    if item.flags.contains(TransferFlags::BALANCING_CREDIT) {
        let used = credit.credits_posted.saturating_add(credit.credits_pending);
        amount = amount.min(credit.debits_posted.saturating_sub(used));
    }
    amount
}

fn check_amount(
    item: &Transfer,
    amount: u128,
    debit: &Account,
    credit: &Account,
    timestamp: u64,
) -> Result<(), Refusal> {
    let pending = item.flags.contains(TransferFlags::PENDING);
    let overflows = |terms: &[u128]| {
        let sum = terms
            .iter()
            .try_fold(amount, |sum, term| sum.checked_add(*term));
        sum.is_none()
    };
    let expiry = u128::from(timestamp) + u128::from(item.timeout) * u128::from(NS_PER_S);
    refuse_if! {
        pending && overflows(&[debit.debits_pending]) => OverflowsDebitsPending,
        pending && overflows(&[credit.credits_pending]) => OverflowsCreditsPending,
        overflows(&[debit.debits_posted]) => OverflowsDebitsPosted,
        overflows(&[credit.credits_posted]) => OverflowsCreditsPosted,
        overflows(&[debit.debits_pending, debit.debits_posted]) => OverflowsDebits,
        overflows(&[credit.credits_pending, credit.credits_posted]) => OverflowsCredits,
        expiry > u128::from(TIMESTAMP_MAX) => OverflowsTimeout,
        debit.flags.contains(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS)
            && debit.debits_pending + debit.debits_posted + amount > debit.credits_posted
            => ExceedsCredits,
        credit.flags.contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
            && credit.credits_pending + credit.credits_posted + amount > credit.debits_posted
            => ExceedsDebits,
    }
    Ok(())
}

impl Model {
    /// A single-phase or pending transfer whose id is new.
    pub(super) fn move_amount(&mut self, item: &Transfer, timestamp: u64) -> Result<(), Refusal> {
        check_fields(item)?;
        let slot = |id: u128| self.account_slots.get(&id).copied();
        let Some(debit_slot) = slot(item.debit_account_id.0) else {
            return Err(Status::DebitAccountNotFound.code());
        };
        let Some(credit_slot) = slot(item.credit_account_id.0) else {
            return Err(Status::CreditAccountNotFound.code());
        };
        let debit = self.accounts[debit_slot as usize];
        let credit = self.accounts[credit_slot as usize];
        let imported = item.flags.contains(TransferFlags::IMPORTED);
        refuse_if! {
            debit.ledger != credit.ledger => AccountsMustHaveTheSameLedger,
            item.ledger != debit.ledger => TransferMustHaveTheSameLedgerAsAccounts,
        }
        if imported {
            self.check_imported(timestamp)?;
            refuse_if! {
                timestamp <= debit.timestamp => ImportedEventTimestampMustPostdateDebitAccount,
                timestamp <= credit.timestamp => ImportedEventTimestampMustPostdateCreditAccount,
                item.timeout != 0 => ImportedEventTimeoutMustBeZero,
            }
        }
        refuse_if! {
            debit.flags.contains(AccountFlags::CLOSED) => DebitAccountAlreadyClosed,
            credit.flags.contains(AccountFlags::CLOSED) => CreditAccountAlreadyClosed,
        }
        let amount = balanced(item, &debit, &credit);
        check_amount(item, amount, &debit, &credit, timestamp)?;

        let pending = item.flags.contains(TransferFlags::PENDING);
        let closes = |flag| item.flags.contains(flag);
        self.change_account(debit_slot, |account| {
            *(if pending {
                &mut account.debits_pending
            } else {
                &mut account.debits_posted
            }) += amount;
            if closes(TransferFlags::CLOSING_DEBIT) {
                account.flags = account.flags.with(AccountFlags::CLOSED);
            }
        });
        self.change_account(credit_slot, |account| {
            *(if pending {
                &mut account.credits_pending
            } else {
                &mut account.credits_posted
            }) += amount;
            if closes(TransferFlags::CLOSING_CREDIT) {
                account.flags = account.flags.with(AccountFlags::CLOSED);
            }
        });
        let row = self.add_transfer(&Transfer {
            amount,
            timestamp,
            ..*item
        });
        if pending {
            self.set_pending(row, PendingStatus::Pending);
            if item.timeout != 0 {
                let due = (
                    timestamp + u64::from(item.timeout) * NS_PER_S,
                    timestamp,
                    row,
                );
                self.due.insert(due);
                self.journal.push(Undo::DueAdded(due));
            }
        }
        Ok(())
    }

    pub(super) fn check_imported(&self, timestamp: u64) -> Result<(), Refusal> {
        refuse_if! {
            timestamp <= self.transfer_time || self.account_at(timestamp)
                => ImportedEventTimestampMustNotRegress,
        }
        Ok(())
    }

    pub(super) fn add_transfer(&mut self, transfer: &Transfer) -> u32 {
        let row = self.transfers.push(transfer);
        self.journal.push(Undo::TransferAdded);
        self.journal.push(Undo::TransferTime(self.transfer_time));
        self.transfer_time = transfer.timestamp;
        row
    }

    pub(super) fn set_pending(&mut self, row: u32, status: PendingStatus) {
        let former = self.pendings.insert(row, status);
        self.journal.push(Undo::Pending(row, former));
    }
}
