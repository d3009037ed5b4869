//! Rows of a file as transfers, or as what is wrong with them.

use std::io::Read;

use csv::ByteRecord;
use farthing_ledger::{Account, Transfer, amount};
use farthing_reconcile::rows::{RowError, RowProblem, Rows as Lines};
use serde::Serialize;

use super::accounts::Accounts;
use super::columns::Places;
use super::derive::Deriver;
use super::plan::Plan;
use super::time;
use crate::failure::{Code, Failure};

/// Read ahead of a row, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// Longest row, in bytes of its fields; far above what payments take.
const ROW_BYTES_MAX: usize = 1 << 20;

/// A row that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// Line of the file, from 1.
    pub line: u64,
    /// What is wrong, in words.
    pub problem: String,
}

/// The next row.
#[derive(Debug)]
pub(super) enum Row {
    /// A payment as the transfer to send, at this line.
    Payment(u64, Transfer),
    /// A row that is none.
    Bad(BadRow),
}

/// Reads rows one after another.
pub(super) struct Rows {
    lines: Lines<Box<dyn Read + Send>>,
    places: Places,
    plan: Plan,
    ids: Deriver,
    pub(super) debits: Accounts,
    pub(super) credits: Accounts,
}

impl Rows {
    /// Reads the header line.
    ///
    /// # Errors
    /// [`Code::BadInput`] when it lacks a column or has no end, [`Code::Io`] when the file cannot be read.
    pub(super) fn new(input: Box<dyn Read + Send>, plan: Plan) -> Result<Self, Failure> {
        let mut lines = Lines::new(input, b',', ROW_BYTES_MAX, BUFFER_BYTES);
        let header = lines.header().map_err(unreadable)?;
        let places = plan.columns.places(&header)?;
        Ok(Self {
            lines,
            places,
            ids: plan.transfer_ids(),
            debits: Accounts::new(plan.debit_ids()),
            credits: Accounts::new(plan.credit_ids()),
            plan,
        })
    }

    /// The next row; accounts it names for the first time are added to `new_accounts`. `None` at the end.
    ///
    /// # Errors
    /// [`Code::Io`] when the file cannot be read or decompressed, [`Code::BadInput`] when a row is longer than
    /// [`ROW_BYTES_MAX`] or has a quote that is not closed: where it was meant to end cannot be known, so nothing behind it
    /// can be read either.
    pub(super) fn next(&mut self, new_accounts: &mut Vec<Account>) -> Result<Option<Row>, Failure> {
        let Some(line) = self.lines.next_line().map_err(unreadable)? else {
            return Ok(None);
        };
        let mut bytes = self.lines.last().as_slice().iter();
        if bytes.any(|byte| b"\r\n".contains(byte)) {
            // Perhaps there are payments in between, in a column that nobody looks at.
            let problem = "a quote is not closed on it; a payment is one line".to_owned();
            return Ok(Some(Row::Bad(BadRow { line, problem })));
        }
        Ok(Some(match self.payment(new_accounts) {
            Ok(transfer) => Row::Payment(line, transfer),
            Err(problem) => Row::Bad(BadRow { line, problem }),
        }))
    }

    /// The bytes of the last row, for fingerprints of rows that are no payments.
    pub(super) fn last_bytes(&self) -> &[u8] {
        self.lines.last().as_slice()
    }

    fn payment(&mut self, new_accounts: &mut Vec<Account>) -> Result<Transfer, String> {
        let Places {
            id,
            time,
            debit,
            credit,
            amount,
            width,
        } = self.places;
        let record = self.lines.last();
        if record.len() != width {
            return Err(format!(
                "{} columns where the header has {width}",
                record.len()
            ));
        }
        let columns = &self.plan.columns;
        let id = self.ids.id(text(record, id, &columns.id)?);
        let time_text = text(record, time, &columns.time)?;
        let time_ns = time::parse_ns(time_text).ok_or_else(|| {
            format!(
                "`{}` is {time_text:?}, which is neither an RFC 3339 time nor seconds since 1970",
                columns.time
            )
        })?;
        let amount_text = text(record, amount, &columns.amount)?;
        let amount = amount::parse(amount_text, self.plan.scale)
            .map_err(|error| format!("`{}` is {amount_text:?}: {error}", columns.amount))?;
        let debit_name = text(record, debit, &columns.debit)?;
        let credit_name = text(record, credit, &columns.credit)?;
        if self.plan.debit_kind == self.plan.credit_kind && debit_name == credit_name {
            return Err(format!(
                "`{}` and `{}` are the same account, {debit_name:?}",
                columns.debit, columns.credit
            ));
        }
        // Only now is the row good, so only now may its accounts come into being.
        let (debit, new) = self.debits.id(debit_name);
        if new {
            new_accounts.push(self.plan.account(debit, self.plan.debit_account_code));
        }
        let (credit, new) = self.credits.id(credit_name);
        if new {
            new_accounts.push(self.plan.account(credit, self.plan.credit_account_code));
        }
        Ok(self.plan.transfer(id, debit, credit, amount, time_ns))
    }
}

fn text<'r>(record: &'r ByteRecord, at: usize, column: &str) -> Result<&'r str, String> {
    let bytes = record.get(at).unwrap_or_default();
    match std::str::from_utf8(bytes).map(str::trim) {
        Ok("") => Err(format!("`{column}` is empty")),
        Ok(text) => Ok(text),
        Err(_) => Err(format!("`{column}` is not UTF-8 text")),
    }
}

/// What is said of a file in which rows cannot be told apart.
fn unreadable(error: RowError) -> Failure {
    let line = error.line;
    match error.problem {
        RowProblem::TooLong => Failure::new(
            Code::BadInput,
            format!("line {line}: the row that begins here is longer than {ROW_BYTES_MAX} bytes"),
        )
        .because("a quote that is never closed makes the rest of a file one field")
        .advise("look for a quote without its partner in this line"),
        RowProblem::Quote => Failure::new(
            Code::BadInput,
            format!(
                "line {line}: a quote is opened here and not closed before the next comma or line end"
            ),
        )
        .because("the payments up to the next quote would be read as one field and be lost")
        .advise("mend the line; a quote inside of a quoted field is written twice"),
        RowProblem::Io(error) => Failure::new(Code::Io, "the file cannot be read to its end")
            .because(error)
            .advise("check that it is complete: a compressed file that was cut off looks like this"),
    }
}

#[cfg(test)]
mod tests;
