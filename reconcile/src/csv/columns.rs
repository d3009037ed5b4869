//! Names of the mapping to places in the header row.

use ::csv::ByteRecord;

use super::{AmountColumns, Columns};
use crate::direction::Direction;
use crate::error::{Place, Problem, StatementError, list};

/// Where a column stands, and its name for messages.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) name: String,
}

/// [`Columns`], found.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) references: Vec<Column>,
    pub(super) amount: AmountPlaces,
    pub(super) currency: Option<Column>,
    pub(super) time: Option<Column>,
    pub(super) description: Option<Column>,
    /// Columns of the header.
    pub(super) width: usize,
}

/// [`AmountColumns`], found.
#[derive(Debug)]
pub(super) enum AmountPlaces {
    Signed {
        amount: Column,
        positive: Direction,
    },
    Split {
        debit: Column,
        credit: Column,
        debits_are_negative: bool,
    },
    Directed {
        amount: Column,
        direction: Column,
        debit_words: Vec<String>,
        credit_words: Vec<String>,
    },
}

impl Places {
    pub(super) fn find(
        columns: &Columns,
        header: &ByteRecord,
        place: Place,
    ) -> Result<Self, StatementError> {
        let mut names = Vec::with_capacity(header.len());
        for name in header {
            let name = std::str::from_utf8(name)
                .map_err(|_| StatementError::new(place, Problem::NotUtf8))?;
            names.push(name.trim());
        }
        let column = |name: &String| find(name, &names, place);
        let optional = |name: &Option<String>| name.as_ref().map(column).transpose();
        Ok(Self {
            references: columns
                .references
                .iter()
                .map(column)
                .collect::<Result<_, _>>()?,
            amount: match &columns.amount {
                AmountColumns::Signed { amount, positive } => AmountPlaces::Signed {
                    amount: column(amount)?,
                    positive: *positive,
                },
                AmountColumns::Split {
                    debit,
                    credit,
                    debits_are_negative,
                } => AmountPlaces::Split {
                    debit: column(debit)?,
                    credit: column(credit)?,
                    debits_are_negative: *debits_are_negative,
                },
                AmountColumns::Directed {
                    amount,
                    direction,
                    debit_words,
                    credit_words,
                } => AmountPlaces::Directed {
                    amount: column(amount)?,
                    direction: column(direction)?,
                    debit_words: debit_words.clone(),
                    credit_words: credit_words.clone(),
                },
            },
            currency: optional(&columns.currency)?,
            time: optional(&columns.time)?,
            description: optional(&columns.description)?,
            width: header.len(),
        })
    }
}

/// The column of exactly this name, or else the one that differs in upper and lower case only.
fn find(name: &str, names: &[&str], place: Place) -> Result<Column, StatementError> {
    let wanted = name.trim();
    let only = |matches: &dyn Fn(&str) -> bool| {
        let mut found = names.iter().enumerate().filter(|(_, name)| matches(name));
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(Some(index)),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => {
                let problem = Problem::ColumnTwice;
                Err(StatementError::of_field(place, name, problem))
            }
        }
    };
    let lower = wanted.to_lowercase();
    let found = match only(&|name| name == wanted)? {
        Some(index) => Some(index),
        None => only(&|name| name.to_lowercase() == lower)?,
    };
    found
        .map(|index| Column {
            index,
            name: wanted.to_owned(),
        })
        .ok_or_else(|| {
            let found = list(names.iter().copied());
            StatementError::of_field(place, name, Problem::NoSuchColumn { found })
        })
}
