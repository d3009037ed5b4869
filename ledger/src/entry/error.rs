//! What can be wrong with the bytes of an entry.

use std::fmt;

/// Why bytes are not an entry, or a request, of this format. In a committed entry any of these stops the node:
/// skipping what it does not understand would make it differ from the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryError {
    /// The bytes end inside a header, a request, a section or an item.
    Truncated,
    /// Bytes are left over behind the last request, section or item.
    TrailingBytes,
    /// The envelope has another version.
    UnknownVersion(u16),
    /// The entry needs a feature level this code does not have.
    UnknownFeatureLevel(u16),
    /// The proposed time is above the last timestamp there is.
    TimeOutOfRange(u64),
    /// Flags of a request or a reserved field are not zero.
    ReservedNotZero,
    /// A section of a kind this code does not know.
    UnknownKind(u16),
    /// A configuration item for a setting this code does not know.
    UnknownSetting(u32),
    /// The length of a section is not that of its count of items.
    LengthMismatch,
    /// More than [`super::ENTRY_BYTES_MAX`].
    EntryTooLarge,
    /// More than [`super::REQUEST_BYTES_MAX`].
    RequestTooLarge,
    /// More than [`super::REQUEST_ITEMS_MAX`].
    TooManyItems,
    /// More than [`super::REQUEST_SECTIONS_MAX`].
    TooManySections,
    /// More than [`super::ENTRY_PULSES_MAX`].
    TooManyPulses,
    /// More than [`super::PRINCIPAL_BYTES_MAX`].
    PrincipalTooLong,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the entry ends too early"),
            Self::TrailingBytes => f.write_str("the entry has bytes behind its end"),
            Self::UnknownVersion(version) => write!(f, "unknown entry version {version}"),
            Self::UnknownFeatureLevel(level) => write!(f, "unknown feature level {level}"),
            Self::TimeOutOfRange(time) => write!(f, "proposed time {time} is out of range"),
            Self::ReservedNotZero => f.write_str("a reserved field of the envelope is not zero"),
            Self::UnknownKind(kind) => write!(f, "unknown section kind {kind}"),
            Self::UnknownSetting(setting) => write!(f, "unknown setting {setting}"),
            Self::LengthMismatch => f.write_str("a section's length does not fit its count"),
            Self::EntryTooLarge => f.write_str("the entry is too large"),
            Self::RequestTooLarge => f.write_str("the request is too large"),
            Self::TooManyItems => f.write_str("the request has too many items"),
            Self::TooManySections => f.write_str("the request has too many sections"),
            Self::TooManyPulses => f.write_str("the entry has more than one pulse"),
            Self::PrincipalTooLong => f.write_str("the principal is too long"),
        }
    }
}

impl std::error::Error for EntryError {}
