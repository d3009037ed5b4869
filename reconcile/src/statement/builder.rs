//! Makes a [`Statement`] out of entries, one after another, within limits.

use super::section::{self, Section};
use super::{DetailRow, NO_CURRENCY, Reading, ReferenceRow, Row, Skipped, Statement, Texts};
use crate::direction::Direction;
use crate::error::{Place, Problem, StatementError, list, short};
use crate::limits::Limits;
use crate::time::Span;

/// An entry to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// In the ledger's smallest unit.
    pub amount: u128,
    /// As the statement says it.
    pub direction: Direction,
    /// Three letters; `None`: the ledger's.
    pub currency: Option<&'a str>,
    /// When.
    pub span: Span,
    /// Where.
    pub place: Place,
    /// What it is called; empty texts are left out.
    pub references: &'a [&'a str],
    /// Transactions inside of it.
    pub details: &'a [NewDetail<'a>],
    /// What it is about.
    pub description: &'a str,
    /// Whether it takes back another one.
    pub reversal: bool,
}

/// A transaction inside of an entry to be added.
#[derive(Clone, Copy, Default, Debug)]
pub struct NewDetail<'a> {
    /// Its own amount in the entry's currency.
    pub amount: Option<(Direction, u128)>,
    /// What it is called.
    pub references: &'a [&'a str],
}

/// What banks write where there is no reference; as one it would tie unrelated entries together.
const NO_REFERENCE: [&str; 2] = ["NOTPROVIDED", "NONREF"];

/// Makes a [`Statement`].
#[derive(Debug)]
pub struct Builder {
    statement: Statement,
    wanted: Option<String>,
    skip_other_currencies: bool,
    limits: Limits,
}

impl Builder {
    /// An empty statement.
    ///
    /// # Errors
    /// [`Problem::Amount`] for a scale above 38, [`Problem::Currency`] for a currency that is none.
    pub fn new(reading: &Reading) -> Result<Self, StatementError> {
        let place = Place::default();
        if let Err(error) = farthing_ledger::amount::format(0, reading.scale) {
            let problem = Problem::Amount {
                text: "0".to_owned(),
                scale: reading.scale,
                error,
            };
            return Err(StatementError::new(place, problem));
        }
        let mut builder = Self {
            statement: Statement {
                scale: reading.scale,
                currency: None,
                utc_offset_s: reading.utc_offset_s,
                rows: Vec::new(),
                references: Vec::new(),
                details: Vec::new(),
                texts: Texts::default(),
                currencies: Vec::new(),
                sections: Vec::new(),
                checks: Vec::new(),
                skipped: Skipped::default(),
                debits: 0,
                credits: 0,
            },
            wanted: reading.currency.clone(),
            skip_other_currencies: reading.skip_other_currencies,
            limits: reading.limits,
        };
        if let Some(currency) = &reading.currency {
            let index = builder.currency(currency, place)?;
            builder.statement.currency = Some(index);
        }
        Ok(builder)
    }

    /// Whether an entry in this currency is to be left out; it is counted if so. Asked before its amount is read, which
    /// may have more decimals than the ledger.
    ///
    /// # Errors
    /// [`Problem::Currency`].
    pub fn skips(&mut self, currency: &str, place: Place) -> Result<bool, StatementError> {
        check_currency(currency, place)?;
        let other = self
            .wanted
            .as_deref()
            .is_some_and(|wanted| !wanted.eq_ignore_ascii_case(currency));
        let skips = self.skip_other_currencies && other;
        self.statement.skipped.other_currency += u64::from(skips);
        Ok(skips)
    }

    /// What was left out by the caller.
    pub fn skipped_mut(&mut self) -> &mut Skipped {
        &mut self.statement.skipped
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`Problem::TooMuch`] at a limit, [`Problem::Currency`], [`Problem::Total`].
    pub fn push(&mut self, entry: &NewEntry<'_>) -> Result<(), StatementError> {
        let place = entry.place;
        let too_much = |what, max| StatementError::new(place, Problem::TooMuch { what, max });
        if self.statement.rows.len() >= self.limits.entries_max {
            return Err(too_much("entries", self.limits.entries_max));
        }
        let currency = match entry.currency {
            Some(currency) => self.currency(currency, place)?,
            None => NO_CURRENCY,
        };
        let sum = match entry.direction {
            Direction::Debit => &mut self.statement.debits,
            Direction::Credit => &mut self.statement.credits,
        };
        *sum = sum
            .checked_add(entry.amount)
            .ok_or_else(|| StatementError::new(place, Problem::Total))?;
        self.push_references(entry.references, 0, place)?;
        for (number, detail) in (1..).zip(entry.details) {
            if self.statement.details.len() >= self.limits.details_max {
                return Err(too_much(
                    "transactions inside of entries",
                    self.limits.details_max,
                ));
            }
            self.statement.details.push(DetailRow {
                amount: detail.amount,
            });
            self.push_references(detail.references, number, place)?;
        }
        let description = whole_chars(entry.description, Limits::DESCRIPTION_BYTES_MAX);
        let text_bytes_max = self.limits.text_bytes_max;
        let description = self
            .statement
            .texts
            .push(description, text_bytes_max)
            .ok_or_else(|| too_much("bytes of texts", text_bytes_max))?;
        // Lists are limited, but what limits them is set by a caller.
        let fits = |value: usize, what| {
            u32::try_from(value).map_err(|_| too_much(what, u32::MAX as usize))
        };
        let row = Row {
            amount: entry.amount,
            span: entry.span,
            line: u32::try_from(place.line).unwrap_or(u32::MAX),
            number: u32::try_from(place.entry).unwrap_or(u32::MAX),
            references_end: fits(self.statement.references.len(), "references")?,
            details_end: fits(
                self.statement.details.len(),
                "transactions inside of entries",
            )?,
            description,
            currency,
            direction: entry.direction,
            reversal: entry.reversal,
        };
        self.statement.rows.push(row);
        Ok(())
    }

    /// Adds what a statement says of itself. Its entries are in it.
    ///
    /// # Errors
    /// [`Problem::TooMuch`].
    pub fn push_section(&mut self, section: Section) -> Result<(), StatementError> {
        if self.statement.sections.len() >= self.limits.sections_max {
            let problem = Problem::TooMuch {
                what: "statements",
                max: self.limits.sections_max,
            };
            return Err(StatementError::new(section.place, problem));
        }
        self.statement.sections.push(section);
        Ok(())
    }

    /// The statement.
    ///
    /// # Errors
    /// [`Problem::SeveralCurrencies`] when the ledger's was not given and cannot be told.
    pub fn finish(mut self) -> Result<Statement, StatementError> {
        let statement = &mut self.statement;
        if self.wanted.is_none() {
            if statement.currencies.len() > 1 {
                let names = list(statement.currencies.iter().map(String::as_str));
                let problem = Problem::SeveralCurrencies(names);
                return Err(StatementError::new(Place::default(), problem));
            }
            statement.currency = (!statement.currencies.is_empty()).then_some(0);
        }
        statement.checks = section::checks(&statement.sections, statement.scale);
        statement.rows.shrink_to_fit();
        Ok(self.statement)
    }

    fn push_references(
        &mut self,
        references: &[&str],
        detail: u32,
        place: Place,
    ) -> Result<(), StatementError> {
        for text in references {
            let text = text.trim();
            if text.is_empty() || NO_REFERENCE.contains(&text) {
                continue;
            }
            let problem = |what, max| StatementError::new(place, Problem::TooMuch { what, max });
            if self.statement.references.len() >= self.limits.references_max {
                return Err(problem("references", self.limits.references_max));
            }
            let bytes_max = self.limits.text_bytes_max;
            let text = self
                .statement
                .texts
                .push(text, bytes_max)
                .ok_or_else(|| problem("bytes of texts", bytes_max))?;
            self.statement
                .references
                .push(ReferenceRow { text, detail });
        }
        Ok(())
    }

    fn currency(&mut self, text: &str, place: Place) -> Result<u16, StatementError> {
        let known = &mut self.statement.currencies;
        // Mostly the one before: files have one currency, or few.
        if let Some(index) = known
            .iter()
            .position(|known| known.eq_ignore_ascii_case(text))
        {
            return Ok(u16::try_from(index).unwrap_or(NO_CURRENCY));
        }
        check_currency(text, place)?;
        let max = self.limits.sections_max.min(usize::from(NO_CURRENCY));
        if known.len() >= max {
            let what = "currencies";
            return Err(StatementError::new(place, Problem::TooMuch { what, max }));
        }
        known.push(text.to_ascii_uppercase());
        Ok(u16::try_from(known.len() - 1).unwrap_or(NO_CURRENCY))
    }
}

fn check_currency(text: &str, place: Place) -> Result<(), StatementError> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(());
    }
    let text = short(text);
    Err(StatementError::new(place, Problem::Currency { text }))
}

/// As much of the beginning as fits, in whole characters.
fn whole_chars(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
