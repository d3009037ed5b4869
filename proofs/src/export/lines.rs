//! Lines of bounded length.

use std::io::{self, BufRead, Read};

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line; its line feed was taken off.
    Whole,
    /// Text without a line feed at its end, where the file ends.
    Cut,
    /// More than the bound without a line feed.
    TooLong,
    /// Nothing: the file ended before.
    End,
}

/// Reads a line of at most `length_max` bytes into `line`, which is emptied first.
pub(crate) fn read_bounded(
    reader: &mut impl BufRead,
    length_max: usize,
    line: &mut Vec<u8>,
) -> io::Result<Line> {
    line.clear();
    let bound = length_max as u64 + 1;
    let count = reader.by_ref().take(bound).read_until(b'\n', line)?;
    Ok(match line.last() {
        None => Line::End,
        Some(b'\n') => {
            line.pop();
            Line::Whole
        }
        Some(_) if count as u64 == bound => Line::TooLong,
        Some(_) => Line::Cut,
    })
}
