//! How far one row may reach into a file. A quote that is never closed makes the whole rest of a file one field, and a
//! file need not fit into memory.

use std::io::{self, Read};

/// Longest row, in bytes of its fields; far above what payments take.
pub(super) const ROW_BYTES_MAX: usize = 1 << 20;

/// A row reached further than it may.
#[derive(Debug, thiserror::Error)]
#[error("a row is longer than {ROW_BYTES_MAX} bytes")]
pub(super) struct TooLong;

/// Hands out a file as far as the row at hand may reach.
pub(super) struct Metered<R> {
    input: R,
    /// What is handed out for one row, in bytes.
    allowance: u64,
    left: u64,
}

impl<R: Read> Metered<R> {
    /// `buffer_bytes` is what the reader of rows may read ahead of the end of a row. The first row may begin.
    pub(super) fn new(input: R, buffer_bytes: usize) -> Self {
        // Quotes, doubled ones above all, and what ends a line are no bytes of a field.
        let allowance = (2 * ROW_BYTES_MAX + buffer_bytes) as u64;
        Self {
            input,
            allowance,
            left: allowance,
        }
    }

    /// The next row begins.
    pub(super) fn next_row(&mut self) {
        self.left = self.allowance;
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong));
        }
        let length = self.input.by_ref().take(self.left).read(buffer)?;
        self.left -= length as u64;
        Ok(length)
    }
}
