//! Transfers of the naive model.

mod duplicate;
mod movement;
mod resolution;

use farthing_ledger::{CreateTransferStatus as S, Transfer};

use super::{Answer, Naive, first};

const PENDING: u16 = 2;
const POST: u16 = 4;
const VOID: u16 = 8;
const BALANCING_DEBIT: u16 = 16;
const BALANCING_CREDIT: u16 = 32;
const CLOSING_DEBIT: u16 = 64;
const CLOSING_CREDIT: u16 = 128;
const IMPORTED: u16 = 256;
const ACCOUNT_CLOSED: u16 = 32;

const PASSING: [S; 7] = [
    S::DebitAccountNotFound,
    S::CreditAccountNotFound,
    S::PendingTransferNotFound,
    S::ExceedsCredits,
    S::ExceedsDebits,
    S::DebitAccountAlreadyClosed,
    S::CreditAccountAlreadyClosed,
];

type Broken = Vec<(bool, S)>;

impl Naive {
    pub(super) fn create_transfer(&mut self, item: &Transfer, imports: bool, now: u64) -> Answer {
        let has = |flag: u16| item.flags.0 & flag != 0;
        let imported = has(IMPORTED);
        let timestamp = if imported { item.timestamp } else { now };
        let mut broken = vec![
            (imports && !imported, S::ImportedEventExpected),
            (!imports && imported, S::ImportedEventNotExpected),
            (!imported && item.timestamp != 0, S::TimestampMustBeZero),
            (
                imported && !(1..1 << 63).contains(&item.timestamp),
                S::ImportedEventTimestampOutOfRange,
            ),
            (
                imported && item.timestamp >= now,
                S::ImportedEventTimestampMustNotAdvance,
            ),
            (item.flags.0 >= 512, S::ReservedFlag),
            (item.id.0 == 0, S::IdMustNotBeZero),
            (item.id.0 == u128::MAX, S::IdMustNotBeIntMax),
            (self.refused.contains(&item.id.0), S::IdAlreadyFailed),
        ];
        let existing = self.transfers.get(&item.id.0).copied();
        if let Some(existing) = existing {
            self.compare(item, &existing, &mut broken);
        }
        let regresses = imported
            && (timestamp <= self.last_transfer_time
                || self
                    .accounts
                    .values()
                    .any(|account| account.timestamp == timestamp));
        broken.push((regresses, S::ImportedEventTimestampMustNotRegress));
        // The stored form of the transfer, should nothing be broken.
        let stored = if has(POST) || has(VOID) {
            self.resolution(item, now, &mut broken)
        } else {
            self.movement(item, timestamp, &mut broken)
        };
        let status = first(S::all(), &broken);
        if PASSING.contains(&status) {
            self.refused.insert(item.id.0);
        }
        match (status, existing) {
            (S::Created, _) => {
                self.store(Transfer {
                    timestamp,
                    ..stored
                });
                (timestamp, 0)
            }
            (S::Exists, Some(existing)) => (existing.timestamp, S::Exists.code()),
            _ => (now, status.code()),
        }
    }

    fn store(&mut self, transfer: Transfer) {
        let has = |flag: u16| transfer.flags.0 & flag != 0;
        if has(POST | VOID) {
            self.end(
                transfer.pending_id.0,
                if has(POST) { "posted" } else { "voided" },
            );
        }
        let debit = self.accounts.get_mut(&transfer.debit_account_id.0).unwrap();
        debit.debits_pending += if has(PENDING) { transfer.amount } else { 0 };
        debit.debits_posted += if has(PENDING | VOID) {
            0
        } else {
            transfer.amount
        };
        debit.flags.0 |= if has(CLOSING_DEBIT) {
            ACCOUNT_CLOSED
        } else {
            0
        };
        let credit = self
            .accounts
            .get_mut(&transfer.credit_account_id.0)
            .unwrap();
        credit.credits_pending += if has(PENDING) { transfer.amount } else { 0 };
        credit.credits_posted += if has(PENDING | VOID) {
            0
        } else {
            transfer.amount
        };
        credit.flags.0 |= if has(CLOSING_CREDIT) {
            ACCOUNT_CLOSED
        } else {
            0
        };
        if has(PENDING) {
            self.pendings.insert(transfer.id.0, "pending");
        }
        self.last_transfer_time = transfer.timestamp;
        self.sequence += 1;
        self.transfers.insert(transfer.id.0, transfer);
    }
}

/// A post or void takes from its pending transfer what it leaves zero; accounts, ledger and code are always its own.
fn inherit(item: &Transfer, pending: &Transfer) -> Transfer {
    let mut stored = *item;
    stored.debit_account_id = pending.debit_account_id;
    stored.credit_account_id = pending.credit_account_id;
    stored.ledger = pending.ledger;
    stored.code = pending.code;
    if stored.user_data_128 == 0 {
        stored.user_data_128 = pending.user_data_128;
    }
    if stored.user_data_64 == 0 {
        stored.user_data_64 = pending.user_data_64;
    }
    if stored.user_data_32 == 0 {
        stored.user_data_32 = pending.user_data_32;
    }
    stored
}
