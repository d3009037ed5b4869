//! The bytes of one record: a 64-byte header, the payload, zeros up to a multiple of 64.

use super::types::{EntryKind, LogId};

/// Bytes of a record's header.
pub(super) const RECORD_HEADER_BYTES: usize = 64;
/// Records begin at multiples of this.
pub(super) const ALIGNMENT: usize = 64;
/// What every segment begins with, so that recycling an older one loses none of them.
pub(super) const PREAMBLE: [Kind; 3] = [Kind::Vote, Kind::Committed, Kind::Purged];
pub(super) const PREAMBLE_RECORDS: usize = PREAMBLE.len();
/// Stands for "none" where an index is expected.
const NONE: u64 = u64::MAX;
const VERSION: u8 = 1;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Normal = 1,
    Blank = 2,
    Membership = 3,
    Vote = 4,
    Committed = 5,
    Purged = 6,
    Truncate = 7,
    Mark = 8,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Normal,
            Self::Blank,
            Self::Membership,
            Self::Vote,
            Self::Committed,
            Self::Purged,
            Self::Truncate,
            Self::Mark,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }

    /// The kind of entry, when the record is one.
    pub(super) fn entry(self) -> Option<EntryKind> {
        match self {
            Self::Normal => Some(EntryKind::Normal),
            Self::Blank => Some(EntryKind::Blank),
            Self::Membership => Some(EntryKind::Membership),
            _ => None,
        }
    }
}

impl From<EntryKind> for Kind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Normal => Self::Normal,
            EntryKind::Blank => Self::Blank,
            EntryKind::Membership => Self::Membership,
        }
    }
}

/// A record's header without its checksum and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// The use of the segment the record belongs to.
    pub(super) use_sequence: u64,
    /// The record's number in the directory.
    pub(super) record_number: u64,
    /// How many records directly before this one were not known durable when it was written.
    pub(super) undurable: u32,
    /// Highest log index known durable when it was written.
    pub(super) durable_index: Option<u64>,
    /// Log id, or for a vote: term, node, and 1 when it is committed.
    pub(super) term: u64,
    pub(super) node: u64,
    pub(super) index: u64,
}

impl Header {
    /// The log id the record speaks of; `None` stands for "no entry".
    pub(super) fn log_id(&self) -> Option<LogId> {
        (self.index != NONE).then_some(LogId {
            term: self.term,
            node: self.node,
            index: self.index,
        })
    }

    /// The highest record number this record proves to be durable.
    pub(super) fn proves_durable(&self) -> u64 {
        self.record_number
            .saturating_sub(1)
            .saturating_sub(u64::from(self.undurable))
    }

    /// The header's bytes. The checksum covers them and the payload, not the zeros after it.
    pub(super) fn encode(&self, payload: &[u8]) -> [u8; RECORD_HEADER_BYTES] {
        let mut bytes = [0u8; RECORD_HEADER_BYTES];
        bytes[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes[8..16].copy_from_slice(&self.use_sequence.to_le_bytes());
        bytes[16] = self.kind as u8;
        bytes[17] = VERSION;
        bytes[20..24].copy_from_slice(&self.undurable.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.index.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.term.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.node.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.durable_index.unwrap_or(NONE).to_le_bytes());
        bytes[56..64].copy_from_slice(&self.record_number.to_le_bytes());
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes[4..]), payload);
        bytes[0..4].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }
}

/// The three header fields of a log id that may be absent: `(term, node, index)`.
pub(super) fn fields(log_id: Option<LogId>) -> (u64, u64, u64) {
    log_id.map_or((0, 0, NONE), |id| (id.term, id.node, id.index))
}

/// Bytes a record with this payload takes.
pub(super) fn record_bytes(payload_length: usize) -> usize {
    (RECORD_HEADER_BYTES + payload_length).next_multiple_of(ALIGNMENT)
}

/// A record that verified, inside the bytes it was decoded from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoded {
    pub(super) header: Header,
    pub(super) payload_length: usize,
}

impl Decoded {
    /// Bytes the record takes, with its padding.
    pub(super) fn length(&self) -> usize {
        record_bytes(self.payload_length)
    }
}

/// Why no record begins where one was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Invalid {
    /// Zeros, or bytes of an earlier use: nothing of this use begins here.
    Nothing,
    /// Bytes of this use that do not verify.
    Broken(&'static str),
    /// It verifies and is the one due, but cannot follow what came before: no crash does that.
    Contradiction(String),
    /// It verifies, and a newer version wrote it.
    Unsupported(String),
}

/// Payload length and use sequence of the header at the start of `bytes`, unverified.
pub(super) fn peek(bytes: &[u8]) -> Option<(usize, u64)> {
    let header = bytes.get(..RECORD_HEADER_BYTES)?;
    Some((u32_at(header, 4) as usize, u64_at(header, 8)))
}

/// Decodes the record at the start of `bytes` (which may go on after it) and verifies its checksum.
pub(super) fn decode(bytes: &[u8], use_sequence: u64) -> Result<Decoded, Invalid> {
    let Some((payload_length, found)) = peek(bytes) else {
        return Err(Invalid::Nothing);
    };
    if found != use_sequence {
        return Err(Invalid::Nothing);
    }
    let Some(payload) = bytes.get(RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + payload_length) else {
        return Err(Invalid::Broken("the length does not fit the segment"));
    };
    let header = &bytes[..RECORD_HEADER_BYTES];
    if crc32c::crc32c_append(crc32c::crc32c(&header[4..]), payload) != u32_at(header, 0) {
        return Err(Invalid::Broken("the checksum does not match"));
    }
    if header[17] != VERSION {
        return Err(Invalid::Unsupported(format!(
            "record version {}",
            header[17]
        )));
    }
    let Some(kind) = Kind::from_byte(header[16]) else {
        return Err(Invalid::Unsupported(format!("record kind {}", header[16])));
    };
    let durable_index = u64_at(header, 48);
    let header = Header {
        kind,
        use_sequence,
        record_number: u64_at(header, 56),
        undurable: u32_at(header, 20),
        durable_index: (durable_index != NONE).then_some(durable_index),
        term: u64_at(header, 32),
        node: u64_at(header, 40),
        index: u64_at(header, 24),
    };
    Ok(Decoded {
        header,
        payload_length,
    })
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4]
        .iter()
        .rev()
        .fold(0, |value, byte| (value << 8) | u32::from(*byte))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8]
        .iter()
        .rev()
        .fold(0, |value, byte| (value << 8) | u64::from(*byte))
}
