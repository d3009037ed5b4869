//! Requests: what one caller sent, with its own chains, imported mode and results.

use crate::account::Account;
use crate::bytes::{get_u16, get_u32, put};
use crate::ledger::Ledger;
use crate::record::RecordItem;
use crate::setting::Setting;
use crate::transfer::Transfer;

use super::{
    EntryError, PRINCIPAL_BYTES_MAX, REQUEST_BYTES_MAX, REQUEST_HEADER_BYTES, REQUEST_ITEMS_MAX,
    REQUEST_SECTIONS_MAX, SECTION_HEADER_BYTES, Section, SectionKind,
};

/// A checked request, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    bytes: &'a [u8],
    principal: &'a [u8],
    section_count: usize,
    sections: &'a [u8],
    item_count: usize,
    pulse_count: usize,
}

impl<'a> Request<'a> {
    /// Checks the bytes of one whole request, length field included.
    ///
    /// # Errors
    /// When they are not exactly one request of the format.
    pub fn new(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let (request, rest) = Self::split_from(bytes)?;
        if rest.is_empty() {
            Ok(request)
        } else {
            Err(EntryError::TrailingBytes)
        }
    }

    /// Splits a request off the front and checks it.
    pub(super) fn split_from(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), EntryError> {
        let (mut request, rest) = Self::split_header(bytes)?;
        let mut sections = request.sections;
        for _ in 0..request.section_count {
            let (section, behind) = Section::split_from(sections)?;
            sections = behind;
            request.item_count = request.item_count.saturating_add(section.count());
            request.pulse_count += usize::from(section.kind() == SectionKind::Pulse);
        }
        if !sections.is_empty() {
            return Err(EntryError::TrailingBytes);
        }
        if request.item_count > REQUEST_ITEMS_MAX {
            return Err(EntryError::TooManyItems);
        }
        Ok((request, rest))
    }

    /// A request of an entry that was checked before.
    pub(super) fn split_checked(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (mut request, rest) = Self::split_header(bytes).ok()?;
        let (items, pulses) = request.sections().fold((0, 0), |(items, pulses), section| {
            (
                items + section.count(),
                pulses + usize::from(section.kind() == SectionKind::Pulse),
            )
        });
        request.item_count = items;
        request.pulse_count = pulses;
        Some((request, rest))
    }

    fn split_header(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), EntryError> {
        let (header, rest) = bytes
            .split_at_checked(REQUEST_HEADER_BYTES)
            .ok_or(EntryError::Truncated)?;
        let length =
            usize::try_from(get_u32(header, 0)).map_err(|_| EntryError::RequestTooLarge)?;
        let whole = length.checked_add(4).ok_or(EntryError::RequestTooLarge)?;
        if whole > REQUEST_BYTES_MAX {
            return Err(EntryError::RequestTooLarge);
        }
        if get_u16(header, 4) != 0 {
            return Err(EntryError::ReservedNotZero);
        }
        let body_length = whole
            .checked_sub(REQUEST_HEADER_BYTES)
            .ok_or(EntryError::Truncated)?;
        let (body, behind) = rest
            .split_at_checked(body_length)
            .ok_or(EntryError::Truncated)?;
        let (principal, sections) = body
            .split_at_checked(usize::from(header[6]))
            .ok_or(EntryError::Truncated)?;
        let request = Self {
            bytes: &bytes[..whole],
            principal,
            section_count: usize::from(header[7]),
            sections,
            item_count: 0,
            pulse_count: 0,
        };
        Ok((request, behind))
    }

    /// The whole encoded request, length field included.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Who asked: opaque here.
    pub const fn principal(&self) -> &'a [u8] {
        self.principal
    }

    /// Items over all sections.
    pub const fn item_count(&self) -> usize {
        self.item_count
    }

    /// Pulses among them.
    pub const fn pulse_count(&self) -> usize {
        self.pulse_count
    }

    /// The sections in order.
    pub fn sections(&self) -> Sections<'a> {
        Sections {
            rest: self.sections,
        }
    }
}

/// The sections of a request.
#[derive(Clone, Debug)]
pub struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        let (section, rest) = Section::split_checked(self.rest)?;
        self.rest = rest;
        Some(section)
    }
}

/// Encodes one request. Mistakes are kept and reported by [`RequestBuilder::finish`].
#[derive(Clone, Debug)]
pub struct RequestBuilder {
    bytes: Vec<u8>,
    sections: usize,
    principal: usize,
}

impl RequestBuilder {
    /// A request of `principal`, without sections.
    pub fn new(principal: &[u8]) -> Self {
        let mut bytes = vec![0; REQUEST_HEADER_BYTES];
        bytes.extend_from_slice(principal);
        Self {
            bytes,
            sections: 0,
            principal: principal.len(),
        }
    }

    /// Appends a section of items that are encoded already.
    #[must_use]
    pub fn section(mut self, kind: SectionKind, count: usize, items: &[u8]) -> Self {
        self.begin_section(kind, count, items.len());
        self.bytes.extend_from_slice(items);
        self
    }

    /// Appends a section of accounts.
    #[must_use]
    pub fn accounts(mut self, accounts: &[Account]) -> Self {
        self.begin_section(
            SectionKind::Accounts,
            accounts.len(),
            accounts.len() * Account::BYTES,
        );
        accounts
            .iter()
            .for_each(|account| account.write_to(&mut self.bytes));
        self
    }

    /// Appends a section of transfers.
    #[must_use]
    pub fn transfers(mut self, transfers: &[Transfer]) -> Self {
        self.begin_section(
            SectionKind::Transfers,
            transfers.len(),
            transfers.len() * Transfer::BYTES,
        );
        transfers
            .iter()
            .for_each(|transfer| transfer.write_to(&mut self.bytes));
        self
    }

    /// Appends a section of ledgers.
    #[must_use]
    pub fn ledgers(mut self, ledgers: &[Ledger]) -> Self {
        self.begin_section(
            SectionKind::Ledgers,
            ledgers.len(),
            ledgers.len() * Ledger::BYTES,
        );
        ledgers
            .iter()
            .for_each(|ledger| ledger.write_to(&mut self.bytes));
        self
    }

    /// Appends a section of record writes.
    #[must_use]
    pub fn records(self, records: &[RecordItem<'_>]) -> Self {
        let mut items = Vec::new();
        records
            .iter()
            .for_each(|record| record.write_to(&mut items));
        self.section(SectionKind::Records, records.len(), &items)
    }

    /// Appends a pulse.
    #[must_use]
    pub fn pulse(self) -> Self {
        self.section(SectionKind::Pulse, 1, &[])
    }

    /// Appends a section of settings.
    #[must_use]
    pub fn settings(mut self, settings: &[Setting]) -> Self {
        self.begin_section(
            SectionKind::Configuration,
            settings.len(),
            settings.len() * Setting::BYTES,
        );
        settings
            .iter()
            .for_each(|setting| setting.write_to(&mut self.bytes));
        self
    }

    /// The encoded request, length field included.
    ///
    /// # Errors
    /// When it breaks a limit of the format or a section is not what its kind says.
    pub fn finish(mut self) -> Result<Vec<u8>, EntryError> {
        if self.principal > PRINCIPAL_BYTES_MAX {
            return Err(EntryError::PrincipalTooLong);
        }
        if self.sections > REQUEST_SECTIONS_MAX {
            return Err(EntryError::TooManySections);
        }
        if self.bytes.len() > REQUEST_BYTES_MAX {
            return Err(EntryError::RequestTooLarge);
        }
        let length =
            u32::try_from(self.bytes.len() - 4).map_err(|_| EntryError::RequestTooLarge)?;
        put(&mut self.bytes, 0, &length.to_le_bytes());
        self.bytes[6] = u8::try_from(self.principal).map_err(|_| EntryError::PrincipalTooLong)?;
        self.bytes[7] = u8::try_from(self.sections).map_err(|_| EntryError::TooManySections)?;
        Request::new(&self.bytes)?;
        Ok(self.bytes)
    }

    fn begin_section(&mut self, kind: SectionKind, count: usize, length: usize) {
        self.sections += 1;
        let mut header = [0; SECTION_HEADER_BYTES];
        put(&mut header, 0, &kind.code().to_le_bytes());
        // What does not fit is far above the limits, which `finish` checks.
        put(
            &mut header,
            4,
            &u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes(),
        );
        put(
            &mut header,
            8,
            &u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes(),
        );
        self.bytes.extend_from_slice(&header);
    }
}
