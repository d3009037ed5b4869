//! Questions over one cut of the state: which transfers, which accounts, what an account's balances were.
//!
//! An answer is a page: rows in the order of the log, oldest or newest first, and a mark where the next page begins. A
//! question first becomes a span of sequences (its time range) and lists (an account's history, values of user data);
//! the lists are walked together, each jumping to where the others are, and what is left of the filter is looked up in
//! the rows. Without a list the transfers or accounts of the span are scanned. Every page reads a bounded number of rows
//! and may therefore hold fewer than were asked for, even none, and still have a mark.
//!
//! Timestamps of transfers rise with their sequence, and so do those of accounts, imported ones included. An expiry's
//! can lie after those of transfers imported later: it belongs to a time range if its own timestamp does and it stands,
//! in the order of the log, between the transfers around that range.

mod accounts;
mod balances;
mod fetch;
mod filter;
mod list;
mod scan;
mod sums;
mod times;
mod transfers;
mod walk;

use std::time::Instant;

use farthing_ledger::Order;

pub use balances::{BalanceRow, Balances, Cause};
pub use sums::{Group, Sums};

/// Rows read before a page ends, however few of them belong to it.
pub const READ_ROWS_MAX: u64 = 1 << 16;

/// The sequence that comes just before another in an order.
fn before(order: Order, sequence: u64) -> u64 {
    match order {
        Order::Forward => sequence.saturating_sub(1),
        Order::Reversed => sequence.saturating_add(1),
    }
}

/// The last row a page has looked at; the next page begins behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its sequence; 0 where accounts are scanned by time.
    pub sequence: u64,
    /// Its timestamp (ns) where accounts are scanned by time, otherwise 0.
    pub timestamp: u64,
}

impl Mark {
    fn at(sequence: u64) -> Self {
        Self {
            sequence,
            timestamp: 0,
        }
    }
}

/// Which page.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    /// Which end comes first.
    pub order: Order,
    /// Where the last page ended; `None`: the first page.
    pub after: Option<Mark>,
    /// Rows, at most; at least 1.
    pub limit: usize,
    /// When to end the page whatever it holds by then.
    pub until: Instant,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// In the order that was asked for.
    pub rows: Vec<T>,
    /// Where to go on; `None`: there was nothing more at this cut.
    pub next: Option<Mark>,
}

impl<T> Page<T> {
    fn empty() -> Self {
        Self {
            rows: vec![],
            next: None,
        }
    }
}

/// Sequences from `low` to `high`, both included; none when `low` is above `high`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Span {
    low: u64,
    high: u64,
}

impl Span {
    fn is_empty(self) -> bool {
        self.low > self.high
    }

    fn holds(self, sequence: u64) -> bool {
        (self.low..=self.high).contains(&sequence)
    }

    /// What is left of it when nothing comes before `sequence`.
    fn from(mut self, order: Order, sequence: u64) -> Self {
        match order {
            Order::Forward => self.low = sequence,
            Order::Reversed => self.high = sequence,
        }
        self
    }

    /// What is left of it behind a mark.
    fn behind(mut self, paging: &Paging) -> Self {
        match (paging.order, paging.after) {
            (_, None) => {}
            (Order::Forward, Some(mark)) => {
                self.low = self.low.max(mark.sequence.saturating_add(1));
            }
            (Order::Reversed, Some(mark)) => match mark.sequence.checked_sub(1) {
                Some(before) => self.high = self.high.min(before),
                None => self = Self { low: 1, high: 0 },
            },
        }
        self
    }

    /// Where a walk begins.
    fn begin(self, order: Order) -> u64 {
        match order {
            Order::Forward => self.low,
            Order::Reversed => self.high,
        }
    }

    /// What is left of it once `sequence` was met.
    fn past(mut self, order: Order, sequence: u64) -> Self {
        match order {
            Order::Forward => self.low = self.low.max(sequence.saturating_add(1)),
            Order::Reversed => self.high = self.high.min(sequence.saturating_sub(1)),
        }
        self
    }
}

/// How much of a page's reading is done.
struct Effort {
    rows: u64,
    until: Instant,
}

impl Effort {
    fn new(paging: &Paging) -> Self {
        Self {
            rows: 0,
            until: paging.until,
        }
    }

    /// Counts `rows`; true when the page has to end.
    fn spent(&mut self, rows: u64) -> bool {
        self.rows += rows;
        self.rows >= READ_ROWS_MAX || Instant::now() >= self.until
    }
}
