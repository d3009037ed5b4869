//! A part of the stream, small enough to be one answer.

use farthing_ledger::EventFilter;
use farthing_proofs::{Change, change};

use crate::storage::{Error, Reader};

/// Events looked at for one part, whether they match or not.
const LOOKED_AT_MAX: u64 = 65_536;
/// Bytes of events in a part, after which it ends.
const BYTES_MAX: usize = 256 << 10;
/// Events in a part that are read one by one.
const EVENTS_MAX: usize = 1_024;

/// Which part.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The first sequence, from 1.
    pub from: u64,
    /// The last one; `None`: without an end.
    pub until: Option<u64>,
    /// Which events.
    pub filter: EventFilter,
    /// As bytes, and not one by one.
    pub packed: bool,
}

/// A part of the stream.
#[derive(Debug, Default)]
pub struct Part {
    /// What matched, unless it was asked for as bytes.
    pub changes: Vec<Change>,
    /// What matched, when it was asked for as bytes: each with its length before it, u32 little-endian.
    pub packed: Vec<u8>,
    /// Everything up to this sequence is in the part or did not match.
    pub last: u64,
    /// The last event there is.
    pub newest: u64,
}

impl Part {
    /// Whether nothing matched.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.packed.is_empty()
    }
}

/// Reads a part of the stream as `reader` has it.
///
/// # Errors
/// When the disk fails or is damaged.
pub fn read(reader: &Reader, asked: &Asked) -> Result<Part, Error> {
    let newest = reader.applied().clock.sequence;
    let end = asked.until.map_or(newest, |until| until.min(newest));
    let mut part = Part {
        last: asked.from.saturating_sub(1),
        newest,
        ..Part::default()
    };
    if asked.from > end {
        return Ok(part);
    }
    let (mut expected, mut bytes) = (asked.from, 0);
    let mut wrong = None;
    reader.each_body(asked.from, &mut |sequence, kind, body| {
        if sequence != expected {
            wrong = Some(format!("event {sequence} stands where {expected} belongs"));
            return false;
        }
        if crate::planted::is("event-left-out") && sequence.is_multiple_of(97) {
            (part.last, expected) = (sequence, expected + 1);
            return sequence < end;
        }
        match take(asked, &mut part, sequence, kind, body) {
            Some(taken) => bytes += if taken { body.len() } else { 0 },
            None => {
                wrong = Some(format!("event {sequence} is malformed"));
                return false;
            }
        }
        part.last = sequence;
        expected += 1;
        sequence < end
            && expected - asked.from < LOOKED_AT_MAX
            && bytes < BYTES_MAX
            && part.changes.len() < EVENTS_MAX
    })?;
    match wrong {
        Some(wrong) => Err(Error::damaged("changes", wrong)),
        None => Ok(part),
    }
}

/// Puts an event into the part if it matches, and says whether it did; `None` when it cannot be read.
fn take(asked: &Asked, part: &mut Part, sequence: u64, kind: u8, body: &[u8]) -> Option<bool> {
    if !asked.filter.takes(kind) {
        return Some(false);
    }
    if !(asked.packed && asked.filter.is_all()) {
        let change = Change::from_body(sequence, kind, body)?;
        if !matches(&asked.filter, &change) {
            return Some(false);
        }
        if !asked.packed {
            part.changes.push(change);
            return Some(true);
        }
    }
    let start = part.packed.len();
    part.packed.extend_from_slice(&[0; 4]);
    change::write(sequence, kind, body, &mut part.packed);
    let length = u32::try_from(part.packed.len() - start - 4).ok()?;
    part.packed[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Some(true)
}

fn matches(filter: &EventFilter, change: &Change) -> bool {
    match change {
        Change::Transfer(row) => filter.matches_transfer(row),
        Change::Event(event) => filter.matches_event(event),
    }
}
