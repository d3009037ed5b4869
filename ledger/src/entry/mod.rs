//! The envelope of a replicated entry: requests, sections, items. Format version 1, described in
//! `docs/internals/disk.md`.
//!
//! [`EntryReader::new`] checks everything about an entry that is not a matter of statuses; after it, walking the
//! requests, sections and items cannot fail and copies nothing. The writers ([`RequestBuilder`], [`EntryBuilder`])
//! refuse to build what the reader would refuse.

mod builder;
mod error;
mod reader;
mod request;
mod section;

pub use builder::EntryBuilder;
pub use error::EntryError;
pub use reader::{EntryReader, Requests};
pub use request::{Request, RequestBuilder, Sections};
pub use section::{Accounts, Ledgers, Records, Section, SectionKind, Settings, Transfers};

/// Version of the envelope.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes before the first request.
pub const ENTRY_HEADER_BYTES: usize = 16;
/// Bytes before a request's principal.
pub const REQUEST_HEADER_BYTES: usize = 8;
/// Bytes before a section's items.
pub const SECTION_HEADER_BYTES: usize = 12;
/// Items of one request at most, over all its sections.
pub const REQUEST_ITEMS_MAX: usize = 8_189;
/// Bytes of one request at most, its length field included.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Bytes of one entry at most.
pub const ENTRY_BYTES_MAX: usize = 16 << 20;
/// Sections of one request at most.
pub const REQUEST_SECTIONS_MAX: usize = 255;
/// Bytes of a principal at most.
pub const PRINCIPAL_BYTES_MAX: usize = 255;
/// Pulses of one entry at most: one expires up to [`PULSE_EXPIRIES_MAX`] transfers already.
pub const ENTRY_PULSES_MAX: usize = 1;
/// Pending transfers that one pulse expires at most.
pub const PULSE_EXPIRIES_MAX: usize = 1_024;
