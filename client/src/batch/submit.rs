//! Items to create, as they travel.

use std::time::Duration;

use bytes::BytesMut;
use farthing_ledger::{
    Account, AccountFlags, ItemResult, Ledger, LedgerFlags, RecordFlags, RecordItem, Transfer,
    TransferFlags, VERSION_ANY,
};
use farthing_proto::limits::{ITEMS_MAX, REQUEST_BYTES_MAX, SECTIONS_MAX, request_bytes};
use farthing_proto::packed;
use farthing_proto::v1::{Section, SectionKind, SubmitReply, SubmitRequest};

use super::{Load, Size, deadline_ms};
use crate::error::Error;
use crate::transport::lane::Submits;

/// One caller's items.
#[derive(Debug, Clone)]
pub(crate) struct SubmitPart {
    pub(crate) sections: Vec<Section>,
    size: Size,
    /// One section without linked or imported items: it cannot notice its company.
    plain: bool,
}

impl SubmitPart {
    /// Takes encoded sections, none of them empty.
    pub(crate) fn new(sections: Vec<Section>) -> Result<Self, Error> {
        let items = sections.iter().map(|section| section.count as usize).sum();
        let bytes = request_bytes(sections.iter().map(|section| section.items.len()));
        for (what, found, most) in [
            ("items", items, ITEMS_MAX),
            ("sections", sections.len(), SECTIONS_MAX),
            ("bytes", bytes, REQUEST_BYTES_MAX),
        ] {
            if found > most {
                return Err(Error::TooLarge { what, found, most });
            }
        }
        let plain = matches!(sections.as_slice(), [only] if is_plain(only));
        let bytes = sections.iter().map(|section| section.items.len()).sum();
        Ok(SubmitPart {
            sections,
            size: Size { items, bytes },
            plain,
        })
    }
}

/// One caller's answer: the results of each of its sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubmitAnswer {
    pub(crate) results: Vec<Vec<ItemResult>>,
    pub(crate) log_index: u64,
}

/// The load of items to create.
pub(crate) enum Submit {}

impl Load for Submit {
    type Part = SubmitPart;
    type Answer = SubmitAnswer;
    type Exchange = Submits;

    fn size(part: &SubmitPart) -> Size {
        part.size
    }

    fn joins(previous: &SubmitPart, next: &SubmitPart) -> bool {
        previous.plain && next.plain && kind(previous) == kind(next)
    }

    fn request(parts: &[&SubmitPart], remaining: Duration) -> SubmitRequest {
        let sections = match parts {
            // The bytes of a call that travels alone are not copied.
            [only] => only.sections.clone(),
            many => vec![merge(many)],
        };
        SubmitRequest {
            request_number: 0,
            sections,
            deadline_ms: deadline_ms(remaining),
        }
    }

    fn answers(parts: &[&SubmitPart], reply: SubmitReply) -> Result<Vec<SubmitAnswer>, String> {
        let results: Vec<Vec<ItemResult>> = reply
            .results
            .iter()
            .map(|bytes| packed::read_results(bytes))
            .collect::<Option<_>>()
            .ok_or("a result is not 16 bytes")?;
        let log_index = reply.log_index;
        if let [only] = parts {
            let asked = only.sections.iter().map(|section| section.count as usize);
            if !asked.eq(results.iter().map(Vec::len)) {
                return Err("the results do not fit the items".to_owned());
            }
            return Ok(vec![SubmitAnswer { results, log_index }]);
        }
        let [all] = results.as_slice() else {
            return Err("the results do not fit the sections".to_owned());
        };
        let mut rest = all.as_slice();
        let mut answers = Vec::with_capacity(parts.len());
        for part in parts {
            let (own, behind) = rest
                .split_at_checked(part.size.items)
                .ok_or("there are fewer results than items")?;
            rest = behind;
            answers.push(SubmitAnswer {
                results: vec![own.to_vec()],
                log_index,
            });
        }
        if rest.is_empty() {
            Ok(answers)
        } else {
            Err("there are more results than items".to_owned())
        }
    }

    fn ids(part: &SubmitPart) -> Option<Vec<u128>> {
        let mut ids = Vec::with_capacity(part.size.items);
        for section in &part.sections {
            for item in items(section) {
                ids.push(item.id());
            }
        }
        Some(ids)
    }

    fn is_repeatable(part: &SubmitPart) -> bool {
        // A write that expects any version would undo what others wrote meanwhile.
        !part
            .sections
            .iter()
            .filter(|section| section.kind() == SectionKind::Records)
            .flat_map(items)
            .any(|item| matches!(item, Item::Record(record) if record.expected_version == VERSION_ANY))
    }
}

fn kind(part: &SubmitPart) -> Option<i32> {
    part.sections.first().map(|section| section.kind)
}

/// Parts of one section each, all of the same kind, as one section.
fn merge(parts: &[&SubmitPart]) -> Section {
    let sections = || parts.iter().filter_map(|part| part.sections.first());
    let mut items = BytesMut::with_capacity(sections().map(|section| section.items.len()).sum());
    for section in sections() {
        items.extend_from_slice(&section.items);
    }
    Section {
        kind: sections().next().map_or(0, |section| section.kind),
        count: sections().map(|section| section.count).sum(),
        items: items.freeze(),
    }
}

fn is_plain(section: &Section) -> bool {
    items(section).all(|item| !item.is_linked() && !item.is_imported())
}

/// One item, decoded from a section of our own making.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'a> {
    Account(Account),
    Transfer(Transfer),
    Ledger(Ledger),
    Record(RecordItem<'a>),
}

impl Item<'_> {
    pub(crate) fn id(&self) -> u128 {
        match self {
            Item::Account(account) => account.id.0,
            Item::Transfer(transfer) => transfer.id.0,
            Item::Ledger(ledger) => u128::from(ledger.ledger),
            Item::Record(record) => record.operation_id,
        }
    }

    pub(crate) fn is_linked(&self) -> bool {
        match self {
            Item::Account(account) => account.flags.contains(AccountFlags::LINKED),
            Item::Transfer(transfer) => transfer.flags.contains(TransferFlags::LINKED),
            Item::Ledger(ledger) => ledger.flags.contains(LedgerFlags::LINKED),
            Item::Record(record) => record.flags.contains(RecordFlags::LINKED),
        }
    }

    pub(crate) fn is_imported(&self) -> bool {
        match self {
            Item::Account(account) => account.flags.contains(AccountFlags::IMPORTED),
            Item::Transfer(transfer) => transfer.flags.contains(TransferFlags::IMPORTED),
            Item::Ledger(_) | Item::Record(_) => false,
        }
    }
}

/// The items of a section of our own making.
pub(crate) fn items(section: &Section) -> Items<'_> {
    Items {
        kind: section.kind(),
        rest: &section.items,
    }
}

/// The items of a section, in order.
pub(crate) struct Items<'a> {
    kind: SectionKind,
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let (item, rest) = match self.kind {
            SectionKind::Accounts => {
                let (bytes, rest) = self.rest.split_first_chunk()?;
                (Item::Account(Account::from_bytes(bytes)), rest)
            }
            SectionKind::Transfers => {
                let (bytes, rest) = self.rest.split_first_chunk()?;
                (Item::Transfer(Transfer::from_bytes(bytes)), rest)
            }
            SectionKind::Ledgers => {
                let (bytes, rest) = self.rest.split_first_chunk()?;
                (Item::Ledger(Ledger::from_bytes(bytes)), rest)
            }
            SectionKind::Records => {
                let (item, rest) = RecordItem::split_from(self.rest)?;
                (Item::Record(item), rest)
            }
            SectionKind::Unspecified => return None,
        };
        self.rest = rest;
        Some(item)
    }
}
