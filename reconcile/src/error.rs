//! What is wrong with a statement, where, and what to do about it.

use std::fmt;
use std::io;

use farthing_ledger::amount::AmountError;

/// A statement that cannot be read, or not be believed.
#[derive(Debug, thiserror::Error)]
pub struct StatementError {
    /// Where it was noticed.
    pub place: Place,
    /// The column or the XML element, if it is one field that is wrong.
    pub field: Option<String>,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(field) = &self.field {
            write!(f, ", `{field}`")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl StatementError {
    pub(crate) fn new(place: Place, problem: Problem) -> Self {
        Self {
            place,
            field: None,
            problem,
        }
    }

    pub(crate) fn of_field(place: Place, field: &str, problem: Problem) -> Self {
        Self {
            place,
            field: Some(field.to_owned()),
            problem,
        }
    }
}

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Place {
    /// The line, from 1.
    pub line: u64,
    /// The entry, counted from 1 over the whole file, whether it is kept or skipped; 0 is before the first.
    pub entry: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if self.entry > 0 {
            write!(f, ", entry {}", self.entry)?;
        }
        Ok(())
    }
}

/// What can be wrong with a statement. The text says what to do where that is not plain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes could not be had.
    #[error("it cannot be read: {0}")]
    Io(#[source] io::Error),
    /// A limit of [`Limits`](crate::Limits).
    #[error("{what}: more than {max}; if the file is right, raise the limit or split the file")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Bytes that are not UTF-8.
    #[error(
        "bytes that are not UTF-8; convert the file first, e.g. with `iconv -f ISO-8859-1 -t UTF-8`"
    )]
    NotUtf8,
    /// An encoding other than UTF-8.
    #[error("the encoding is {0}; convert the file to UTF-8 first, e.g. with `iconv -t UTF-8`")]
    Encoding(String),
    /// The options contradict themselves.
    #[error("{0}")]
    Options(&'static str),
    /// No header row, or an empty file.
    #[error("there is no header row; the first line must name the columns")]
    NoHeader,
    /// A column that the mapping names is not there.
    #[error(
        "there is no such column; the header has {found}; map the column, or set the delimiter if this is one column"
    )]
    NoSuchColumn {
        /// The header's names.
        found: String,
    },
    /// A column that the mapping names is there twice.
    #[error("two columns have this name; rename one of them")]
    ColumnTwice,
    /// A row that is not as wide as the header.
    #[error(
        "{found} columns where the header has {expected}; remove lines that are no entries, such as totals, and check the delimiter and the quotes"
    )]
    Width {
        /// Columns of the row.
        found: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A quote that is not closed.
    #[error(
        "a quote is opened here and not closed before the next delimiter or line end; a quote inside of a quoted field is written twice"
    )]
    Quote,
    /// An amount that is none, or not exactly one at the ledger's scale.
    #[error("{text:?} is not an amount at scale {scale}: {error}{}", amount_advice(*.error))]
    Amount {
        /// What stands there, shortened.
        text: String,
        /// The ledger's scale.
        scale: u8,
        /// What is wrong with it.
        #[source]
        error: AmountError,
    },
    /// A sign where another field says the direction.
    #[error(
        "{text:?} has a sign that contradicts the way directions are given; choose the other way to map amounts"
    )]
    Sign {
        /// What stands there, shortened.
        text: String,
    },
    /// Neither a debit nor a credit, or both.
    #[error("the debit and the credit column must have exactly one amount between them")]
    NotOneSide,
    /// A word that means neither debit nor credit.
    #[error(
        "{text:?} is neither debit ({debit}) nor credit ({credit}); add the word to the mapping"
    )]
    Direction {
        /// What stands there, shortened.
        text: String,
        /// Words that mean debit.
        debit: String,
        /// Words that mean credit.
        credit: String,
    },
    /// A time that is none.
    #[error("{text:?} is no time between 1970 and 2262; expected {expected}")]
    Time {
        /// What stands there, shortened.
        text: String,
        /// An example.
        expected: &'static str,
    },
    /// A currency that is not three letters.
    #[error("{text:?} is no currency; expected a code of three letters, such as EUR")]
    Currency {
        /// What stands there, shortened.
        text: String,
    },
    /// Several currencies, and none was asked for.
    #[error("there are entries in {0}; say which is the ledger's")]
    SeveralCurrencies(String),
    /// Something that must be there is not.
    #[error("it is missing")]
    Missing,
    /// A value from a fixed list, and not on it.
    #[error("{text:?} is not one of {expected}")]
    NotOneOf {
        /// What stands there, shortened.
        text: String,
        /// The list.
        expected: &'static str,
    },
    /// An element that may be there once.
    #[error("it is there twice")]
    Twice,
    /// Not XML.
    #[error("this is not well-formed XML, or it is cut off: {0}")]
    Xml(String),
    /// A document type definition.
    #[error(
        "the file has a document type definition (<!DOCTYPE>), which no bank statement has; it is not read"
    )]
    Doctype,
    /// An entity that is not one of XML's five.
    #[error("the entity &{0}; is not one of XML's own; entities are not expanded")]
    Entity(String),
    /// XML, and no camt.053.
    #[error("this is no camt.053 bank statement: expected Document/BkToCstmrStmt, found {0}")]
    NotCamt(String),
    /// Statements of several accounts, and none was asked for.
    #[error("there are statements of {0}; say which account it is")]
    SeveralAccounts(String),
    /// No statement of the account that was asked for.
    #[error("there is no statement of {wanted}; the file has {found}")]
    NoSuchAccount {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// All debits, or all credits, come to more than 2^128 - 1.
    #[error("the entries come to more than 2^128 - 1 of the smallest unit; check the scale")]
    Total,
}

fn amount_advice(error: AmountError) -> &'static str {
    match error {
        AmountError::TooManyDecimals => {
            "; nothing is rounded: the scale is not the ledger's, or this is another currency"
        }
        AmountError::Malformed => {
            "; set the decimal character and the character between groups of thousands"
        }
        _ => "",
    }
}

/// Text from outside, short enough for a message, and without what would break its line or a terminal.
pub(crate) fn short(text: &str) -> String {
    const CHARS_MAX: usize = 48;
    let mut chars = text.chars().map(|c| match c {
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    let mut short: String = chars.by_ref().take(CHARS_MAX).collect();
    if chars.next().is_some() {
        short.push_str("...");
    }
    short
}

/// What a library says of something from outside, which it may quote.
pub(crate) fn quoting(error: &dyn std::error::Error) -> String {
    const CHARS_MAX: usize = 200;
    let text = error.to_string();
    let clean = text.chars().map(|c| match c {
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    clean.take(CHARS_MAX).collect()
}

/// Joins names for a message, not all of them if there are many.
pub(crate) fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const NAMES_MAX: usize = 20;
    let count = names.len();
    let mut text: Vec<String> = names.take(NAMES_MAX).map(short).collect();
    if count > NAMES_MAX {
        text.push(format!("{} more", count - NAMES_MAX));
    }
    text.join(", ")
}
