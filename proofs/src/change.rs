//! The bytes of a change that are hashed: the same for whoever has it, in whatever form it came.
//!
//! `sequence u64 LE, version u8 (1), kind u8, reserved u16 (0), body`. Kind 0 is a transfer, whose body is the 256 bytes of
//! its row (the transfer, then the balances after it of the debit and of the credit account), packed; the other kinds and
//! their bodies are those of [`farthing_ledger::Event`].

use farthing_ledger::{Event, KIND_TRANSFER, TransferRow, packed};

use crate::Hash;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 12;
/// A change is no longer than this, in bytes: its header, and a record with the longest key and value.
pub const CHANGE_BYTES_MAX: usize = 128 << 10;

/// One change of the dense sequence: an event of the stream.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // most are transfers
pub enum Change {
    /// A transfer was created, with the balances after it.
    Transfer(TransferRow),
    /// Anything else.
    Event(Event),
}

impl Change {
    /// Reads a change of this sequence and kind. `None` when the body is none of that kind.
    pub fn from_body(sequence: u64, kind: u8, body: &[u8]) -> Option<Self> {
        Some(match kind {
            KIND_TRANSFER => {
                let row = packed::unpack_all::<{ TransferRow::BYTES }>(body)?;
                Self::Transfer(TransferRow::from_bytes(sequence, &row))
            }
            _ => Self::Event(Event::from_body(sequence, kind, body).ok()?),
        })
    }

    /// Its place in the dense sequence, from 1.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Transfer(row) => row.sequence,
            Self::Event(event) => event.sequence,
        }
    }

    /// When it happened: ns since 1970, by the cluster's clock.
    pub fn timestamp(&self) -> u64 {
        match self {
            Self::Transfer(row) => row.transfer.timestamp,
            Self::Event(event) => event.timestamp,
        }
    }

    /// Its leaf in the tree.
    pub fn leaf(&self) -> Hash {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + TransferRow::BYTES);
        self.write_to(&mut bytes);
        Hash::of_leaf(&bytes)
    }

    /// Appends its bytes.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Transfer(row) => {
                write_header(row.sequence, KIND_TRANSFER, out);
                packed::pack(&row.to_bytes(), out);
            }
            Self::Event(event) => {
                write_header(event.sequence, event.kind(), out);
                event.write_body(out);
            }
        }
    }

    /// Reads them. `None` unless they are just what [`Change::write_to`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (header, body) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let (sequence, rest) = header.split_first_chunk()?;
        let sequence = u64::from_le_bytes(*sequence);
        let &[VERSION, kind, 0, 0] = rest else {
            return None;
        };
        let event = Self::from_body(sequence, kind, body)?;
        let mut again = Vec::with_capacity(bytes.len());
        event.write_to(&mut again);
        (again == bytes).then_some(event)
    }
}

/// The leaf of a change by its sequence, kind and body; `buffer` saves an allocation for each.
#[inline]
pub fn leaf(sequence: u64, kind: u8, body: &[u8], buffer: &mut Vec<u8>) -> Hash {
    buffer.clear();
    write(sequence, kind, body, buffer);
    Hash::of_leaf(buffer)
}

/// Appends the bytes of a change by its sequence, kind and body.
#[inline]
pub fn write(sequence: u64, kind: u8, body: &[u8], out: &mut Vec<u8>) {
    write_header(sequence, kind, out);
    out.extend_from_slice(body);
}

fn write_header(sequence: u64, kind: u8, out: &mut Vec<u8>) {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&sequence.to_le_bytes());
    header[8] = VERSION;
    header[9] = kind;
    out.extend_from_slice(&header);
}
