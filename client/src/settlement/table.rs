//! The pending transfers that are open, and how far the cursor may go: no further than the first of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use farthing_ledger::TransferId;
use tokio::time::Instant;

use super::decision::{Decision, PendingTransfer};
use crate::transport::backoff::Backoff;

/// A pending transfer that has not met its end yet, as far as is known.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) pending: PendingTransfer,
    /// Kept while it cannot be carried out, so that nobody is asked again because a node is away.
    pub(super) decision: Option<Decision>,
    /// No decision is asked for before.
    pub(super) ask_at: Instant,
    /// Whether it was pending is to be looked up first: it was not just read.
    pub(super) look_up: bool,
    /// Failed decisions in a row.
    pub(super) failures: u32,
    pub(super) backoff: Backoff,
}

/// What is done about one of them now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is its turn as soon as there is room.
    Ready,
    /// A task has it.
    Running,
    /// Until then nothing is.
    Waiting(Instant),
}

/// What is open, by its place in the stream. At most `most`, because nobody adds one without room.
#[derive(Debug)]
pub(super) struct Table {
    most: usize,
    /// Everything up to here was read, and is in here if it is open.
    read: u64,
    open: BTreeMap<u64, (Open, State)>,
    by_id: HashMap<TransferId, u64>,
    /// The first goes first: it is what holds the cursor.
    ready: BTreeSet<u64>,
    waiting: BTreeSet<(Instant, u64)>,
}

impl Table {
    /// Nothing is open, and everything up to `read` is done with.
    pub(super) fn new(most: usize, read: u64) -> Table {
        Table {
            most,
            read,
            open: BTreeMap::new(),
            by_id: HashMap::new(),
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.open.len() < self.most
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Everything up to here is done with: what the cursor may be saved as.
    pub(super) fn low_water(&self) -> u64 {
        match self.open.first_key_value() {
            Some((first, _)) => first.saturating_sub(1),
            None => self.read,
        }
    }

    /// Everything up to `sequence` was read and, where it is open, added.
    pub(super) fn passed(&mut self, sequence: u64) {
        self.read = self.read.max(sequence);
    }

    /// One more that is open, with all before it read.
    pub(super) fn add(&mut self, open: Open) {
        let sequence = open.pending.sequence;
        self.by_id.insert(open.pending.transfer.id, sequence);
        self.open.insert(sequence, (open, State::Ready));
        self.ready.insert(sequence);
        self.passed(sequence);
    }

    /// The first whose turn it is. It stays open until it is [`done`](Table::done).
    pub(super) fn take(&mut self) -> Option<Open> {
        let sequence = self.ready.pop_first()?;
        let (open, state) = self.open.get_mut(&sequence)?;
        *state = State::Running;
        Some(open.clone())
    }

    /// A task gives it back: it waits.
    pub(super) fn wait(&mut self, open: Open, until: Instant) {
        let sequence = open.pending.sequence;
        self.waiting.insert((until, sequence));
        self.open.insert(sequence, (open, State::Waiting(until)));
    }

    /// It has met its end, or is left.
    pub(super) fn done(&mut self, sequence: u64) -> Option<Open> {
        let (open, state) = self.open.remove(&sequence)?;
        self.by_id.remove(&open.pending.transfer.id);
        self.ready.remove(&sequence);
        if let State::Waiting(until) = state {
            self.waiting.remove(&(until, sequence));
        }
        Some(open)
    }

    /// The stream says that it has met its end. `None` when it is not open, or when a task has it or will have it to
    /// carry out what is decided: that tells whether it stands as decided.
    pub(super) fn ended(&mut self, id: TransferId) -> Option<Open> {
        let sequence = *self.by_id.get(&id)?;
        match self.open.get(&sequence)? {
            (_, State::Running) => None,
            (open, _) if open.decision.is_some() => None,
            _ => self.done(sequence),
        }
    }

    /// When the next one that waits has its turn.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first().map(|(until, _)| *until)
    }

    /// Those that have waited long enough have their turn.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((until, sequence)) = self.waiting.first().copied()
            && until <= now
        {
            self.waiting.pop_first();
            if let Some((_, state)) = self.open.get_mut(&sequence) {
                *state = State::Ready;
                self.ready.insert(sequence);
            }
        }
    }
}

#[cfg(test)]
mod tests;
