//! Writing entries: many requests become one entry without their items being decoded.

use crate::bytes::put;
use crate::setting::FEATURE_LEVEL_MAX;

use super::{
    ENTRY_BYTES_MAX, ENTRY_HEADER_BYTES, ENTRY_PULSES_MAX, EntryError, FORMAT_VERSION, Request,
    RequestBuilder, SectionKind,
};

/// Collects encoded requests into an entry.
#[derive(Clone, Debug)]
pub struct EntryBuilder {
    bytes: Vec<u8>,
    requests: u32,
    pulses: usize,
}

impl EntryBuilder {
    /// An entry without requests, proposed at `proposed_time` (ns).
    pub fn new(proposed_time: u64) -> Self {
        Self::with_capacity(proposed_time, ENTRY_HEADER_BYTES)
    }

    /// The same, with room for `bytes`.
    pub fn with_capacity(proposed_time: u64, bytes: usize) -> Self {
        let mut builder = Self {
            bytes: Vec::with_capacity(bytes.max(ENTRY_HEADER_BYTES)),
            requests: 0,
            pulses: 0,
        };
        builder.bytes.resize(ENTRY_HEADER_BYTES, 0);
        put(&mut builder.bytes, 0, &FORMAT_VERSION.to_le_bytes());
        put(&mut builder.bytes, 2, &FEATURE_LEVEL_MAX.to_le_bytes());
        builder.set_proposed_time(proposed_time);
        builder
    }

    /// Changes the proposed time (ns): the leader sets it last, when the entry is about to be proposed.
    pub fn set_proposed_time(&mut self, proposed_time: u64) {
        put(&mut self.bytes, 8, &proposed_time.to_le_bytes());
    }

    /// Appends one whole encoded request (what [`RequestBuilder::finish`] made).
    ///
    /// # Errors
    /// When the bytes are not exactly one request or the entry would break a limit; it is unchanged then.
    pub fn push(&mut self, request: &[u8]) -> Result<(), EntryError> {
        let checked = Request::new(request)?;
        if self.bytes.len() + request.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::EntryTooLarge);
        }
        if self.pulses + checked.pulse_count() > ENTRY_PULSES_MAX {
            return Err(EntryError::TooManyPulses);
        }
        self.pulses += checked.pulse_count();
        self.requests += 1;
        self.bytes.extend_from_slice(request);
        Ok(())
    }

    /// Appends a request made of sections whose items are encoded already: (kind, count, items).
    ///
    /// # Errors
    /// When a section is not what its kind says or a limit would be broken; the entry is unchanged then.
    pub fn push_sections(
        &mut self,
        principal: &[u8],
        sections: &[(SectionKind, usize, &[u8])],
    ) -> Result<(), EntryError> {
        let builder = sections.iter().fold(
            RequestBuilder::new(principal),
            |builder, &(kind, count, items)| builder.section(kind, count, items),
        );
        self.push(&builder.finish()?)
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Requests so far.
    pub const fn request_count(&self) -> u32 {
        self.requests
    }

    /// True without requests.
    pub const fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// The encoded entry.
    pub fn finish(mut self) -> Vec<u8> {
        put(&mut self.bytes, 4, &self.requests.to_le_bytes());
        self.bytes
    }
}
