//! Posts, voids and expiries: every rule that one breaks, and what the end of a pending transfer does.

use farthing_ledger::{Account, CreateTransferStatus as S, Transfer};

use super::{
    ACCOUNT_CLOSED, Answer, BALANCING_CREDIT, BALANCING_DEBIT, Broken, CLOSING_CREDIT,
    CLOSING_DEBIT, Naive, PENDING, POST, VOID, inherit,
};

impl Naive {
    /// Posts and voids.
    pub(super) fn resolution(&self, item: &Transfer, now: u64, broken: &mut Broken) -> Transfer {
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

    /// A pending transfer meets its end: its accounts are released, and opened if it was what closed them.
    pub(super) fn end(&mut self, id: u128, end: &'static str) {
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

    pub(in crate::naive) fn pulse(&mut self, now: u64) -> Answer {
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
