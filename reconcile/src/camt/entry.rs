//! One booking on its way from XML to a statement.

use super::names::Name;
use super::values::Amount;
use super::{CamtOptions, EntryDate};
use crate::direction::Direction;
use crate::error::{Place, Problem, StatementError};
use crate::limits::Limits;
use crate::statement::{NewDetail, NewEntry};
use crate::time::Span;

/// What was read of an `Ntry`.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) place: Place,
    pub(super) amount: Option<Amount>,
    pub(super) direction: Option<Direction>,
    pub(super) status: Option<String>,
    pub(super) reversal: bool,
    pub(super) booking: Option<Span>,
    pub(super) value: Option<Span>,
    details: Vec<DetailDraft>,
    /// With the number of the transaction, from 1; 0 is the entry itself.
    references: Vec<(usize, String)>,
    reference_bytes: usize,
    description: String,
    additional: String,
}

/// What was read of a `TxDtls`.
#[derive(Debug, Default)]
struct DetailDraft {
    /// `Amt`, and what older versions have instead.
    amount: Option<Amount>,
    transaction_amount: Option<Amount>,
    direction: Option<Direction>,
}

impl Draft {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            amount: None,
            direction: None,
            status: None,
            reversal: false,
            booking: None,
            value: None,
            details: Vec::new(),
            references: Vec::new(),
            reference_bytes: 0,
            description: String::new(),
            additional: String::new(),
        }
    }

    pub(super) fn begin_detail(&mut self, limits: &Limits) -> Result<(), Problem> {
        let max = limits.details_max;
        if self.details.len() >= max {
            let what = "transactions inside of entries";
            return Err(Problem::TooMuch { what, max });
        }
        self.details.push(DetailDraft::default());
        Ok(())
    }

    pub(super) fn detail_amount(&mut self, amount: Amount, from_details: bool) {
        if let Some(detail) = self.details.last_mut() {
            let field = if from_details {
                &mut detail.transaction_amount
            } else {
                &mut detail.amount
            };
            *field = Some(amount);
        }
    }

    pub(super) fn detail_direction(&mut self, direction: Direction) {
        if let Some(detail) = self.details.last_mut() {
            detail.direction = Some(direction);
        }
    }

    /// A reference of the entry, or of the transaction that is being read.
    pub(super) fn reference(
        &mut self,
        text: &str,
        in_detail: bool,
        limits: &Limits,
    ) -> Result<(), Problem> {
        let detail = if in_detail { self.details.len() } else { 0 };
        self.reference_bytes = self.reference_bytes.saturating_add(text.len());
        if self.references.len() >= limits.references_max {
            let what = "references";
            let max = limits.references_max;
            return Err(Problem::TooMuch { what, max });
        }
        if self.reference_bytes > limits.text_bytes_max {
            let what = "bytes of texts";
            let max = limits.text_bytes_max;
            return Err(Problem::TooMuch { what, max });
        }
        self.references.push((detail, text.to_owned()));
        Ok(())
    }

    /// What the payer wrote; only as much as is kept.
    pub(super) fn describe(&mut self, text: &str) {
        push_description(&mut self.description, text);
    }

    /// What the bank writes.
    pub(super) fn describe_additionally(&mut self, text: &str) {
        push_description(&mut self.additional, text);
    }

    /// The entry's amount and direction, which it must have.
    pub(super) fn movement(&self) -> Result<(&Amount, Direction), StatementError> {
        let missing = |path: &[Name]| {
            let field = super::names::text(path);
            StatementError::of_field(self.place, &field, Problem::Missing)
        };
        let entry = [Name::Document, Name::BkToCstmrStmt, Name::Stmt, Name::Ntry];
        let amount = self
            .amount
            .as_ref()
            .ok_or_else(|| missing(&[&entry[..], &[Name::Amt]].concat()))?;
        let direction = self
            .direction
            .ok_or_else(|| missing(&[&entry[..], &[Name::CdtDbtInd]].concat()))?;
        if self.status.is_none() {
            return Err(missing(&[&entry[..], &[Name::Sts]].concat()));
        }
        Ok((amount, direction))
    }

    /// Hands the entry to `take`.
    pub(super) fn with_entry<T>(
        &self,
        options: &CamtOptions,
        take: impl FnOnce(&NewEntry<'_>) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        let (amount, direction) = self.movement()?;
        let texts: Vec<&str> = self.references.iter().map(|(_, text)| &**text).collect();
        // The entry's own references may stand before and behind those of its transactions.
        let own: Vec<&str> = self
            .references
            .iter()
            .filter(|(detail, _)| *detail == 0)
            .map(|(_, text)| &**text)
            .collect();
        let mut details = Vec::with_capacity(self.details.len());
        // Those of one transaction stand together, in the order of the transactions.
        let mut begin = 0;
        for (number, detail) in (1..).zip(&self.details) {
            while matches!(self.references.get(begin), Some((of, _)) if *of < number) {
                begin += 1;
            }
            let mut end = begin;
            while matches!(self.references.get(end), Some((of, _)) if *of == number) {
                end += 1;
            }
            details.push(NewDetail {
                amount: detail.movement(amount, direction),
                references: &texts[begin..end],
            });
            begin = end;
        }
        let span = match options.date {
            EntryDate::Booking => self.booking.or(self.value),
            EntryDate::Value => self.value.or(self.booking),
        };
        let description = if self.description.is_empty() {
            &self.additional
        } else {
            &self.description
        };
        take(&NewEntry {
            amount: amount.value,
            direction,
            currency: Some(&amount.currency),
            span: span.unwrap_or(Span::UNKNOWN),
            place: self.place,
            references: &own,
            details: &details,
            description,
            reversal: self.reversal,
        })
    }
}

impl DetailDraft {
    /// Its amount, if it is one of the entry's currency: only then does it add up with the others.
    fn movement(&self, entry: &Amount, direction: Direction) -> Option<(Direction, u128)> {
        let amount = self.amount.as_ref().or(self.transaction_amount.as_ref())?;
        (amount.currency == entry.currency)
            .then(|| (self.direction.unwrap_or(direction), amount.value))
    }
}

fn push_description(description: &mut String, text: &str) {
    if text.is_empty() || description.len() >= Limits::DESCRIPTION_BYTES_MAX {
        return;
    }
    if !description.is_empty() {
        description.push(' ');
    }
    let left = Limits::DESCRIPTION_BYTES_MAX.saturating_sub(description.len());
    description.push_str(&text[..text.floor_char_boundary(left)]);
}
