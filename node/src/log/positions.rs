//! Which entries a log has: the same rules for what was asked, what was written and what is replayed.

use std::collections::VecDeque;

use super::types::{LogId, LogState};

/// Consecutive entries of one leader.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    term: u64,
    node: u64,
}

/// First, last and every log id between, in a few words for each leader.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions {
    state: LogState,
    runs: VecDeque<Run>,
}

/// What a purge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purge {
    /// It was purged before.
    Nothing,
    /// The oldest entries went.
    Prefix,
    /// All entries went, and the log goes on after an id it never held.
    Reset,
}

impl Positions {
    pub(super) fn state(&self) -> LogState {
        self.state
    }

    pub(super) fn last_index(&self) -> Option<u64> {
        self.state.last.map(|id| id.index)
    }

    pub(super) fn purged_index(&self) -> Option<u64> {
        self.state.last_purged.map(|id| id.index)
    }

    /// The index the next entry must have; `None` when a log that never held anything may begin anywhere.
    pub(super) fn next_index(&self) -> Option<u64> {
        self.last_index().map(|last| last + 1)
    }

    /// First index that can be read, when there is an entry.
    pub(super) fn first_index(&self) -> Option<u64> {
        let first = match self.purged_index() {
            Some(purged) => purged + 1,
            None => self.runs.front()?.first,
        };
        self.last_index()
            .is_some_and(|last| last >= first)
            .then_some(first)
    }

    pub(super) fn log_id_at(&self, index: u64) -> Option<LogId> {
        if let Some(purged) = self.state.last_purged.filter(|id| id.index == index) {
            return Some(purged);
        }
        if index < self.first_index()? || Some(index) > self.last_index() {
            return None;
        }
        let run = self.runs.get(
            self.runs
                .partition_point(|run| run.first <= index)
                .checked_sub(1)?,
        )?;
        Some(LogId {
            term: run.term,
            node: run.node,
            index,
        })
    }

    /// The caller has checked that `log_id` comes next.
    pub(super) fn append(&mut self, log_id: LogId) {
        let same = |run: &Run| run.term == log_id.term && run.node == log_id.node;
        if !self.runs.back().is_some_and(same) {
            self.runs.push_back(Run {
                first: log_id.index,
                term: log_id.term,
                node: log_id.node,
            });
        }
        self.state.last = Some(log_id);
    }

    /// Makes `last` the last entry, or the last purged one if that is higher. Gives the first index that became void,
    /// or `None` if there was nothing above.
    pub(super) fn truncate(&mut self, last: Option<LogId>) -> Option<u64> {
        let purged = self.state.last_purged;
        let last = if last.map(|id| id.index) < purged.map(|id| id.index) {
            purged
        } else {
            last
        };
        if last.map(|id| id.index) >= self.last_index() {
            return None;
        }
        let from = last.map_or(0, |id| id.index + 1);
        self.state.last = last.and_then(|id| self.log_id_at(id.index)).or(last);
        while self.runs.back().is_some_and(|run| run.first >= from) {
            self.runs.pop_back();
        }
        Some(from)
    }

    /// Entries up to `log_id` are gone; beyond the last entry, all are, and the next one follows `log_id`.
    pub(super) fn purge(&mut self, log_id: LogId) -> Purge {
        if self.purged_index() >= Some(log_id.index) {
            return Purge::Nothing;
        }
        let reset = self.last_index() < Some(log_id.index);
        self.state.last_purged = Some(log_id);
        if self.last_index() <= Some(log_id.index) {
            self.state.last = Some(log_id);
            self.runs.clear();
        }
        while self
            .runs
            .get(1)
            .is_some_and(|run| run.first <= log_id.index + 1)
        {
            self.runs.pop_front();
        }
        if reset { Purge::Reset } else { Purge::Prefix }
    }

    /// Entries up to `index` existed in segments that are gone; whether they were purged is found out later.
    pub(super) fn assume_entries_to(&mut self, index: u64) {
        self.state.last = Some(LogId {
            term: 0,
            node: 0,
            index,
        });
    }
}
