//! Rows of a CSV file that anybody may have written: with the lines on which they stand, with an end to what one of them may
//! cost, and with an error where a quote that is not closed would take other rows into a field.
//!
//! What the columns mean is up to the caller: [`crate::csv`] makes entries of them, and an import payments.

mod metered;

use std::io::{self, Read};

use ::csv::{ByteRecord, Error, ErrorKind, ReaderBuilder};

use metered::{Metered, TooLong, WrongQuote};

/// What is wrong with a file's rows. Nothing behind it can be read: where a row ends is not known any more.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct RowError {
    /// Where the row begins, or where the quote was opened; from 1.
    pub line: u64,
    /// What is wrong.
    #[source]
    pub problem: RowProblem,
}

/// What can be wrong with a row, whatever its columns mean.
#[derive(Debug, thiserror::Error)]
pub enum RowProblem {
    /// Its fields have more bytes than they may.
    #[error("the row that begins here does not end")]
    TooLong,
    /// A quote that is not closed.
    #[error("a quote is opened here and not closed before the next delimiter or line end")]
    Quote,
    /// The bytes could not be had.
    #[error("it cannot be read: {0}")]
    Io(#[source] io::Error),
}

/// A file, row by row.
#[derive(Debug)]
pub struct Rows<R> {
    reader: ::csv::Reader<Metered<R>>,
    record: ByteRecord,
    row_bytes_max: usize,
}

impl<R: Read> Rows<R> {
    /// `delimiter` is one ASCII character. Fields of one row come to at most `row_bytes_max`; `buffer_bytes` are read
    /// ahead.
    pub fn new(input: R, delimiter: u8, row_bytes_max: usize, buffer_bytes: usize) -> Self {
        let metered = Metered::new(input, delimiter, row_bytes_max, buffer_bytes);
        Self {
            reader: ReaderBuilder::new()
                .flexible(true)
                .delimiter(delimiter)
                .buffer_capacity(buffer_bytes)
                .from_reader(metered),
            record: ByteRecord::new(),
            row_bytes_max,
        }
    }

    /// The first row; without any field when there is none.
    ///
    /// # Errors
    /// [`RowError`].
    pub fn header(&mut self) -> Result<ByteRecord, RowError> {
        match self.reader.byte_headers() {
            Ok(header) => {
                let header = header.clone();
                self.check_length(&header, 1)?;
                Ok(header)
            }
            Err(error) => Err(wrong(error, 1)),
        }
    }

    /// The row behind the last one, which is [`Rows::last`] from then on, and the line on which it begins. Empty lines are
    /// no rows.
    ///
    /// # Errors
    /// [`RowError`], once: behind it there are no rows.
    pub fn next_line(&mut self) -> Result<Option<u64>, RowError> {
        self.reader.get_mut().next_row();
        let begin = self.reader.position().byte();
        let result = self.reader.read_byte_record(&mut self.record);
        let end = self.reader.position().byte();
        let metered = self.reader.get_mut();
        let more = match result {
            Ok(more) => more,
            Err(error) => return Err(wrong(error, metered.line(begin + 1))),
        };
        if !more {
            return Ok(None);
        }
        // From its last byte back over the lines that are inside of it.
        let inside = self.record.as_slice().iter();
        let inside = inside.filter(|byte| **byte == b'\n').count() as u64;
        let line = metered.line(end.saturating_sub(1)).saturating_sub(inside);
        self.check_length(&self.record, line)?;
        Ok(Some(line))
    }

    /// The row that was read last.
    #[must_use]
    pub const fn last(&self) -> &ByteRecord {
        &self.record
    }

    fn check_length(&self, row: &ByteRecord, line: u64) -> Result<(), RowError> {
        let problem = RowProblem::TooLong;
        if row.as_slice().len() > self.row_bytes_max {
            return Err(RowError { line, problem });
        }
        Ok(())
    }
}

/// What came of reading a row that begins at `line`.
fn wrong(error: Error, line: u64) -> RowError {
    let error = match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    };
    if inner::<TooLong>(&error).is_some() {
        let problem = RowProblem::TooLong;
        return RowError { line, problem };
    }
    match inner::<WrongQuote>(&error) {
        Some(quote) => RowError {
            line: quote.line,
            problem: RowProblem::Quote,
        },
        None => RowError {
            line,
            problem: RowProblem::Io(error),
        },
    }
}

fn inner<E: std::error::Error + 'static>(error: &io::Error) -> Option<&E> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
