//! Reading entries: checked once, then borrowed.

use crate::TIMESTAMP_MAX;
use crate::bytes::{get_u16, get_u32, get_u64};
use crate::setting::FEATURE_LEVEL_MAX;

use super::{
    ENTRY_BYTES_MAX, ENTRY_HEADER_BYTES, ENTRY_PULSES_MAX, EntryError, FORMAT_VERSION, Request,
};

/// A checked entry, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct EntryReader<'a> {
    bytes: &'a [u8],
    feature_level: u16,
    proposed_time: u64,
    request_count: usize,
    item_count: usize,
}

impl<'a> EntryReader<'a> {
    /// Checks the bytes of an entry completely.
    ///
    /// # Errors
    /// When they are not exactly one entry of a format this code can apply. No input panics.
    pub fn new(bytes: &'a [u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::EntryTooLarge);
        }
        let (header, mut rest) = bytes
            .split_at_checked(ENTRY_HEADER_BYTES)
            .ok_or(EntryError::Truncated)?;
        let version = get_u16(header, 0);
        if version != FORMAT_VERSION {
            return Err(EntryError::UnknownVersion(version));
        }
        let feature_level = get_u16(header, 2);
        if feature_level == 0 || feature_level > FEATURE_LEVEL_MAX {
            return Err(EntryError::UnknownFeatureLevel(feature_level));
        }
        let proposed_time = get_u64(header, 8);
        if proposed_time > TIMESTAMP_MAX {
            return Err(EntryError::TimeOutOfRange(proposed_time));
        }
        let request_count =
            usize::try_from(get_u32(header, 4)).map_err(|_| EntryError::Truncated)?;
        let (mut item_count, mut pulse_count) = (0, 0);
        for _ in 0..request_count {
            let (request, behind) = Request::split_from(rest)?;
            rest = behind;
            item_count += request.item_count();
            pulse_count += request.pulse_count();
        }
        if !rest.is_empty() {
            return Err(EntryError::TrailingBytes);
        }
        if pulse_count > ENTRY_PULSES_MAX {
            return Err(EntryError::TooManyPulses);
        }
        Ok(Self {
            bytes,
            feature_level,
            proposed_time,
            request_count,
            item_count,
        })
    }

    /// The whole entry.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The feature level the entry needs.
    pub const fn feature_level(&self) -> u16 {
        self.feature_level
    }

    /// ns, as the leader proposed it; the state keeps it strictly increasing.
    pub const fn proposed_time(&self) -> u64 {
        self.proposed_time
    }

    /// Number of requests.
    pub const fn request_count(&self) -> usize {
        self.request_count
    }

    /// Items over all requests.
    pub const fn item_count(&self) -> usize {
        self.item_count
    }

    /// The requests in order.
    pub fn requests(&self) -> Requests<'a> {
        Requests {
            rest: &self.bytes[ENTRY_HEADER_BYTES..],
        }
    }
}

/// The requests of an entry.
#[derive(Clone, Debug)]
pub struct Requests<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Requests<'a> {
    type Item = Request<'a>;

    fn next(&mut self) -> Option<Request<'a>> {
        let (request, rest) = Request::split_checked(self.rest)?;
        self.rest = rest;
        Some(request)
    }
}
