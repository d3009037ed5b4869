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

    /// Endless, and counts what was taken of it.
    struct Endless {
        begin: &'static [u8],
        taken: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = match self.begin.read(buffer)? {
                0 => {
                    buffer.fill(b'7');
                    buffer.len()
                }
                length => length,
            };
            self.taken
                .fetch_add(length, std::sync::atomic::Ordering::Relaxed);
            Ok(length)
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_in_the_whole_file() {
        const GOOD: &[u8] = b"payment_id,time,customer_id,terminal_id,amount\n\
            0,1970-01-01T00:00:01Z,0,0,0.00\n1,1970-01-01T00:00:01Z,0,\"0,0.00\n";
        let taken = std::sync::Arc::default();
        let endless = |begin| Endless {
            begin,
            taken: std::sync::Arc::clone(&taken),
        };
        let mut rows = Rows::new(Box::new(endless(GOOD)), Plan::default()).unwrap();
        let mut accounts = Vec::new();
        assert!(matches!(
            rows.next(&mut accounts),
            Ok(Some(Row::Payment(2, _)))
        ));
        let failure = rows.next(&mut accounts).unwrap_err();
        assert_eq!(failure.code, Code::BadInput);
        assert!(failure.what.starts_with("line 3:"), "{}", failure.what);
        let header = Rows::new(Box::new(endless(b"payment_id,\"time")), Plan::default());
        let failure = header.err().unwrap();
        assert_eq!(failure.code, Code::BadInput);
        assert!(failure.what.starts_with("line 1:"), "{}", failure.what);
        let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
        assert!(
            taken <= 2 * (2 * ROW_BYTES_MAX + 2 * BUFFER_BYTES),
            "{taken}"
        );
    }

    /// Nothing but the row itself decides, however the file is read and whatever it is quoted with.
    #[test]
    fn a_row_of_the_longest_length_is_read_and_a_longer_one_is_not() {
        let header = "payment_id,time,customer_id,terminal_id,amount\n";
        let rest = "1970-01-01T00:00:01Z01.00";
        let read = |length: usize, quoted: bool| {
            // Every byte of the id is a quote in the worst case, which takes two in the file.
            let id = if quoted {
                format!("\"{}\"", "\"\"".repeat(length - rest.len()))
            } else {
                "7".repeat(length - rest.len())
            };
            let text = format!(
                "{header}{id},1970-01-01T00:00:01Z,0,1,.00\n0,1970-01-01T00:00:01Z,0,1,0.00"
            );
            let mut rows =
                Rows::new(Box::new(std::io::Cursor::new(text)), Plan::default()).unwrap();
            let mut accounts = Vec::new();
            let first = rows.next(&mut accounts).map(|row| row.is_some());
            let second = rows.next(&mut accounts);
            (first.is_ok(), matches!(second, Ok(Some(Row::Payment(..)))))
        };
        for quoted in [false, true] {
            assert_eq!(read(ROW_BYTES_MAX, quoted), (true, true), "{quoted}");
            assert!(!read(ROW_BYTES_MAX + 1, quoted).0, "{quoted}");
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
