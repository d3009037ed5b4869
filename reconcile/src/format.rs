//! Which format a file is in.

/// A format of statements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// [`crate::csv`].
    Csv,
    /// [`crate::camt`].
    Camt,
}

impl Format {
    /// Tells by the first bytes of a file, of which some tens are enough: XML begins with `<`, and no header row does.
    #[must_use]
    pub fn of(begin: &[u8]) -> Self {
        let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin);
        // UTF-16 has its `<` between zeros; the reader of XML says what to do about that encoding.
        let first = begin
            .iter()
            .find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0 | 0xfe | 0xff));
        if first == Some(&b'<') {
            Self::Camt
        } else {
            Self::Csv
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_by_the_first_bytes() {
        for (begin, format) in [
            (&b"<?xml version=\"1.0\"?>"[..], Format::Camt),
            (b"\xef\xbb\xbf \n<Document>", Format::Camt),
            (b"\xff\xfe<\0D\0", Format::Camt),
            (b"id,amount\n", Format::Csv),
            (b"\xef\xbb\xbfid", Format::Csv),
            (b"", Format::Csv),
        ] {
            assert_eq!(Format::of(begin), format);
        }
    }
}
