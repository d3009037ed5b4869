//! Both sides while they are compared: what is open, and what was settled.

use super::groups::{Groups, Verdict};
use super::options::{Field, Options};
use super::{ENTRIES_MAX, ReconcileError};
use crate::amount::Net;
use crate::direction::Direction;
use crate::ledger_entry::LedgerEntry;
use crate::statement::Statement;
use crate::time::Span;

/// The statement's entries are known by their index, the ledger's by their rank in the order of time and id, so that the
/// order in which they came does not matter.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) statement: &'a Statement,
    pub(crate) options: Options,
    ledger: &'a [LedgerEntry],
    /// The time that the statement covers, if it is known.
    period: Option<Span>,
    /// Rank to index.
    order: Vec<u32>,
    statement_open: Vec<bool>,
    ledger_open: Vec<bool>,
    pub(crate) groups: Groups,
}

/// An amount with its direction as the statement says it.
pub(crate) type Movement = (Direction, u128);

impl<'a> Work<'a> {
    pub(super) fn new(
        statement: &'a Statement,
        ledger: &'a [LedgerEntry],
        options: &Options,
    ) -> Result<Self, ReconcileError> {
        if ledger.len().max(statement.len()) > ENTRIES_MAX {
            let max = ENTRIES_MAX;
            return Err(ReconcileError::TooMany { max });
        }
        let mut sums = [0_u128; 2];
        for entry in ledger {
            let sum = &mut sums[usize::from(entry.direction == Direction::Credit)];
            *sum = sum.checked_add(entry.amount).ok_or(ReconcileError::Total)?;
        }
        let mut order: Vec<u32> = (0..ledger.len() as u32).collect();
        let by_time = |index: &u32| {
            let entry = &ledger[*index as usize];
            (entry.timestamp, entry.id)
        };
        if !ledger.is_sorted_by_key(|entry| (entry.timestamp, entry.id)) {
            order.sort_unstable_by_key(by_time);
        }
        Ok(Self {
            statement,
            options: options.clone(),
            period: options.period.or_else(|| statement.period()),
            ledger,
            order,
            statement_open: vec![true; statement.len()],
            ledger_open: vec![true; ledger.len()],
            groups: Groups::default(),
        })
        .and_then(Self::without_twice)
    }

    fn without_twice(self) -> Result<Self, ReconcileError> {
        let mut ids: Vec<u128> = self.ledger.iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        match ids.array_windows().find(|[left, right]| left == right) {
            Some([id, _]) => Err(ReconcileError::TransferTwice(*id)),
            None => Ok(self),
        }
    }

    pub(crate) fn ledger(&self, rank: u32) -> &'a LedgerEntry {
        &self.ledger[self.order[rank as usize] as usize]
    }

    pub(crate) fn ledger_len(&self) -> usize {
        self.ledger.len()
    }

    pub(super) fn is_statement_open(&self, index: u32) -> bool {
        self.statement_open[index as usize]
    }

    pub(super) fn is_ledger_open(&self, rank: u32) -> bool {
        self.ledger_open[rank as usize]
    }

    pub(super) fn open_statement(&self) -> impl Iterator<Item = u32> {
        (0..self.statement_open.len() as u32).filter(|index| self.is_statement_open(*index))
    }

    pub(super) fn open_ledger(&self) -> impl Iterator<Item = u32> {
        (0..self.ledger_open.len() as u32).filter(|rank| self.is_ledger_open(*rank))
    }

    /// `None` for an entry in another currency, which is equal to nothing.
    pub(crate) fn statement_movement(&self, index: u32) -> Option<Movement> {
        let entry = self.statement.entry(index as usize);
        self.statement
            .is_own_currency(index as usize)
            .then(|| (entry.direction(), entry.amount()))
    }

    pub(crate) fn ledger_movement(&self, rank: u32) -> Movement {
        let entry = self.ledger(rank);
        (self.options.sides.translate(entry.direction), entry.amount)
    }

    pub(super) fn statement_span(&self, index: u32) -> Span {
        self.statement.entry(index as usize).span()
    }

    /// Whether both may have happened within the window of each other.
    pub(super) fn is_near(&self, index: u32, rank: u32) -> bool {
        let span = self.statement_span(index);
        let time = self.ledger(rank).timestamp;
        let window_ns = self.options.window_ns;
        let reach =
            span.first_ns.saturating_sub(window_ns)..=span.last_ns.saturating_add(window_ns);
        reach.contains(&time)
    }

    /// What a field of a transfer says; zero is "none".
    pub(crate) fn value(&self, rank: u32, field: Field) -> u128 {
        let entry = self.ledger(rank);
        match field {
            Field::Id => entry.id,
            Field::UserData128 => entry.user_data_128,
            Field::UserData64 => entry.user_data_64.into(),
            Field::UserData32 => entry.user_data_32.into(),
        }
    }

    /// What entries of the ledger's currency come to.
    pub(crate) fn statement_net(&self, statement: &[u32]) -> Net {
        net(statement
            .iter()
            .filter_map(|index| self.statement_movement(*index)))
    }

    /// What transfers come to, in the statement's directions.
    pub(crate) fn ledger_net(&self, ledger: &[u32]) -> Net {
        net(ledger.iter().map(|rank| self.ledger_movement(*rank)))
    }

    /// Whether both sides come to the same, debits and credits set off against each other. What is in another currency
    /// is equal to nothing.
    pub(crate) fn sums_equal(&self, statement: &[u32], ledger: &[u32]) -> bool {
        let own = |index: &u32| self.statement.is_own_currency(*index as usize);
        statement.iter().all(own) && self.statement_net(statement) == self.ledger_net(ledger)
    }

    /// Whether the partner of what is missing or extra may be in the statement before or behind.
    pub(crate) fn is_near_edge(&self, statement: &[u32], ledger: &[u32]) -> bool {
        let Some(period) = self.period else {
            return false;
        };
        let window_ns = self.options.window_ns;
        let begin = period.first_ns.saturating_add(window_ns);
        let end = period.last_ns.saturating_sub(window_ns);
        let entries = statement.iter().map(|index| self.statement_span(*index));
        let transfers = ledger
            .iter()
            .map(|rank| Span::instant(self.ledger(*rank).timestamp));
        entries
            .chain(transfers)
            .any(|span| span.is_known() && (span.first_ns < begin || span.last_ns > end))
    }

    /// Gives entries their verdict. Both sides must be sorted and open.
    pub(super) fn settle(&mut self, verdict: Verdict, statement: &[u32], ledger: &[u32]) {
        for index in statement {
            let open = &mut self.statement_open[*index as usize];
            assert!(*open, "entry {index} of the statement is settled twice");
            *open = false;
        }
        for rank in ledger {
            let open = &mut self.ledger_open[*rank as usize];
            assert!(*open, "entry {rank} of the ledger is settled twice");
            *open = false;
        }
        self.groups.push(verdict, statement, ledger);
    }

    pub(super) fn settle_rest(&mut self) {
        for index in 0..self.statement_open.len() as u32 {
            if self.is_statement_open(index) {
                self.settle(Verdict::Missing, &[index], &[]);
            }
        }
        for rank in 0..self.ledger_open.len() as u32 {
            if self.is_ledger_open(rank) {
                let time = self.ledger(rank).timestamp;
                let verdict = match self.period {
                    Some(period) if !period.contains(time) => Verdict::Outside,
                    _ => Verdict::Extra,
                };
                self.settle(verdict, &[], &[rank]);
            }
        }
    }

    /// Everything has its verdict, once: [`Work::settle`] sees to "not twice", this to "not never".
    pub(super) fn finish(mut self) -> Self {
        let open = self.statement_open.iter().chain(&self.ledger_open);
        let open = open.filter(|open| **open).count();
        assert_eq!(open, 0, "entries without a class");
        self.groups.sort();
        self
    }
}

/// What movements come to. Totals of both sides fit into 128 bits, so parts do.
fn net(movements: impl Iterator<Item = Movement>) -> Net {
    let (mut debits, mut credits) = (0_u128, 0_u128);
    for (direction, amount) in movements {
        match direction {
            Direction::Debit => debits += amount,
            Direction::Credit => credits += amount,
        }
    }
    Net::new(debits, credits)
}
