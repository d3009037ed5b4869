//! What a statement says of itself, on its way from XML.

use super::values::Amount;
use crate::direction::Direction;
use crate::statement::{Balance, Section};
use crate::time::Span;

/// What was read of a `Stmt`.
#[derive(Debug, Default)]
pub(super) struct SectionDraft {
    pub(super) section: Section,
    /// Whether it is of the account that was asked for. Known with its account, or else with its first entry.
    pub(super) wanted: Option<bool>,
    pub(super) balance: BalanceDraft,
    /// Entries that began.
    pub(super) entry_count: u64,
    /// The balance that the bank closed with the day before; it opens where nothing else does.
    previous: Option<Balance>,
    /// The period as it is said.
    pub(super) from: Option<Span>,
    pub(super) to: Option<Span>,
    /// The period as the dates of balances say it.
    opened_ns: Option<u64>,
    closed_ns: Option<u64>,
}

/// What was read of a `Bal`.
#[derive(Debug, Default)]
pub(super) struct BalanceDraft {
    pub(super) code: String,
    pub(super) amount: Option<Amount>,
    pub(super) direction: Option<Direction>,
    pub(super) date: Option<Span>,
}

impl SectionDraft {
    pub(super) fn begin_balance(&mut self) {
        self.balance = BalanceDraft::default();
    }

    pub(super) fn end_balance(&mut self) {
        let draft = std::mem::take(&mut self.balance);
        let (Some(amount), Some(direction)) = (draft.amount, draft.direction) else {
            return;
        };
        let balance = Some(Balance {
            direction,
            amount: amount.value,
        });
        match draft.code.as_str() {
            "OPBD" => {
                self.section.opening = balance;
                self.opened_ns = draft.date.map(|date| date.first_ns);
            }
            "PRCD" => {
                self.previous = balance;
                let day_after = draft.date.map(|date| date.last_ns.saturating_add(1));
                self.opened_ns = self.opened_ns.or(day_after);
            }
            "CLBD" => {
                self.section.closing = balance;
                self.closed_ns = draft.date.map(|date| date.last_ns);
            }
            // Available, forward, interim and other balances say nothing about the entries booked here.
            _ => {}
        }
    }

    pub(super) fn finish(mut self) -> Section {
        self.section.opening = self.section.opening.or(self.previous);
        let first_ns = self.from.map(|from| from.first_ns).or(self.opened_ns);
        let last_ns = self.to.map(|to| to.last_ns).or(self.closed_ns);
        self.section.period = match (first_ns, last_ns) {
            (Some(first_ns), Some(last_ns)) if first_ns <= last_ns => {
                Some(Span { first_ns, last_ns })
            }
            _ => None,
        };
        self.section
    }
}
