//! The answer to one item: a timestamp and a numbered status.

use crate::bytes::{get_u32, get_u64, put};

/// The answer to one item.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct ItemResult {
    /// ns. Of what was created; for `exists`, of what exists already; otherwise the time at which it was refused.
    pub timestamp: u64,
    /// Number of the status of the item's kind; 0 is success for every kind.
    pub status: u32,
}

impl ItemResult {
    /// Encoded length.
    pub const BYTES: usize = 16;

    /// The 16 bytes of the wire.
    pub fn to_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        put(&mut bytes, 0, &self.timestamp.to_le_bytes());
        put(&mut bytes, 8, &self.status.to_le_bytes());
        bytes
    }

    /// Reads [`ItemResult::to_bytes`]; reserved bytes are ignored.
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self {
            timestamp: get_u64(bytes, 0),
            status: get_u32(bytes, 8),
        }
    }

    /// Appends [`ItemResult::to_bytes`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }
}

/// The answers to one request, in the order of its items.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RequestResults {
    /// One list for each section of the request, one result for each item of the section. A pulse has one result.
    pub sections: Vec<Vec<ItemResult>>,
}
