//! Rows of a file as transfers, or as what is wrong with them.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use farthing_ledger::{Account, Transfer, amount};
use serde::Serialize;

use super::accounts::Accounts;
use super::columns::Places;
use super::derive::Deriver;
use super::metered::{Metered, ROW_BYTES_MAX, TooLong};
use super::plan::Plan;
use super::time;
use crate::failure::{Code, Failure};

/// Read ahead of a row, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

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
    reader: csv::Reader<Metered<Box<dyn Read + Send>>>,
    record: ByteRecord,
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
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Metered::new(input, BUFFER_BYTES));
        let header = reader
            .byte_headers()
            .map_err(|error| unreadable(error, 1))?;
        check_length(header, 1)?;
        let places = plan.columns.places(header)?;
        Ok(Self {
            reader,
            record: ByteRecord::new(),
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
    /// [`ROW_BYTES_MAX`]: where it was meant to end cannot be known, so nothing behind it can be read either.
    pub(super) fn next(&mut self, new_accounts: &mut Vec<Account>) -> Result<Option<Row>, Failure> {
        let begin = self.reader.position().line();
        self.reader.get_mut().next_row();
        if !self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| unreadable(error, begin))?
        {
            return Ok(None);
        }
        check_length(&self.record, begin)?;
        let line = self.record.position().map_or(0, csv::Position::line);
        if self
            .record
            .as_slice()
            .iter()
            .any(|byte| b"\r\n".contains(byte))
        {
            // The payments in between would be lost, in a column perhaps that nobody looks at.
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
        self.record.as_slice()
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
        if self.record.len() != width {
            return Err(format!(
                "{} columns where the header has {width}",
                self.record.len()
            ));
        }
        let columns = &self.plan.columns;
        let id = self.ids.id(text(&self.record, id, &columns.id)?);
        let time_text = text(&self.record, time, &columns.time)?;
        let time_ns = time::parse_ns(time_text).ok_or_else(|| {
            format!(
                "`{}` is {time_text:?}, which is neither an RFC 3339 time nor seconds since 1970",
                columns.time
            )
        })?;
        let amount_text = text(&self.record, amount, &columns.amount)?;
        let amount = amount::parse(amount_text, self.plan.scale)
            .map_err(|error| format!("`{}` is {amount_text:?}: {error}", columns.amount))?;
        let debit_name = text(&self.record, debit, &columns.debit)?;
        let credit_name = text(&self.record, credit, &columns.credit)?;
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

fn check_length(record: &ByteRecord, line: u64) -> Result<(), Failure> {
    if record.as_slice().len() > ROW_BYTES_MAX {
        return Err(too_long(line));
    }
    Ok(())
}

fn too_long(line: u64) -> Failure {
    Failure::new(
        Code::BadInput,
        format!("line {line}: the row that begins here is longer than {ROW_BYTES_MAX} bytes"),
    )
    .because("a quote that is never closed makes the rest of a file one field")
    .advise("look for a quote without its partner in this line")
}

/// What came of reading a row that begins at `line`.
fn unreadable(error: csv::Error, line: u64) -> Failure {
    if let csv::ErrorKind::Io(io) = error.kind()
        && io.get_ref().is_some_and(|inner| inner.is::<TooLong>())
    {
        return too_long(line);
    }
    Failure::new(Code::Io, "the file cannot be read to its end")
        .because(error)
        .advise("check that it is complete: a compressed file that was cut off looks like this")
}

#[cfg(test)]
mod tests;
