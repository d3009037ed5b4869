//! A registered asset: what the number in an account's `ledger` field means.

use crate::bytes::{field, get_u16, get_u32, get_u64, put};
use crate::flags::flags;

/// Decimals a scale may have at most: 10^38 is the largest power of ten below 2^128.
pub const SCALE_MAX: u8 = 38;

flags! {
    /// Flags of a ledger row; the bits are frozen.
    LedgerFlags {
        /// Succeeds or fails together with the next item.
        LINKED = 0;
        /// Set in stored rows that somebody registered; a reserved flag in a request. Rows without it exist because
        /// accounts were created on the number first, which fixed scale 0.
        REGISTERED = 1;
    }
}

/// One ledger, as in a request and as stored. Immutable once registered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Ledger {
    /// The number accounts and transfers carry. Not zero.
    pub ledger: u32,
    /// See [`LedgerFlags`].
    pub flags: LedgerFlags,
    /// Decimals of the smallest unit: an amount of 1 is 10^-scale. 0..=38.
    pub scale: u8,
    /// Bytes of `currency` in use, 1..=16; 0 in a row nobody registered.
    pub currency_length: u8,
    /// ASCII out of `A-Z 0-9 . _ -`, zero padded.
    pub currency: [u8; 16],
    /// Must be zero.
    pub reserved: [u8; 32],
    /// ns, given by the cluster; zero in a request.
    pub timestamp: u64,
}

impl Ledger {
    /// Encoded length.
    pub const BYTES: usize = 64;

    /// A registration request. A currency longer than 16 bytes yields an item that is refused as
    /// `currency_invalid`.
    pub fn new(ledger: u32, currency: &str, scale: u8) -> Self {
        let mut bytes = [0; 16];
        let length = currency.len().min(16);
        bytes[..length].copy_from_slice(&currency.as_bytes()[..length]);
        let currency_length = u8::try_from(currency.len()).unwrap_or(u8::MAX);
        Self {
            ledger,
            scale,
            currency_length,
            currency: bytes,
            ..Self::default()
        }
    }

    /// The currency code, or `None` when it breaks the rule (1 to 16 of `A-Z 0-9 . _ -`, zero padded).
    pub fn currency(&self) -> Option<&str> {
        let (code, padding) = self
            .currency
            .split_at_checked(usize::from(self.currency_length))?;
        let valid = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if code.is_empty() || !code.iter().all(valid) || padding.iter().any(|&byte| byte != 0) {
            return None;
        }
        std::str::from_utf8(code).ok()
    }

    /// The 64 bytes of the format.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        put(&mut bytes, 0, &self.ledger.to_le_bytes());
        put(&mut bytes, 4, &self.flags.0.to_le_bytes());
        bytes[6] = self.scale;
        bytes[7] = self.currency_length;
        put(&mut bytes, 8, &self.currency);
        put(&mut bytes, 24, &self.reserved);
        put(&mut bytes, 56, &self.timestamp.to_le_bytes());
        bytes
    }

    /// Reads [`Ledger::to_bytes`]; every bit pattern is a value, judged by statuses and not here.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        Self {
            ledger: get_u32(bytes, 0),
            flags: LedgerFlags(get_u16(bytes, 4)),
            scale: bytes[6],
            currency_length: bytes[7],
            currency: field(bytes, 8),
            reserved: field(bytes, 24),
            timestamp: get_u64(bytes, 56),
        }
    }

    /// Appends [`Ledger::to_bytes`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }
}
