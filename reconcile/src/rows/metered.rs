//! How far one row may reach into a file: a quote that is never closed makes the whole rest of a file one field. And on
//! which lines rows stand, which the reader of rows cannot tell where lines end with two characters or are empty.
//!
//! Quotes are checked here as well. The reader of rows takes a quote that is not closed for one that is closed by the next
//! field's opening quote, or by the end of the file; the rows between would be part of a field, and their money gone.

use std::collections::VecDeque;
use std::io::{self, Read};

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// A row reached further than it may.
#[derive(Debug, thiserror::Error)]
#[error("the row does not end")]
pub(super) struct TooLong;

/// A quote that is not closed where it must be.
#[derive(Debug, thiserror::Error)]
#[error("a quote is opened on line {line} and not closed before the next delimiter or line end")]
pub(super) struct WrongQuote {
    /// Where it was opened, from 1.
    pub(super) line: u64,
}

/// Where a byte stands with respect to quotes, as the reader of rows sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quoting {
    FieldBegins,
    Bare,
    Quoted,
    /// Behind a quote in a quoted field: it ends the field, or it is the first of two that stand for one.
    QuoteInQuoted,
}

/// Hands out a file as far as the row at hand may reach.
#[derive(Debug)]
pub(super) struct Metered<R> {
    input: R,
    allowance: u64,
    left: u64,
    /// Bytes handed out.
    handed_out: u64,
    /// Where lines end in what was handed out, as far as no row went there yet.
    line_ends: VecDeque<u64>,
    /// How many lines ended before.
    lines_ended: u64,
    delimiter: u8,
    quoting: Quoting,
    /// The line at the end of what was handed out, and the one on which the last quote was opened.
    last_line: u64,
    quote_line: u64,
    /// The byte that comes next is behind a quote that is not closed.
    wrong: bool,
}

impl<R: Read> Metered<R> {
    /// `buffer_bytes` is what the reader of rows may read ahead of the end of a row.
    pub(super) fn new(input: R, delimiter: u8, row_bytes_max: usize, buffer_bytes: usize) -> Self {
        // Quotes, doubled ones above all, and what ends a line are no bytes of a field.
        let allowance = 2 * row_bytes_max as u64 + buffer_bytes as u64;
        Self {
            input,
            allowance,
            left: allowance,
            handed_out: 0,
            line_ends: VecDeque::new(),
            lines_ended: 0,
            delimiter,
            quoting: Quoting::FieldBegins,
            last_line: 1,
            quote_line: 1,
            wrong: false,
        }
    }

    /// The line, from 1, of the byte at this offset. Offsets must not go back.
    pub(super) fn line(&mut self, offset: u64) -> u64 {
        while self.line_ends.front().is_some_and(|end| *end < offset) {
            self.line_ends.pop_front();
            self.lines_ended += 1;
        }
        self.lines_ended + 1
    }

    pub(super) fn next_row(&mut self) {
        self.left = self.allowance;
    }

    /// `None` when a quote that was opened before is not closed here.
    fn next(&mut self, byte: u8) -> Option<Quoting> {
        let ends = byte == self.delimiter || byte == b'\n' || byte == b'\r';
        Some(match self.quoting {
            Quoting::FieldBegins if byte == b'"' => {
                self.quote_line = self.last_line;
                Quoting::Quoted
            }
            Quoting::Quoted if byte == b'"' => Quoting::QuoteInQuoted,
            Quoting::Quoted => Quoting::Quoted,
            Quoting::QuoteInQuoted if byte == b'"' => Quoting::Quoted,
            Quoting::QuoteInQuoted if !ends => return None,
            _ if ends => Quoting::FieldBegins,
            _ => Quoting::Bare,
        })
    }

    /// Follows what was read; how much of it may be handed out. Rows before a wrong quote are whole, so they are, and only
    /// then is it an error.
    fn follow(&mut self, bytes: &[u8]) -> usize {
        for (count, byte) in bytes.iter().enumerate() {
            let offset = self.handed_out + count as u64;
            // The mark in front of a file is no part of its first field.
            let is_mark = BYTE_ORDER_MARK.get(offset as usize) == Some(byte);
            if !(is_mark && self.quoting == Quoting::FieldBegins) {
                match self.next(*byte) {
                    Some(quoting) => self.quoting = quoting,
                    None => {
                        self.wrong = true;
                        return count;
                    }
                }
            }
            if *byte == b'\n' {
                self.line_ends.push_back(offset);
                self.last_line += 1;
            }
        }
        bytes.len()
    }

    fn wrong_quote(&self) -> io::Error {
        let line = self.quote_line;
        io::Error::new(io::ErrorKind::InvalidData, WrongQuote { line })
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wrong {
            return Err(self.wrong_quote());
        }
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong));
        }
        let length = self.input.by_ref().take(self.left).read(buffer)?;
        self.left -= length as u64;
        self.wrong |= length == 0 && !buffer.is_empty() && self.quoting == Quoting::Quoted;
        let length = self.follow(&buffer[..length]);
        if length == 0 && self.wrong {
            return Err(self.wrong_quote());
        }
        self.handed_out += length as u64;
        Ok(length)
    }
}
