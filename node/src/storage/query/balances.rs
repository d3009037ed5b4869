//! What an account's balances were: every change of them, and how they stood at a time.

use std::ops::ControlFlow;
use std::time::Instant;

use farthing_ledger::{AccountId, Balances as Amounts, EventBody, Order, Transfer};

use super::walk::{Step, Walk};
use super::{Page, Paging, Span};
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader};
use crate::storage::window::ListKey;

/// Why balances changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A transfer was carried out.
    Transfer,
    /// A pending transfer reached its timeout.
    Expiry,
}

/// An account's balances after one change of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BalanceRow {
    /// Place of the change in the dense sequence.
    pub sequence: u64,
    /// ns. When it changed.
    pub timestamp: u64,
    /// Why.
    pub cause: Cause,
    /// The transfer that was carried out, or the pending one that expired.
    pub transfer: Transfer,
    /// The account's balances after it.
    pub balances: Amounts,
}

/// A page of an account's balances.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balances {
    /// How they stood before the oldest row of the page: the opening row. Of an empty page, how they stood at its begin.
    pub opening: Amounts,
    /// The changes.
    pub page: Page<BalanceRow>,
}

impl Reader {
    /// The balances of an account over time: after each change from `min` to `max` (ns, both included).
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn balances(
        &self,
        account: AccountId,
        min: u64,
        max: Option<u64>,
        paging: &Paging,
    ) -> Result<Balances, Error> {
        let range = self.transfer_span(min, max)?;
        let span = range.behind(paging);
        if span.is_empty() {
            let opening = self.balances_before(account, span.low.max(range.low), min)?;
            let page = Page::empty();
            return Ok(Balances { opening, page });
        }
        let walk = Walk::open(self, &[ListKey::History(account.0)], paging.order, span)?;
        let page = self.walk_changes(walk, paging, |change| {
            let in_range = |row: &BalanceRow| {
                row.timestamp >= min && max.is_none_or(|max| row.timestamp <= max)
            };
            ControlFlow::Continue(balance_row(account, change).filter(in_range))
        })?;
        let oldest = match paging.order {
            Order::Forward => page.rows.first(),
            Order::Reversed => page.rows.last(),
        };
        let before = oldest.map_or(span.low, |row| row.sequence);
        let opening =
            self.balances_before(account, before, if oldest.is_some() { 0 } else { min })?;
        Ok(Balances { opening, page })
    }

    /// How an account's balances stood at `time` (ns): after its last change, in the order of the log, that is not later.
    /// `None` when it did not exist at this cut, or was created later than that.
    ///
    /// # Errors
    /// As [`Reader::account`]; [`Error::Cancelled`] when `until` comes first.
    pub fn balances_at(
        &self,
        account: AccountId,
        time: u64,
        until: Instant,
    ) -> Result<Option<Amounts>, Error> {
        let Some(found) = self.account(account)? else {
            return Ok(None);
        };
        if found.timestamp > time {
            return Ok(None);
        }
        let span = self.transfer_span(0, Some(time))?;
        let keys = [ListKey::History(account.0)];
        let mut walk = Walk::open(self, &keys, Order::Reversed, span)?;
        // Only expiries can be later than what stands behind them in the log.
        while let Step::Found(posting) = walk.next(u64::MAX)? {
            let row = balance_row(account, self.change_at(posting)?);
            if let Some(row) = row.filter(|row| row.timestamp <= time) {
                return Ok(Some(row.balances));
            }
            if Instant::now() >= until {
                return Err(Error::Cancelled("the deadline came before the answer"));
            }
        }
        Ok(Some(Amounts::default()))
    }

    /// An account's balances before the change with a sequence, leaving out what lies at `time` or later when that is
    /// not 0.
    fn balances_before(
        &self,
        account: AccountId,
        sequence: u64,
        time: u64,
    ) -> Result<Amounts, Error> {
        let Some(high) = sequence.checked_sub(1) else {
            return Ok(Amounts::default());
        };
        let span = Span { low: 1, high };
        let keys = [ListKey::History(account.0)];
        let mut walk = Walk::open(self, &keys, Order::Reversed, span)?;
        while let Step::Found(posting) = walk.next(u64::MAX)? {
            if let Some(row) = balance_row(account, self.change_at(posting)?)
                && (time == 0 || row.timestamp < time)
            {
                return Ok(row.balances);
            }
        }
        Ok(Amounts::default())
    }
}

/// What a change did to an account; `None` when it is not one of its changes.
pub(super) fn balance_row(account: AccountId, change: Change) -> Option<BalanceRow> {
    let (sequence, timestamp, cause, transfer, debit_after, credit_after) = match change {
        Change::Transfer(row) => (
            row.sequence,
            row.transfer.timestamp,
            Cause::Transfer,
            row.transfer,
            row.debit_after,
            row.credit_after,
        ),
        Change::Event(event) => match event.body {
            EventBody::TransferExpired {
                transfer,
                debit_after,
                credit_after,
            } => (
                event.sequence,
                event.timestamp,
                Cause::Expiry,
                transfer,
                debit_after,
                credit_after,
            ),
            _ => return None,
        },
    };
    let balances = match (transfer.debit_account_id, transfer.credit_account_id) {
        (debit, _) if debit == account => debit_after,
        (_, credit) if credit == account => credit_after,
        _ => return None,
    };
    Some(BalanceRow {
        sequence,
        timestamp,
        cause,
        transfer,
        balances,
    })
}
