//! The log as it stands between its callers and its thread, and the operations that wait.
//!
//! Two orders meet here. Positions, vote and tail change when an operation is *asked*, so that a caller reads its own
//! writes; the index and `durable_index` follow when the writer's thread has *done* it.

use std::collections::VecDeque;
use std::io;

use super::config::Stats;
use super::error::Failure;
use super::positions::{Positions, Purge};
use super::record::RECORD_HEADER_BYTES;
use super::segment::Index;
use super::sync_times::SyncTimes;
use super::tail::Tail;
use super::types::{Done, Entry, LogId, Vote};

/// An operation in the queue.
pub(super) struct Op {
    pub(super) sequence: u64,
    pub(super) body: Body,
    pub(super) done: Done,
    pub(super) bytes: u64,
}

pub(super) enum Body {
    Append(Vec<Entry>),
    Vote(Vote),
    Truncate(Option<LogId>),
    Purge(LogId),
    /// Writes nothing: done when all before it is.
    Barrier,
}

pub(super) struct State {
    pub(super) vote: Option<Vote>,
    pub(super) committed: Option<LogId>,
    pub(super) committed_unwritten: bool,
    pub(super) positions: Positions,
    pub(super) tail: Tail,
    pub(super) index: Index,
    pub(super) durable_index: Option<u64>,
    /// Truncations asked and not yet durable: `(sequence, last index)`. They bound what a write finishing now proves.
    pub(super) truncates: VecDeque<(u64, Option<u64>)>,
    pub(super) queue: VecDeque<Op>,
    pub(super) queued_bytes: u64,
    pub(super) next_sequence: u64,
    pub(super) closing: bool,
    pub(super) failure: Option<Failure>,
    pub(super) stats: Stats,
    pub(super) sync_times: SyncTimes,
}

impl State {
    pub(super) fn new(
        vote: Option<Vote>,
        committed: Option<LogId>,
        positions: Positions,
        index: Index,
    ) -> Self {
        Self {
            vote,
            committed,
            committed_unwritten: false,
            durable_index: positions.last_index(),
            positions,
            tail: Tail::default(),
            index,
            truncates: VecDeque::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            next_sequence: 1,
            closing: false,
            failure: None,
            stats: Stats::default(),
            sync_times: SyncTimes::default(),
        }
    }

    pub(super) fn take_committed(&mut self) -> Option<Option<LogId>> {
        std::mem::take(&mut self.committed_unwritten).then_some(self.committed)
    }

    pub(super) fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failure.as_ref().map(Failure::error)
    }

    pub(super) fn append(&mut self, entries: Vec<Entry>, payload_max: usize) -> io::Result<Body> {
        let mut next = self.positions.next_index();
        for entry in &entries {
            let index = entry.log_id.index;
            if index == u64::MAX || next.is_some_and(|next| next != index) {
                return Err(invalid(format!(
                    "entry {index} where {} was due",
                    next.unwrap_or(0)
                )));
            }
            if entry.payload.len() > payload_max {
                let length = entry.payload.len();
                return Err(invalid(format!(
                    "entry {index} has {length} bytes, at most {payload_max} fit"
                )));
            }
            next = Some(index + 1);
        }
        for entry in &entries {
            self.positions.append(entry.log_id);
            self.tail.push(entry.clone());
        }
        Ok(if entries.is_empty() {
            Body::Barrier
        } else {
            Body::Append(entries)
        })
    }

    pub(super) fn truncate(&mut self, last: Option<LogId>) -> Body {
        match self.positions.truncate(last) {
            Some(from) => {
                self.tail.truncate_from(from);
                Body::Truncate(self.positions.state().last)
            }
            None => Body::Barrier,
        }
    }

    pub(super) fn purge(&mut self, log_id: LogId) -> io::Result<Body> {
        if log_id.index == u64::MAX {
            return Err(invalid("no entry has the highest index".to_owned()));
        }
        Ok(match self.positions.purge(log_id) {
            Purge::Nothing => Body::Barrier,
            Purge::Prefix | Purge::Reset => {
                self.tail.drop_below(log_id.index + 1);
                Body::Purge(log_id)
            }
        })
    }
}

impl Body {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Append(entries) => entries
                .iter()
                .map(|entry| (entry.payload.len() + RECORD_HEADER_BYTES) as u64)
                .sum(),
            _ => RECORD_HEADER_BYTES as u64,
        }
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
