//! What is known of a pending transfer: the transfer itself and which of its ends it has met.

use crate::bytes::{field, get_u64, put};
use crate::transfer::Transfer;

/// Where a pending transfer stands. It leaves `Pending` exactly once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum PendingStatus {
    /// The amount is reserved.
    Pending = 0,
    /// Posted, wholly or in part.
    Posted = 1,
    /// Voided.
    Voided = 2,
    /// Expired by a pulse.
    Expired = 3,
}

impl PendingStatus {
    /// The status of a stored number.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Pending),
            1 => Some(Self::Posted),
            2 => Some(Self::Voided),
            3 => Some(Self::Expired),
            _ => None,
        }
    }
}

/// A pending transfer and its status; the row is kept for ever, so that late posts and voids get the right answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pending {
    /// The pending transfer as stored.
    pub transfer: Transfer,
    /// Where it stands.
    pub status: PendingStatus,
    /// Sequence of the pending transfer itself.
    pub sequence: u64,
}

impl Pending {
    /// Encoded length.
    pub const BYTES: usize = 144;

    /// The 144 bytes of the format.
    pub fn to_bytes(&self) -> [u8; 144] {
        let mut bytes = [0; 144];
        put(&mut bytes, 0, &self.transfer.to_bytes());
        bytes[128] = self.status as u8;
        put(&mut bytes, 136, &self.sequence.to_le_bytes());
        bytes
    }

    /// Reads [`Pending::to_bytes`]; `None` for an unknown status or reserved bytes in use.
    pub fn from_bytes(bytes: &[u8; 144]) -> Option<Self> {
        if bytes[129..136].iter().any(|&byte| byte != 0) {
            return None;
        }
        Some(Self {
            transfer: Transfer::from_bytes(&field(bytes, 0)),
            status: PendingStatus::from_code(bytes[128])?,
            sequence: get_u64(bytes, 136),
        })
    }

    /// Appends [`Pending::to_bytes`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// The place in the expiry queue, (expires_at, timestamp), while it is pending and has a timeout.
    pub fn due_at(&self) -> Option<(u64, u64)> {
        if self.status != PendingStatus::Pending {
            return None;
        }
        Some((self.transfer.expires_at()?, self.transfer.timestamp))
    }
}
