//! Bytes of a file with their lines, as far as one piece of XML may reach.

use std::io::{self, BufRead, Read};

const BUFFER_BYTES: usize = 64 * 1024;

/// One tag, text or comment reached further than it may.
#[derive(Debug, thiserror::Error)]
#[error("it does not end")]
pub(super) struct TooLong;

/// A buffered reader that counts lines.
pub(super) struct Source<R> {
    input: R,
    buffer: Box<[u8]>,
    begin: usize,
    end: usize,
    line: u64,
    piece_bytes_max: usize,
    piece_bytes: usize,
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R, piece_bytes_max: usize) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            begin: 0,
            end: 0,
            line: 1,
            piece_bytes_max,
            piece_bytes: 0,
        }
    }

    /// The line of the next byte, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    pub(super) const fn next_piece(&mut self) {
        self.piece_bytes = 0;
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(out)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece_bytes > self.piece_bytes_max {
            return Err(io::Error::other(TooLong));
        }
        if self.begin == self.end {
            self.begin = 0;
            self.end = self.input.read(&mut self.buffer)?;
        }
        Ok(&self.buffer[self.begin..self.end])
    }

    fn consume(&mut self, count: usize) {
        let end = (self.begin + count).min(self.end);
        let consumed = &self.buffer[self.begin..end];
        self.line += consumed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.piece_bytes = self.piece_bytes.saturating_add(consumed.len());
        self.begin = end;
    }
}
