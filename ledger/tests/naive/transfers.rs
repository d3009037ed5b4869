//! Transfers of the naive model.

use farthing_ledger::{Account, CreateTransferStatus as S, Transfer};

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

    fn compare(&self, item: &Transfer, existing: &Transfer, broken: &mut Broken) {
        broken.extend([
            (item.flags != existing.flags, S::ExistsWithDifferentFlags),
            (
                item.pending_id != existing.pending_id,
                S::ExistsWithDifferentPendingId,
            ),
            (
                item.timeout != existing.timeout,
                S::ExistsWithDifferentTimeout,
            ),
        ]);
        // What a post or void would have been stored as, if it is one of the same pending transfer.
        let mut meant = *item;
        if let Some(pending) = self.transfers.get(&item.pending_id.0)
            && item.flags.0 & (POST | VOID) != 0
        {
            meant = inherit(item, pending);
            if item.flags.0 & VOID != 0 && item.amount == 0
                || item.flags.0 & VOID == 0 && item.amount == u128::MAX
            {
                meant.amount = pending.amount;
            }
            meant.ledger = if item.ledger == 0 {
                existing.ledger
            } else {
                item.ledger
            };
            meant.code = if item.code == 0 {
                existing.code
            } else {
                item.code
            };
            meant.debit_account_id = if item.debit_account_id.0 == 0 {
                existing.debit_account_id
            } else {
                item.debit_account_id
            };
            meant.credit_account_id = if item.credit_account_id.0 == 0 {
                existing.credit_account_id
            } else {
                item.credit_account_id
            };
        }
        let balancing = item.flags.0 & (BALANCING_DEBIT | BALANCING_CREDIT) != 0;
        let other_amount = if balancing {
            meant.amount < existing.amount
        } else {
            meant.amount != existing.amount
        };
        broken.extend([
            (
                meant.debit_account_id != existing.debit_account_id,
                S::ExistsWithDifferentDebitAccountId,
            ),
            (
                meant.credit_account_id != existing.credit_account_id,
                S::ExistsWithDifferentCreditAccountId,
            ),
            (other_amount, S::ExistsWithDifferentAmount),
            (
                meant.user_data_128 != existing.user_data_128,
                S::ExistsWithDifferentUserData128,
            ),
            (
                meant.user_data_64 != existing.user_data_64,
                S::ExistsWithDifferentUserData64,
            ),
            (
                meant.user_data_32 != existing.user_data_32,
                S::ExistsWithDifferentUserData32,
            ),
            (
                meant.ledger != existing.ledger,
                S::ExistsWithDifferentLedger,
            ),
            (meant.code != existing.code, S::ExistsWithDifferentCode),
            (true, S::Exists),
        ]);
    }

    /// Single-phase and pending transfers.
    fn movement(&self, item: &Transfer, timestamp: u64, broken: &mut Broken) -> Transfer {
        let has = |flag: u16| item.flags.0 & flag != 0;
        broken.extend([
            (item.debit_account_id.0 == 0, S::DebitAccountIdMustNotBeZero),
            (
                item.debit_account_id.0 == u128::MAX,
                S::DebitAccountIdMustNotBeIntMax,
            ),
            (
                item.credit_account_id.0 == 0,
                S::CreditAccountIdMustNotBeZero,
            ),
            (
                item.credit_account_id.0 == u128::MAX,
                S::CreditAccountIdMustNotBeIntMax,
            ),
            (
                item.debit_account_id == item.credit_account_id,
                S::AccountsMustBeDifferent,
            ),
            (item.pending_id.0 != 0, S::PendingIdMustBeZero),
            (
                !has(PENDING) && item.timeout != 0,
                S::TimeoutReservedForPendingTransfer,
            ),
            (
                !has(PENDING) && has(CLOSING_DEBIT | CLOSING_CREDIT),
                S::ClosingTransferMustBePending,
            ),
            (item.ledger == 0, S::LedgerMustNotBeZero),
            (item.code == 0, S::CodeMustNotBeZero),
        ]);
        let debit = self.accounts.get(&item.debit_account_id.0);
        let credit = self.accounts.get(&item.credit_account_id.0);
        broken.push((debit.is_none(), S::DebitAccountNotFound));
        broken.push((credit.is_none(), S::CreditAccountNotFound));
        let (Some(debit), Some(credit)) = (debit, credit) else {
            return *item;
        };
        broken.extend([
            (
                debit.ledger != credit.ledger,
                S::AccountsMustHaveTheSameLedger,
            ),
            (
                item.ledger != debit.ledger,
                S::TransferMustHaveTheSameLedgerAsAccounts,
            ),
            (
                has(IMPORTED) && timestamp <= debit.timestamp,
                S::ImportedEventTimestampMustPostdateDebitAccount,
            ),
            (
                has(IMPORTED) && timestamp <= credit.timestamp,
                S::ImportedEventTimestampMustPostdateCreditAccount,
            ),
            (
                has(IMPORTED) && item.timeout != 0,
                S::ImportedEventTimeoutMustBeZero,
            ),
            (
                debit.flags.0 & ACCOUNT_CLOSED != 0,
                S::DebitAccountAlreadyClosed,
            ),
            (
                credit.flags.0 & ACCOUNT_CLOSED != 0,
                S::CreditAccountAlreadyClosed,
            ),
        ]);
        let mut amount = item.amount;
        if has(BALANCING_DEBIT) {
            amount = amount.min(left(
                debit.credits_posted,
                debit.debits_posted,
                debit.debits_pending,
            ));
        }
        if has(BALANCING_CREDIT) {
            amount = amount.min(left(
                credit.debits_posted,
                credit.credits_posted,
                credit.credits_pending,
            ));
        }
        let over = |parts: &[u128]| total(parts).is_none();
        let debits = [debit.debits_pending, debit.debits_posted, amount];
        let credits = [credit.credits_pending, credit.credits_posted, amount];
        let expiry = u128::from(timestamp) + u128::from(item.timeout) * 1_000_000_000;
        broken.extend([
            (
                has(PENDING) && over(&[debit.debits_pending, amount]),
                S::OverflowsDebitsPending,
            ),
            (
                has(PENDING) && over(&[credit.credits_pending, amount]),
                S::OverflowsCreditsPending,
            ),
            (
                over(&[debit.debits_posted, amount]),
                S::OverflowsDebitsPosted,
            ),
            (
                over(&[credit.credits_posted, amount]),
                S::OverflowsCreditsPosted,
            ),
            (over(&debits), S::OverflowsDebits),
            (over(&credits), S::OverflowsCredits),
            (expiry >= 1 << 63, S::OverflowsTimeout),
            (
                debit.flags.0 & 2 != 0
                    && total(&debits).is_none_or(|all| all > debit.credits_posted),
                S::ExceedsCredits,
            ),
            (
                credit.flags.0 & 4 != 0
                    && total(&credits).is_none_or(|all| all > credit.debits_posted),
                S::ExceedsDebits,
            ),
        ]);
        Transfer { amount, ..*item }
    }

    /// Posts and voids.
    fn resolution(&self, item: &Transfer, now: u64, broken: &mut Broken) -> Transfer {
        let has = |flag: u16| item.flags.0 & flag != 0;
        let foreign = PENDING | BALANCING_DEBIT | BALANCING_CREDIT | CLOSING_DEBIT | CLOSING_CREDIT;
        broken.extend([
            (
                has(POST) && has(VOID) || has(foreign),
                S::FlagsAreMutuallyExclusive,
            ),
            (item.pending_id.0 == 0, S::PendingIdMustNotBeZero),
            (item.pending_id.0 == u128::MAX, S::PendingIdMustNotBeIntMax),
            (item.pending_id == item.id, S::PendingIdMustBeDifferent),
            (item.timeout != 0, S::TimeoutReservedForPendingTransfer),
        ]);
        let Some(pending) = self.transfers.get(&item.pending_id.0) else {
            broken.push((true, S::PendingTransferNotFound));
            return *item;
        };
        let Some(end) = self.pendings.get(&item.pending_id.0).copied() else {
            broken.push((true, S::PendingTransferNotPending));
            return *item;
        };
        let differs = |given: u128, stored: u128| given != 0 && given != stored;
        let amount = match item.amount {
            0 if has(VOID) => pending.amount,
            u128::MAX if !has(VOID) => pending.amount,
            amount => amount,
        };
        let debit = &self.accounts[&pending.debit_account_id.0];
        let credit = &self.accounts[&pending.credit_account_id.0];
        let due = pending.timeout != 0
            && now >= pending.timestamp + u64::from(pending.timeout) * 1_000_000_000;
        broken.extend([
            (
                differs(item.debit_account_id.0, pending.debit_account_id.0),
                S::PendingTransferHasDifferentDebitAccountId,
            ),
            (
                differs(item.credit_account_id.0, pending.credit_account_id.0),
                S::PendingTransferHasDifferentCreditAccountId,
            ),
            (
                differs(item.ledger.into(), pending.ledger.into()),
                S::PendingTransferHasDifferentLedger,
            ),
            (
                differs(item.code.into(), pending.code.into()),
                S::PendingTransferHasDifferentCode,
            ),
            (amount > pending.amount, S::ExceedsPendingTransferAmount),
            (
                has(VOID) && amount != pending.amount,
                S::PendingTransferHasDifferentAmount,
            ),
            (end == "posted", S::PendingTransferAlreadyPosted),
            (end == "voided", S::PendingTransferAlreadyVoided),
            (
                end == "expired" || end == "pending" && due,
                S::PendingTransferExpired,
            ),
            (
                !has(VOID) && debit.flags.0 & ACCOUNT_CLOSED != 0,
                S::DebitAccountAlreadyClosed,
            ),
            (
                !has(VOID) && credit.flags.0 & ACCOUNT_CLOSED != 0,
                S::CreditAccountAlreadyClosed,
            ),
        ]);
        Transfer {
            amount,
            ..inherit(item, pending)
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

    /// A pending transfer meets its end: its accounts are released, and opened if it was what closed them.
    fn end(&mut self, id: u128, end: &'static str) {
        assert_eq!(self.pendings.insert(id, end), Some("pending"));
        let pending = self.transfers[&id];
        let mut release = |account: u128, flag: u16, balance: fn(&mut Account) -> &mut u128| {
            let account = self.accounts.get_mut(&account).unwrap();
            *balance(account) -= pending.amount;
            if pending.flags.0 & flag != 0 {
                account.flags.0 &= !ACCOUNT_CLOSED;
            }
        };
        release(pending.debit_account_id.0, CLOSING_DEBIT, |account| {
            &mut account.debits_pending
        });
        release(pending.credit_account_id.0, CLOSING_CREDIT, |account| {
            &mut account.credits_pending
        });
    }

    pub(super) fn pulse(&mut self, now: u64) -> Answer {
        let mut due: Vec<_> = self
            .pendings
            .iter()
            .filter(|(_, end)| **end == "pending")
            .map(|(id, _)| &self.transfers[id])
            .filter(|pending| pending.timeout != 0)
            .map(|pending| {
                (
                    pending.timestamp + u64::from(pending.timeout) * 1_000_000_000,
                    pending.timestamp,
                    pending.id.0,
                )
            })
            .filter(|&(expiry, _, _)| expiry <= now)
            .collect();
        due.sort_unstable();
        due.truncate(1024);
        for &(_, _, id) in &due {
            self.end(id, "expired");
            self.sequence += 1;
        }
        self.clock = now + (due.len() as u64).max(1) - 1;
        (now, 0)
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

fn total(parts: &[u128]) -> Option<u128> {
    parts
        .iter()
        .try_fold(0_u128, |sum, part| sum.checked_add(*part))
}

fn left(of: u128, used: u128, reserved: u128) -> u128 {
    of.saturating_sub(used).saturating_sub(reserved)
}
