//! What a sequence of records means: one record after the other, as they lie on disk.

use super::positions::{Positions, Purge};
use super::record::{Header, Kind, PREAMBLE, PREAMBLE_RECORDS};
use super::segment::Index;
use super::types::{LogId, Vote};

/// The log as far as it has been read.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) vote: Option<Vote>,
    pub(super) committed: Option<LogId>,
    pub(super) positions: Positions,
    pub(super) index: Index,
    /// Number the next record must have; 0 before the first segment.
    pub(super) next_record: u64,
    /// Highest record number known durable.
    pub(super) proven: u64,
    pub(super) records: u64,
    /// Number of the first record that the segment being read does not merely begin with.
    preamble_end: u64,
}

impl Replay {
    pub(super) fn new() -> Self {
        Self {
            vote: None,
            committed: None,
            positions: Positions::default(),
            index: Index::default(),
            next_record: 0,
            proven: 0,
            records: 0,
            preamble_end: 0,
        }
    }

    /// A segment begins. Its header and first records were synced before it got its name, and everything before it
    /// was durable by then.
    pub(super) fn begin_segment(&mut self, first_record: u64) {
        self.next_record = first_record;
        self.preamble_end = first_record.saturating_add(PREAMBLE_RECORDS as u64);
        self.proven = self.proven.max(self.preamble_end - 1);
    }

    /// Takes the next record (the caller has checked its number), whose entry, if it is one, lies at `offset..end` of
    /// the current segment. An error says why it cannot follow what came before.
    pub(super) fn apply(&mut self, header: &Header, offset: u32, end: u32) -> Result<(), String> {
        if header.record_number < self.preamble_end {
            self.check_preamble(header)?;
        }
        if self.records == 0 {
            // The oldest segment's first record says up to where entries existed in older ones.
            if let Some(index) = header.durable_index {
                self.positions.assume_entries_to(index);
            }
        }
        match header.kind {
            Kind::Normal | Kind::Blank | Kind::Membership => {
                let log_id = header.log_id().ok_or("it is an entry without an index")?;
                if let Some(next) = self
                    .positions
                    .next_index()
                    .filter(|next| *next != log_id.index)
                {
                    return Err(format!("it is entry {} where {next} was due", log_id.index));
                }
                self.positions.append(log_id);
                self.index.push(log_id.index, offset, end);
            }
            Kind::Vote => self.vote = vote(header).or(self.vote),
            Kind::Committed => self.committed = header.log_id(),
            Kind::Purged => {
                if let Some(log_id) = header.log_id()
                    && self.positions.purge(log_id) == Purge::Reset
                {
                    self.index.reset(log_id.index + 1);
                }
            }
            Kind::Truncate => {
                if let Some(from) = self.positions.truncate(header.log_id()) {
                    self.index.truncate_from(from);
                }
            }
            Kind::Mark => {}
        }
        self.next_record += 1;
        self.records += 1;
        self.proven = self.proven.max(header.proves_durable());
        Ok(())
    }

    /// What a segment begins with repeats what the segments before it came to. Where it does not, one of the two was
    /// not written by a log, and recycling the older one would decide which.
    fn check_preamble(&self, header: &Header) -> Result<(), String> {
        let left = self.preamble_end - header.record_number;
        if PREAMBLE.iter().rev().nth(left as usize - 1) != Some(&header.kind) {
            return Err("a segment does not begin with it".to_owned());
        }
        let is_oldest = self.records < PREAMBLE_RECORDS as u64;
        if is_oldest {
            return Ok(());
        }
        let state = self.positions.state();
        let same = match header.kind {
            Kind::Vote => vote(header) == self.vote,
            Kind::Committed => header.log_id() == self.committed,
            _ => header.log_id() == state.last_purged,
        };
        if same && header.durable_index == self.positions.last_index() {
            return Ok(());
        }
        Err("it does not say what the segments before it came to".to_owned())
    }

    /// Whether every entry that is neither purged nor void lies in one of the segments read. `whole` says that no
    /// older segment ever existed.
    pub(super) fn is_complete(&self, whole: bool) -> bool {
        let (purged, last) = (self.positions.purged_index(), self.positions.last_index());
        let first_entry = self.index.first_entry();
        match purged {
            None => whole,
            Some(purged) => {
                last <= Some(purged) || first_entry.is_some_and(|first| first <= purged + 1)
            }
        }
    }
}

fn vote(header: &Header) -> Option<Vote> {
    header.log_id().map(|_| Vote {
        term: header.term,
        node: header.node,
        committed: header.index == 1,
    })
}
