//! A statement in memory: entries of 64 bytes, all texts in one buffer. The parsers fill it through [`Builder`], and so
//! may anybody who has entries from elsewhere.

mod builder;
mod section;
mod texts;

pub use builder::{Builder, NewDetail, NewEntry};
pub(crate) use section::same_account;
pub use section::{Balance, Check, CheckKind, Section, SectionSums, Stated};

use crate::direction::Direction;
use crate::error::Place;
use crate::limits::Limits;
use crate::time::Span;
use texts::{Text, Texts};

/// What every parser must be told about the ledger and the statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Decimals of the ledger: amounts are kept in units of 10^-`scale`. 0 to 38.
    pub scale: u8,
    /// The ledger's currency, three letters. `None`: that of the statement, which then may have only one.
    pub currency: Option<String>,
    /// Entries in another currency are left out and counted. Otherwise they are kept, and match nothing.
    pub skip_other_currencies: bool,
    /// Seconds by which the statement's own zone is ahead of UTC: its days begin at its own midnight.
    pub utc_offset_s: i32,
    /// What the file may cost.
    pub limits: Limits,
}

impl Reading {
    /// For a ledger of this scale; everything else as by default.
    #[must_use]
    pub fn new(scale: u8) -> Self {
        Self {
            scale,
            currency: None,
            skip_other_currencies: false,
            utc_offset_s: 0,
            limits: Limits::default(),
        }
    }
}

/// What was read and left out.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize)]
pub struct Skipped {
    /// Entries of a status that does not count (camt: everything but booked, unless told).
    pub status: u64,
    /// Entries in another currency.
    pub other_currency: u64,
    /// Entries of another account.
    pub other_account: u64,
}

/// Everything a statement says, as read.
#[derive(Clone, Debug)]
pub struct Statement {
    scale: u8,
    currency: Option<u16>,
    utc_offset_s: i32,
    rows: Vec<Row>,
    references: Vec<ReferenceRow>,
    details: Vec<DetailRow>,
    texts: Texts,
    currencies: Vec<String>,
    sections: Vec<Section>,
    checks: Vec<Check>,
    skipped: Skipped,
    debits: u128,
    credits: u128,
}

/// An entry, 64 bytes.
#[derive(Clone, Copy, Debug)]
struct Row {
    amount: u128,
    span: Span,
    line: u32,
    number: u32,
    /// Where its references and its details end; they begin where those of the entry before end.
    references_end: u32,
    details_end: u32,
    description: Text,
    /// Index of its currency; [`NO_CURRENCY`] if it names none.
    currency: u16,
    direction: Direction,
    reversal: bool,
}

/// Stands for the ledger's currency, whichever that is.
const NO_CURRENCY: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
struct ReferenceRow {
    text: Text,
    /// The transaction inside of the entry that it belongs to, from 1; 0 is the entry itself.
    detail: u32,
}

#[derive(Clone, Copy, Debug)]
struct DetailRow {
    amount: Option<(Direction, u128)>,
}

/// Bytes that an entry takes beside its texts, references and details.
pub const ENTRY_BYTES: usize = size_of::<Row>();

const _: () = assert!(
    ENTRY_BYTES == 64,
    "docs/reference/reconcile.md says how much memory an entry takes"
);

/// One entry of a statement.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    statement: &'a Statement,
    index: usize,
}

/// What an entry or a transaction inside of it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reference<'a> {
    /// As the statement writes it, without spaces around it.
    pub text: &'a str,
    /// The transaction inside of the entry, from 1; `None` is the entry itself.
    pub detail: Option<u32>,
}

/// A transaction inside of an entry (camt `TxDtls`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Its number within the entry, from 1.
    pub number: u32,
    /// Its own amount in the entry's currency, if it says one.
    pub amount: Option<(Direction, u128)>,
}

impl Statement {
    /// Decimals of its amounts.
    #[must_use]
    pub const fn scale(&self) -> u8 {
        self.scale
    }

    /// The ledger's currency, as asked for or as found; `None` if neither names one.
    #[must_use]
    pub fn currency(&self) -> Option<&str> {
        let index = usize::from(self.currency?);
        self.currencies.get(index).map(String::as_str)
    }

    /// Seconds by which its days are ahead of UTC.
    #[must_use]
    pub const fn utc_offset_s(&self) -> i32 {
        self.utc_offset_s
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The entry at this index, in the file's order.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn entry(&self, index: usize) -> Entry<'_> {
        assert!(index < self.rows.len(), "no entry {index}");
        Entry {
            statement: self,
            index,
        }
    }

    /// All entries, in the file's order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        (0..self.rows.len()).map(|index| self.entry(index))
    }

    /// The statements of the file that were read: of camt.053 as many as it has, of CSV none.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// What the file says of itself, compared with its entries.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The time that its sections cover, if all of them say so.
    #[must_use]
    pub fn period(&self) -> Option<Span> {
        let mut periods = self.sections.iter().map(|section| section.period);
        let first = periods.next()??;
        periods.try_fold(first, |all, period| {
            let period = period?;
            Some(Span {
                first_ns: all.first_ns.min(period.first_ns),
                last_ns: all.last_ns.max(period.last_ns),
            })
        })
    }

    /// What was left out.
    #[must_use]
    pub const fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// All debits and all credits, in the smallest unit, whatever the currency.
    #[must_use]
    pub const fn totals(&self) -> (u128, u128) {
        (self.debits, self.credits)
    }

    pub(crate) fn is_own_currency(&self, index: usize) -> bool {
        let currency = self.rows[index].currency;
        currency == NO_CURRENCY || self.currency.is_none_or(|own| own == currency)
    }
}

impl<'a> Entry<'a> {
    fn row(&self) -> &'a Row {
        &self.statement.rows[self.index]
    }

    /// Its index in the statement.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// In the ledger's smallest unit.
    #[must_use]
    pub fn amount(&self) -> u128 {
        self.row().amount
    }

    /// As the statement says it.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.row().direction
    }

    /// The currency it names.
    #[must_use]
    pub fn currency(&self) -> Option<&'a str> {
        let index = usize::from(self.row().currency);
        self.statement.currencies.get(index).map(String::as_str)
    }

    /// When.
    #[must_use]
    pub fn span(&self) -> Span {
        self.row().span
    }

    /// Where it begins in the file.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            line: u64::from(self.row().line),
            entry: u64::from(self.row().number),
        }
    }

    /// Whether the bank says that it takes back another one. Its direction is its own, not that of the other.
    #[must_use]
    pub fn is_reversal(&self) -> bool {
        self.row().reversal
    }

    /// What it is about, shortened; may be empty.
    #[must_use]
    pub fn description(&self) -> &'a str {
        self.statement.texts.get(self.row().description)
    }

    /// Its references and those of the transactions inside of it.
    pub fn references(&self) -> impl Iterator<Item = Reference<'a>> + use<'a> {
        let statement = self.statement;
        let begin = match self.index.checked_sub(1) {
            Some(before) => statement.rows[before].references_end,
            None => 0,
        };
        let range = begin as usize..self.row().references_end as usize;
        statement.references[range].iter().map(|row| Reference {
            text: statement.texts.get(row.text),
            detail: (row.detail > 0).then_some(row.detail),
        })
    }

    /// The transactions inside of it.
    pub fn details(&self) -> impl ExactSizeIterator<Item = Detail> + use<'a> {
        let begin = match self.index.checked_sub(1) {
            Some(before) => self.statement.rows[before].details_end,
            None => 0,
        };
        let range = begin as usize..self.row().details_end as usize;
        let mut number = 0;
        self.statement.details[range].iter().map(move |row| {
            number += 1;
            Detail {
                number,
                amount: row.amount,
            }
        })
    }
}
