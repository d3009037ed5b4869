//! Sections: items of one kind, in order.

use crate::account::Account;
use crate::bytes::{get_u16, get_u32};
use crate::ledger::Ledger;
use crate::record::RecordItem;
use crate::setting::{SETTING_FEATURE_LEVEL, Setting};
use crate::transfer::Transfer;

use super::{EntryError, SECTION_HEADER_BYTES};

/// What the items of a section are. The numbers are frozen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum SectionKind {
    /// [`Account`], 128 bytes each.
    Accounts = 1,
    /// [`Transfer`], 128 bytes each.
    Transfers = 2,
    /// [`Ledger`], 64 bytes each.
    Ledgers = 3,
    /// [`RecordItem`], of their own lengths.
    Records = 4,
    /// One item without bytes: expire what is due.
    Pulse = 5,
    /// [`Setting`], 16 bytes each.
    Configuration = 6,
}

impl SectionKind {
    /// The kind of a number.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::Accounts),
            2 => Some(Self::Transfers),
            3 => Some(Self::Ledgers),
            4 => Some(Self::Records),
            5 => Some(Self::Pulse),
            6 => Some(Self::Configuration),
            _ => None,
        }
    }

    /// The frozen number.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Bytes of an item; `None` where items have lengths of their own.
    pub const fn item_bytes(self) -> Option<usize> {
        match self {
            Self::Accounts => Some(Account::BYTES),
            Self::Transfers => Some(Transfer::BYTES),
            Self::Ledgers => Some(Ledger::BYTES),
            Self::Records => None,
            Self::Pulse => Some(0),
            Self::Configuration => Some(Setting::BYTES),
        }
    }

    /// True when items have a `linked` flag and can be part of a chain.
    pub const fn chains(self) -> bool {
        matches!(
            self,
            Self::Accounts | Self::Transfers | Self::Ledgers | Self::Records
        )
    }
}

/// A section of a checked request, borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    kind: SectionKind,
    count: usize,
    items: &'a [u8],
}

impl<'a> Section<'a> {
    /// Checks the items of a section.
    pub(super) fn check(
        kind: SectionKind,
        count: usize,
        items: &'a [u8],
    ) -> Result<Self, EntryError> {
        match kind.item_bytes() {
            Some(0) => {
                if count != 1 || !items.is_empty() {
                    return Err(EntryError::LengthMismatch);
                }
            }
            Some(bytes) => {
                if count.checked_mul(bytes) != Some(items.len()) {
                    return Err(EntryError::LengthMismatch);
                }
            }
            None => {
                let mut rest = items;
                for _ in 0..count {
                    let length = RecordItem::length(rest).ok_or(EntryError::LengthMismatch)?;
                    rest = &rest[length..];
                }
                if !rest.is_empty() {
                    return Err(EntryError::LengthMismatch);
                }
            }
        }
        let section = Self { kind, count, items };
        if let Some(unknown) = section
            .settings()
            .find(|item| item.setting != SETTING_FEATURE_LEVEL)
        {
            return Err(EntryError::UnknownSetting(unknown.setting));
        }
        Ok(section)
    }

    /// Splits a section off the front of a request's bytes and checks it.
    pub(super) fn split_from(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), EntryError> {
        let (header, rest) = bytes
            .split_at_checked(SECTION_HEADER_BYTES)
            .ok_or(EntryError::Truncated)?;
        if get_u16(header, 2) != 0 {
            return Err(EntryError::ReservedNotZero);
        }
        let code = get_u16(header, 0);
        let kind = SectionKind::from_code(code).ok_or(EntryError::UnknownKind(code))?;
        let count = usize::try_from(get_u32(header, 4)).map_err(|_| EntryError::TooManyItems)?;
        let length = usize::try_from(get_u32(header, 8)).map_err(|_| EntryError::Truncated)?;
        let (items, rest) = rest.split_at_checked(length).ok_or(EntryError::Truncated)?;
        Ok((Self::check(kind, count, items)?, rest))
    }

    /// A section that was checked before.
    pub(super) fn split_checked(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, rest) = bytes.split_at_checked(SECTION_HEADER_BYTES)?;
        let kind = SectionKind::from_code(get_u16(header, 0))?;
        let count = usize::try_from(get_u32(header, 4)).ok()?;
        let length = usize::try_from(get_u32(header, 8)).ok()?;
        let (items, rest) = rest.split_at_checked(length)?;
        Some((Self { kind, count, items }, rest))
    }

    /// What the items are.
    pub const fn kind(&self) -> SectionKind {
        self.kind
    }

    /// How many items there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The encoded items.
    pub const fn bytes(&self) -> &'a [u8] {
        self.items
    }

    fn bytes_of(&self, kind: SectionKind) -> &'a [u8] {
        if self.kind == kind { self.items } else { &[] }
    }

    /// The accounts; none in a section of another kind.
    pub fn accounts(&self) -> Accounts<'a> {
        Accounts {
            items: self.bytes_of(SectionKind::Accounts).as_chunks().0.iter(),
        }
    }

    /// The transfers; none in a section of another kind.
    pub fn transfers(&self) -> Transfers<'a> {
        Transfers {
            items: self.bytes_of(SectionKind::Transfers).as_chunks().0.iter(),
        }
    }

    /// The ledgers; none in a section of another kind.
    pub fn ledgers(&self) -> Ledgers<'a> {
        Ledgers {
            items: self.bytes_of(SectionKind::Ledgers).as_chunks().0.iter(),
        }
    }

    /// The record items; none in a section of another kind.
    pub fn records(&self) -> Records<'a> {
        Records {
            rest: self.bytes_of(SectionKind::Records),
        }
    }

    /// The settings; none in a section of another kind.
    pub fn settings(&self) -> Settings<'a> {
        Settings {
            items: self
                .bytes_of(SectionKind::Configuration)
                .as_chunks()
                .0
                .iter(),
        }
    }
}

macro_rules! fixed_items {
    ($name:ident, $item:ident, $bytes:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug)]
        pub struct $name<'a> {
            items: std::slice::Iter<'a, [u8; $bytes]>,
        }

        impl Iterator for $name<'_> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<$item> {
                self.items.next().map($item::from_bytes)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.items.size_hint()
            }
        }

        impl ExactSizeIterator for $name<'_> {}
    };
}

fixed_items!(Accounts, Account, 128, "The accounts of a section.");
fixed_items!(Transfers, Transfer, 128, "The transfers of a section.");
fixed_items!(Ledgers, Ledger, 64, "The ledgers of a section.");
fixed_items!(Settings, Setting, 16, "The settings of a section.");

/// The record items of a section.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Records<'a> {
    type Item = RecordItem<'a>;

    fn next(&mut self) -> Option<RecordItem<'a>> {
        let (item, rest) = RecordItem::split_from(self.rest)?;
        self.rest = rest;
        Some(item)
    }
}
