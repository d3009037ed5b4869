//! Rows of a file as transfers, or as what is wrong with them.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use farthing_ledger::{Account, Transfer, amount};
use serde::Serialize;

use super::accounts::Accounts;
use super::columns::Places;
use super::derive::Deriver;
use super::plan::Plan;
use super::time;
use crate::failure::{Code, Failure};

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
    reader: csv::Reader<Box<dyn Read + Send>>,
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
    /// [`Code::BadInput`] when it lacks a column, [`Code::Io`] when the file cannot be read.
    pub(super) fn new(input: Box<dyn Read + Send>, plan: Plan) -> Result<Self, Failure> {
        let mut reader = ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(256 * 1024)
            .from_reader(input);
        let header = reader.byte_headers().map_err(unreadable)?;
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
    /// [`Code::Io`] when the file cannot be read or decompressed.
    pub(super) fn next(&mut self, new_accounts: &mut Vec<Account>) -> Result<Option<Row>, Failure> {
        if !self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(unreadable)?
        {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
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

fn unreadable(error: csv::Error) -> Failure {
    Failure::new(Code::Io, "the file cannot be read to its end")
        .because(error)
        .advise("check that it is complete: a compressed file that was cut off looks like this")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Vec<Row> {
        let mut rows = Rows::new(Box::new(text.as_bytes()), Plan::default()).unwrap();
        let mut accounts = Vec::new();
        std::iter::from_fn(|| rows.next(&mut accounts).unwrap()).collect()
    }

    #[test]
    fn number_zero_and_amount_zero_are_payments() {
        let rows = rows(
            "payment_id,time,customer_id,terminal_id,amount\n\
             0,1970-01-01T00:00:01Z,0,0,0.00\n\
             1,1970-01-01T00:00:02Z,0,1,57.16\n",
        );
        let [Row::Payment(2, zero), Row::Payment(3, one)] = rows.as_slice() else {
            panic!("{rows:?}");
        };
        assert_eq!((zero.amount, one.amount), (0, 5_716));
        assert_eq!(
            (zero.user_data_64, one.user_data_64),
            (1_000_000_000, 2_000_000_000)
        );
        assert_ne!(zero.id.0, 0);
        assert_ne!(
            zero.debit_account_id, zero.credit_account_id,
            "customer 0 is not terminal 0"
        );
        assert_eq!(zero.debit_account_id, one.debit_account_id);
        assert_eq!((one.ledger, one.code), (840, 1));
    }

    #[test]
    fn bad_rows_say_their_line_and_problem() {
        let rows = rows(
            "payment_id,time,customer_id,terminal_id,amount\n\
             1,1970-01-01T00:00:01Z,1,1,1.005\n\
             2,1970-01-01T00:00:01Z,1,1\n\
             3,yesterday,1,1,1.00\n\
             ,1970-01-01T00:00:01Z,1,1,1.00\n\
             5,1970-01-01T00:00:01Z,1,1,-1.00\n\
             6,1970-01-01T00:00:01Z,1,1,1.00\n",
        );
        let problems: Vec<_> = rows
            .iter()
            .map(|row| match row {
                Row::Bad(bad) => (bad.line, bad.problem.as_str()),
                Row::Payment(line, _) => (*line, "good"),
            })
            .collect();
        for (at, (line, part)) in [
            (2, "`amount`"),
            (3, "4 columns"),
            (4, "RFC 3339"),
            (5, "empty"),
            (6, "`amount`"),
            (7, "good"),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(problems[at].0, line);
            assert!(problems[at].1.contains(part), "{:?}", problems[at]);
        }
    }

    #[test]
    fn a_bad_row_makes_no_accounts() {
        let text =
            "payment_id,time,customer_id,terminal_id,amount\n1,1970-01-01T00:00:01Z,1,1,one\n";
        let mut rows = Rows::new(Box::new(text.as_bytes()), Plan::default()).unwrap();
        let mut accounts = Vec::new();
        assert!(matches!(rows.next(&mut accounts), Ok(Some(Row::Bad(_)))));
        assert!(accounts.is_empty());
    }
}
