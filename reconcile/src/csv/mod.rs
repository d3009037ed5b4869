//! Statements as CSV: a header row, columns found by name, and a mapping that says which column is what.
//!
//! Every bank writes its own. What differs is said in [`CsvOptions`]; what cannot be told apart (a day from a month, a
//! decimal comma from one between thousands) is never guessed from the data.

mod columns;
mod entries;

use std::io::Read;

use crate::amount::NumberFormat;
use crate::direction::Direction;
use crate::error::StatementError;
use crate::statement::{Reading, Statement};
use crate::time::TimeFormat;

/// What a CSV file looks like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CsvOptions {
    /// Which column is what.
    pub columns: Columns,
    /// Between the columns of a row: one ASCII character.
    pub delimiter: u8,
    /// How amounts are written.
    pub number_format: NumberFormat,
    /// How times are written.
    pub time_format: TimeFormat,
    /// Lines before the header row that are no part of the table.
    pub skip_lines: u32,
}

/// Which column is what, by the names of the header row. Spaces around names do not count; upper and lower case do only
/// if there are names that differ in nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    /// What an entry is called; several columns may be, also one that is the description. A cell may hold several references,
    /// with commas, semicolons or bars between them, and ids among words.
    pub references: Vec<String>,
    /// How much, and in which direction.
    pub amount: AmountColumns,
    /// The currency of each entry. `None`: the ledger's.
    pub currency: Option<String>,
    /// When. `None`: entries are found by their references only.
    pub time: Option<String>,
    /// What it is about.
    pub description: Option<String>,
}

/// How a file says how much, and in which direction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AmountColumns {
    /// One column, with a sign.
    Signed {
        /// Its name.
        amount: String,
        /// What a number without a minus is. A bank's statement is written for its customer: there, a credit.
        positive: Direction,
    },
    /// Two columns, of which each row fills one. The other is empty or zero.
    Split {
        /// Name of the column of debits.
        debit: String,
        /// Name of the column of credits.
        credit: String,
        /// Whether debits have a minus.
        debits_are_negative: bool,
    },
    /// An amount without a sign and a word that says the direction.
    Directed {
        /// Name of the column of amounts.
        amount: String,
        /// Name of the column of directions.
        direction: String,
        /// Words that mean debit, in any case.
        debit_words: Vec<String>,
        /// Words that mean credit, in any case.
        credit_words: Vec<String>,
    },
}

impl AmountColumns {
    /// One column with a sign, in which money that came in is positive.
    #[must_use]
    pub fn signed(amount: &str) -> Self {
        Self::Signed {
            amount: amount.to_owned(),
            positive: Direction::Credit,
        }
    }

    /// A column of debits and one of credits, both without signs.
    #[must_use]
    pub fn split(debit: &str, credit: &str) -> Self {
        Self::Split {
            debit: debit.to_owned(),
            credit: credit.to_owned(),
            debits_are_negative: false,
        }
    }

    /// A column of amounts and one of directions, with the usual words.
    #[must_use]
    pub fn directed(amount: &str, direction: &str) -> Self {
        let words = |words: [&str; 4]| words.map(str::to_owned).to_vec();
        Self::Directed {
            amount: amount.to_owned(),
            direction: direction.to_owned(),
            debit_words: words(["debit", "dbit", "dr", "d"]),
            credit_words: words(["credit", "crdt", "cr", "c"]),
        }
    }
}

impl CsvOptions {
    /// The columns `id`, `amount` (with a sign, credits positive), `currency`, `time` and `description`; commas and
    /// decimal points; times of ISO 8601.
    #[must_use]
    pub fn standard() -> Self {
        let name = |name: &str| Some(name.to_owned());
        Self::new(Columns {
            references: vec!["id".to_owned()],
            amount: AmountColumns::signed("amount"),
            currency: name("currency"),
            time: name("time"),
            description: name("description"),
        })
    }

    /// With these columns; commas and decimal points; times of ISO 8601.
    #[must_use]
    pub fn new(columns: Columns) -> Self {
        Self {
            columns,
            delimiter: b',',
            number_format: NumberFormat::POINT,
            time_format: TimeFormat::Iso,
            skip_lines: 0,
        }
    }
}

/// Reads a statement, row by row. The input may be compressed or huge: no more than one row is held beside what is kept.
///
/// # Errors
/// The first thing that is wrong; see [`Problem`](crate::Problem). A statement is read whole or not at all: money that
/// stands in a row that cannot be read would be missing without anybody noticing.
pub fn read(
    input: impl Read,
    options: &CsvOptions,
    reading: &Reading,
) -> Result<Statement, StatementError> {
    entries::read(input, options, reading)
}
