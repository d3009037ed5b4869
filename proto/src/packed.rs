//! The packed form: building and reading the bytes of requests, results and lookups.
//!
//! Nothing here decodes an item that only passes through: the bytes a client packs
//! are the bytes in the log. Every reader checks lengths against counts and gives an
//! error for hostile bytes.

use bytes::{BufMut, Bytes, BytesMut};
use farthing_ledger::{Account, ItemResult, Ledger, Pending, RecordItem, Transfer, entry};

use crate::error::{FieldError, Reason, Refused};
use crate::limits::{
    ID_BYTES, ITEMS_MAX, REQUEST_BYTES_MAX, RESULT_BYTES, SECTIONS_MAX, request_bytes,
};
use crate::v1::{LookupKind, LookupReply, LookupRequest, Section, SectionKind, SubmitRequest};

/// `LookupReply.found` of an id that is not there.
pub const NOT_FOUND: u8 = 0;
/// `LookupReply.found` of an id whose record follows.
pub const FOUND: u8 = 1;
/// `LookupReply.found` of a transfer id that was refused and can never be used.
pub const REFUSED: u8 = 2;

/// A section of accounts.
#[must_use]
pub fn accounts_section(accounts: &[Account]) -> Section {
    let mut items = BytesMut::with_capacity(accounts.len() * Account::BYTES);
    for account in accounts {
        items.put_slice(&account.to_bytes());
    }
    section(SectionKind::Accounts, accounts.len(), items.freeze())
}

/// A section of transfers.
#[must_use]
pub fn transfers_section(transfers: &[Transfer]) -> Section {
    let mut items = BytesMut::with_capacity(transfers.len() * Transfer::BYTES);
    for transfer in transfers {
        items.put_slice(&transfer.to_bytes());
    }
    section(SectionKind::Transfers, transfers.len(), items.freeze())
}

/// A section of ledgers.
#[must_use]
pub fn ledgers_section(ledgers: &[Ledger]) -> Section {
    let mut items = BytesMut::with_capacity(ledgers.len() * Ledger::BYTES);
    for ledger in ledgers {
        items.put_slice(&ledger.to_bytes());
    }
    section(SectionKind::Ledgers, ledgers.len(), items.freeze())
}

/// A section of record items.
#[must_use]
pub fn records_section(items: &[RecordItem<'_>]) -> Section {
    let mut bytes = Vec::new();
    for item in items {
        item.write_to(&mut bytes);
    }
    section(SectionKind::Records, items.len(), bytes.into())
}

/// A section of already encoded items. A count past 2^32 is saturated and thereby
/// refused by [`check_request`].
#[must_use]
pub fn section(kind: SectionKind, count: usize, items: Bytes) -> Section {
    Section {
        kind: kind.into(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        items,
    }
}

/// Checks the shape of a request: known kinds, counts that agree with lengths, and
/// the limits of the log format. Items themselves are judged by the ledger.
///
/// Returns the number of items.
///
/// # Errors
/// [`Reason::TooLarge`], or [`Reason::InvalidField`] with the path of the section.
pub fn check_request(request: &SubmitRequest) -> Result<usize, Refused> {
    if request.sections.len() > SECTIONS_MAX {
        return Err(too_large("sections", request.sections.len(), SECTIONS_MAX));
    }
    let mut count: usize = 0;
    let mut violations = Vec::new();
    for (number, section) in request.sections.iter().enumerate() {
        count = count.saturating_add(usize::try_from(section.count).unwrap_or(usize::MAX));
        if let Err(description) = check_section(section) {
            violations.push(FieldError::new(format!("sections[{number}]"), description));
        }
    }
    if count > ITEMS_MAX {
        return Err(too_large("items", count, ITEMS_MAX));
    }
    let length = request_bytes(request.sections.iter().map(|section| section.items.len()));
    if length > REQUEST_BYTES_MAX {
        return Err(too_large("bytes", length, REQUEST_BYTES_MAX));
    }
    if count == 0 && violations.is_empty() {
        violations.push(FieldError::new(
            "sections",
            "a request needs at least one item",
        ));
    }
    if violations.is_empty() {
        Ok(count)
    } else {
        Err(Refused::invalid(violations))
    }
}

/// A section as `EntryBuilder::push_sections` takes it: kind, count, items.
pub type EntrySection<'a> = (entry::SectionKind, usize, &'a [u8]);

/// The sections of a request as the log's envelope takes them, checked by
/// [`check_request`] first; items are borrowed, not copied.
///
/// # Errors
/// Those of [`check_request`].
pub fn entry_sections(request: &SubmitRequest) -> Result<Vec<EntrySection<'_>>, Refused> {
    check_request(request)?;
    Ok(request
        .sections
        .iter()
        .filter_map(|section| {
            let kind = u16::try_from(section.kind).ok()?;
            let kind = entry::SectionKind::from_code(kind)?;
            let count = usize::try_from(section.count).ok()?;
            Some((kind, count, section.items.as_ref()))
        })
        .collect())
}

fn check_section(section: &Section) -> Result<(), String> {
    let count = u64::from(section.count);
    let length = section.items.len() as u64;
    let item_bytes = match SectionKind::try_from(section.kind) {
        Ok(SectionKind::Accounts) => Account::BYTES as u64,
        Ok(SectionKind::Transfers) => Transfer::BYTES as u64,
        Ok(SectionKind::Ledgers) => Ledger::BYTES as u64,
        Ok(SectionKind::Records) => return check_records(section),
        Ok(SectionKind::Unspecified) | Err(_) => {
            return Err(format!("kind {} cannot be submitted", section.kind));
        }
    };
    if count * item_bytes == length {
        Ok(())
    } else {
        Err(format!(
            "{count} items of {item_bytes} bytes do not make {length} bytes"
        ))
    }
}

fn check_records(section: &Section) -> Result<(), String> {
    let mut rest: &[u8] = &section.items;
    for number in 0..section.count {
        match RecordItem::split_from(rest) {
            Some((_, after)) => rest = after,
            None => return Err(format!("the bytes end inside record item {number}")),
        }
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(format!("{} bytes follow the last record item", rest.len()))
    }
}

fn too_large(what: &str, found: usize, most: usize) -> Refused {
    Refused::new(
        Reason::TooLarge,
        format!("the request has {found} {what}, the most is {most}: split it"),
    )
}

/// The results of one section as the bytes of a reply.
#[must_use]
pub fn write_results(results: &[ItemResult]) -> Bytes {
    let mut out = BytesMut::with_capacity(results.len() * RESULT_BYTES);
    for result in results {
        out.put_slice(&result.to_bytes());
    }
    out.freeze()
}

/// Reads the results of one section; `None` when the length is not a multiple of 16.
#[must_use]
pub fn read_results(bytes: &[u8]) -> Option<Vec<ItemResult>> {
    let (items, rest) = bytes.as_chunks::<RESULT_BYTES>();
    rest.is_empty()
        .then(|| items.iter().map(ItemResult::from_bytes).collect())
}

/// Ids as the bytes of a lookup.
#[must_use]
pub fn write_ids(ids: impl ExactSizeIterator<Item = u128>) -> Bytes {
    let mut out = BytesMut::with_capacity(ids.len() * ID_BYTES);
    for id in ids {
        out.put_slice(&id.to_le_bytes());
    }
    out.freeze()
}

/// The kind and the ids of a lookup, checked.
///
/// # Errors
/// [`Reason::TooLarge`], or [`Reason::InvalidField`] with the path of the field.
pub fn check_lookup(request: &LookupRequest) -> Result<(LookupKind, Vec<u128>), Refused> {
    let kind = match LookupKind::try_from(request.kind) {
        Ok(LookupKind::Unspecified) | Err(_) => {
            let description = format!("kind {} is not known", request.kind);
            return Err(Refused::invalid(vec![FieldError::new("kind", description)]));
        }
        Ok(kind) => kind,
    };
    let (ids, rest) = request.ids.as_chunks::<ID_BYTES>();
    if !rest.is_empty() {
        let description = format!("{} bytes are no list of 16-byte ids", request.ids.len());
        return Err(Refused::invalid(vec![FieldError::new("ids", description)]));
    }
    if ids.len() > ITEMS_MAX {
        return Err(too_large("ids", ids.len(), ITEMS_MAX));
    }
    Ok((
        kind,
        ids.iter().map(|id| u128::from_le_bytes(*id)).collect(),
    ))
}

/// Bytes of one record in the answer to a lookup of this kind.
#[must_use]
pub fn record_bytes(kind: LookupKind) -> usize {
    match kind {
        LookupKind::Accounts => Account::BYTES,
        LookupKind::Transfers => Transfer::BYTES,
        LookupKind::Pendings => Pending::BYTES,
        LookupKind::Unspecified => 0,
    }
}

/// Builds the answer to a lookup, one push for each id in order.
#[derive(Debug, Default)]
pub struct LookupAnswer {
    found: BytesMut,
    records: BytesMut,
}

impl LookupAnswer {
    /// With room for the answers to `ids` ids of a kind.
    #[must_use]
    pub fn with_capacity(kind: LookupKind, ids: usize) -> Self {
        let ids = ids.min(ITEMS_MAX);
        LookupAnswer {
            found: BytesMut::with_capacity(ids),
            records: BytesMut::with_capacity(ids * record_bytes(kind)),
        }
    }

    /// The id is there; `record` is its encoded record, of the kind's length.
    pub fn push_found(&mut self, record: &[u8]) {
        self.found.put_u8(FOUND);
        self.records.put_slice(record);
    }

    /// The id is not there.
    pub fn push_not_found(&mut self) {
        self.found.put_u8(NOT_FOUND);
    }

    /// The id was refused and can never be used.
    pub fn push_refused(&mut self) {
        self.found.put_u8(REFUSED);
    }

    /// The reply.
    #[must_use]
    pub fn finish(self, request_number: u64, applied_index: u64) -> LookupReply {
        LookupReply {
            request_number,
            found: self.found.freeze(),
            records: self.records.freeze(),
            applied_index,
            refusal: None,
        }
    }
}

/// What a lookup says of one id; the record borrows from the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedUp<'a> {
    /// Not there.
    NotFound,
    /// There, with its encoded record.
    Found(&'a [u8]),
    /// A transfer id that was refused and can never be used.
    Refused,
}

/// Reads the answer to a lookup of `ids` ids; `None` when lengths disagree or a mark
/// is unknown.
#[must_use]
pub fn read_lookup(reply: &LookupReply, kind: LookupKind, ids: usize) -> Option<Vec<LookedUp<'_>>> {
    if reply.found.len() != ids {
        return None;
    }
    let length = record_bytes(kind);
    let mut rest: &[u8] = &reply.records;
    let mut answers = Vec::with_capacity(ids);
    for mark in &reply.found {
        answers.push(match *mark {
            NOT_FOUND => LookedUp::NotFound,
            REFUSED => LookedUp::Refused,
            FOUND => {
                let (record, after) = rest.split_at_checked(length)?;
                rest = after;
                LookedUp::Found(record)
            }
            _ => return None,
        });
    }
    rest.is_empty().then_some(answers)
}
