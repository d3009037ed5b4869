//! Records: small versioned values for what surrounds the money, writable in one chain with transfers.

use std::cmp::Ordering;
use std::fmt;

use crate::bytes::{get_u16, get_u32, get_u64, get_u128, put};
use crate::flags::flags;

/// Bytes of a key at most; at least one.
pub const RECORD_KEY_BYTES_MAX: usize = 64;
/// Bytes of a value at most.
pub const RECORD_VALUE_BYTES_MAX: usize = 4096;
/// Rows of one namespace at most, deleted ones included: a constant of the log format.
pub const NAMESPACE_ROWS_MAX: u64 = 1_048_576;
/// Bytes of keys and values of one namespace at most: a constant of the log format.
pub const NAMESPACE_BYTES_MAX: u64 = 1 << 30;
/// An `expected_version` that every version meets.
pub const VERSION_ANY: u64 = u64::MAX;
/// An `expected_version` that only an absent or deleted row meets.
pub const VERSION_ABSENT: u64 = 0;

flags! {
    /// Flags of a record item; the bits are frozen.
    RecordFlags {
        /// Succeeds or fails together with the next item.
        LINKED = 0;
        /// Deletes the row instead of writing it.
        DELETE = 1;
    }
}

/// One write of a record, as in a request, borrowed from its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordItem<'a> {
    /// Identity of this write: its retry is answered `exists`. Not zero, not 2^128 - 1.
    pub operation_id: u128,
    /// The version the row must have: [`VERSION_ANY`], [`VERSION_ABSENT`] or an exact one.
    pub expected_version: u64,
    /// The partition of keys that has its own limits. Not zero.
    pub namespace: u32,
    /// See [`RecordFlags`].
    pub flags: RecordFlags,
    /// Must be zero.
    pub reserved: u32,
    /// 1 to 64 bytes, or the item is refused.
    pub key: &'a [u8],
    /// 0 to 4096 bytes, or the item is refused.
    pub value: &'a [u8],
}

impl<'a> RecordItem<'a> {
    /// Bytes before the key.
    pub const HEADER_BYTES: usize = 40;

    /// Length of the item that begins `bytes`; `None` when the bytes end before it does.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        if bytes.len() < Self::HEADER_BYTES {
            return None;
        }
        let key_length = usize::from(get_u16(bytes, 30));
        let value_length = usize::try_from(get_u32(bytes, 32)).ok()?;
        let length = Self::HEADER_BYTES
            .checked_add(key_length)?
            .checked_add(value_length)?;
        (length <= bytes.len()).then_some(length)
    }

    /// The item that begins `bytes` and the bytes behind it; `None` when the bytes end before it does.
    pub fn split_from(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (item, rest) = bytes.split_at(Self::length(bytes)?);
        let (header, content) = item.split_at(Self::HEADER_BYTES);
        let (key, value) = content.split_at(usize::from(get_u16(header, 30)));
        let item = Self {
            operation_id: get_u128(header, 0),
            expected_version: get_u64(header, 16),
            namespace: get_u32(header, 24),
            flags: RecordFlags(get_u16(header, 28)),
            reserved: get_u32(header, 36),
            key,
            value,
        };
        Some((item, rest))
    }

    /// Appends the item. Lengths that do not fit their fields are cut to the field's maximum along with the bytes,
    /// which the state then refuses by status: both maxima are far above what is valid.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let key = &self.key[..self.key.len().min(usize::from(u16::MAX))];
        let key_length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        let value = &self.value[..self.value.len().min(1 << 24)];
        let value_length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let mut header = [0; Self::HEADER_BYTES];
        put(&mut header, 0, &self.operation_id.to_le_bytes());
        put(&mut header, 16, &self.expected_version.to_le_bytes());
        put(&mut header, 24, &self.namespace.to_le_bytes());
        put(&mut header, 28, &self.flags.0.to_le_bytes());
        put(&mut header, 30, &key_length.to_le_bytes());
        put(&mut header, 32, &value_length.to_le_bytes());
        put(&mut header, 36, &self.reserved.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(key);
        out.extend_from_slice(value);
    }

    /// The row this item writes; `None` when the key's length is out of range.
    pub fn record_key(&self) -> Option<RecordKey> {
        RecordKey::new(self.namespace, self.key)
    }

    /// FNV-1a, 64 bit, of what the write asks for: whether it deletes, the version it expects, its value. Kept in
    /// the row so that the retry of a write is told from another write under the same operation id.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        add(&[u8::from(self.flags.contains(RecordFlags::DELETE))]);
        add(&self.expected_version.to_le_bytes());
        add(self.value);
        hash
    }
}

/// Identity of a record: namespace and key, ordered by both.
#[derive(Clone, Copy)]
pub struct RecordKey {
    namespace: u32,
    length: u8,
    bytes: [u8; RECORD_KEY_BYTES_MAX],
}

impl RecordKey {
    /// `None` when the key is empty or longer than 64 bytes.
    pub fn new(namespace: u32, key: &[u8]) -> Option<Self> {
        let mut bytes = [0; RECORD_KEY_BYTES_MAX];
        bytes.get_mut(..key.len())?.copy_from_slice(key);
        let length = u8::try_from(key.len()).ok()?;
        (length != 0).then_some(Self {
            namespace,
            length,
            bytes,
        })
    }

    /// The namespace.
    pub const fn namespace(&self) -> u32 {
        self.namespace
    }

    /// The key, 1 to 64 bytes.
    pub fn key(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl PartialEq for RecordKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for RecordKey {}

impl PartialOrd for RecordKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RecordKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.namespace, self.key()).cmp(&(other.namespace, other.key()))
    }
}

impl std::hash::Hash for RecordKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.namespace, self.key()).hash(state);
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RecordKey({}, {})",
            self.namespace,
            self.key().escape_ascii()
        )
    }
}

/// A stored record. A deleted one stays as a row without a value, so that its last write can be recognised.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Record {
    /// Counts the writes of the row, deletions included, from 1.
    pub version: u64,
    /// Identity of the last write.
    pub operation_id: u128,
    /// ns, of the last write.
    pub timestamp: u64,
    /// True after a deletion.
    pub deleted: bool,
    /// [`RecordItem::fingerprint`] of the last write.
    pub fingerprint: u64,
    /// Empty when deleted.
    pub value: Vec<u8>,
}

impl Record {
    /// Bytes before the value.
    pub const HEADER_BYTES: usize = 48;

    /// Appends the stored form.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let value = &self.value[..self.value.len().min(RECORD_VALUE_BYTES_MAX)];
        let value_length = u32::try_from(value.len()).unwrap_or(0);
        let mut header = [0; Self::HEADER_BYTES];
        put(&mut header, 0, &self.version.to_le_bytes());
        put(&mut header, 8, &self.operation_id.to_le_bytes());
        put(&mut header, 24, &self.timestamp.to_le_bytes());
        put(&mut header, 32, &u16::from(self.deleted).to_le_bytes());
        put(&mut header, 36, &self.fingerprint.to_le_bytes());
        put(&mut header, 44, &value_length.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(value);
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::HEADER_BYTES + self.value.len());
        self.write_to(&mut out);
        out
    }

    /// Reads [`Record::to_bytes`]; `None` when a length, a flag or a reserved field is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (header, value) = bytes.split_at_checked(Self::HEADER_BYTES)?;
        let deleted = match get_u16(header, 32) {
            0 => false,
            1 => true,
            _ => return None,
        };
        let value_length = usize::try_from(get_u32(header, 44)).ok()?;
        if get_u16(header, 34) != 0
            || value_length != value.len()
            || value_length > RECORD_VALUE_BYTES_MAX
        {
            return None;
        }
        Some(Self {
            version: get_u64(header, 0),
            operation_id: get_u128(header, 8),
            timestamp: get_u64(header, 24),
            deleted,
            fingerprint: get_u64(header, 36),
            value: value.to_vec(),
        })
    }
}

/// What a namespace holds: the measure of its limits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct NamespaceTotals {
    /// Rows, deleted ones included: they are kept, so they count.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl NamespaceTotals {
    /// The 16 bytes of the format.
    pub fn to_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        put(&mut bytes, 0, &self.rows.to_le_bytes());
        put(&mut bytes, 8, &self.bytes.to_le_bytes());
        bytes
    }

    /// Reads [`NamespaceTotals::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self {
            rows: get_u64(bytes, 0),
            bytes: get_u64(bytes, 8),
        }
    }
}
