//! Sums over an account's history, by code and by period of time: computed when they are asked for, a bounded number of
//! transfers at a time. What a page has summed is whole only together with the pages behind it: equal groups add up.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use farthing_ledger::{AccountId, Transfer, TransferFilter, TransferFlags};

use super::filter;
use super::walk::Walk;
use super::{Page, Paging};
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader};

/// What is summed together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Group {
    /// ns. Where the period begins; 0 when there is one period.
    pub period_start: u64,
    /// The transfers' code; 0 when codes are summed together.
    pub code: u16,
}

impl Group {
    fn of(transfer: &Transfer, by_code: bool, period_ns: u64) -> Self {
        let begun = transfer.timestamp.checked_rem(period_ns);
        Self {
            period_start: begun.map_or(0, |begun| transfer.timestamp - begun),
            code: if by_code { transfer.code } else { 0 },
        }
    }
}

/// Sums of a group. Amounts saturate at the largest u128, which no account's balances allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// Settled transfers that debit the account: plain ones and posts.
    pub debit_count: u64,
    /// Their amounts.
    pub debits_posted: u128,
    /// Settled transfers that credit it.
    pub credit_count: u64,
    /// Their amounts.
    pub credits_posted: u128,
}

impl Sums {
    fn add(&mut self, account: AccountId, transfer: &Transfer) {
        let (count, amount) = match transfer.debit_account_id == account {
            true => (&mut self.debit_count, &mut self.debits_posted),
            false => (&mut self.credit_count, &mut self.credits_posted),
        };
        *count += 1;
        *amount = amount.saturating_add(transfer.amount);
    }
}

/// A transfer that settled something: neither a hold nor the end of one without payment.
fn is_settled(transfer: &Transfer) -> bool {
    let none = TransferFlags::PENDING.with(TransferFlags::VOID_PENDING_TRANSFER);
    !transfer.flags.intersects(none)
}

impl Reader {
    /// Sums of the transfers of an account that match `filter`, which names it: by code if `by_code`, by periods of
    /// `period_ns` that begin at multiples of it, or all together when that is 0. A page holds at most `paging.limit`
    /// groups, oldest first.
    ///
    /// # Errors
    /// As [`Reader::account`]; [`Error::Broken`] when the filter names no account.
    pub fn sums(
        &self,
        filter: &TransferFilter,
        by_code: bool,
        period_ns: u64,
        paging: &Paging,
    ) -> Result<Page<(Group, Sums)>, Error> {
        let account = filter
            .account_id
            .ok_or_else(|| Error::Broken("sums are of an account".into()))?;
        let span = self.transfer_span(filter.timestamp_min, filter.timestamp_max)?;
        let span = span.behind(paging);
        if span.is_empty() {
            return Ok(Page::empty());
        }
        let mut groups: BTreeMap<Group, Sums> = BTreeMap::new();
        let walk = Walk::open(self, &filter::of_transfers(filter), paging.order, span)?;
        let all = Paging {
            limit: usize::MAX,
            ..*paging
        };
        let walked = self.walk_changes(walk, &all, |change| {
            let Change::Transfer(row) = change else {
                return ControlFlow::Continue(None::<()>);
            };
            if filter.matches(&row.transfer) && is_settled(&row.transfer) {
                let group = Group::of(&row.transfer, by_code, period_ns);
                if groups.len() >= paging.limit && !groups.contains_key(&group) {
                    return ControlFlow::Break(());
                }
                groups.entry(group).or_default().add(account, &row.transfer);
            }
            ControlFlow::Continue(None)
        })?;
        Ok(Page {
            rows: groups.into_iter().collect(),
            next: walked.next,
        })
    }
}
