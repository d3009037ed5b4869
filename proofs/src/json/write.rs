//! The writing side.

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Form;
use super::digits::{push_decimal, push_decimal_128, push_hex, push_uuid};
use crate::Hash;

/// Appends what it is given.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    fn quoted(&mut self, content: impl FnOnce(&mut Vec<u8>)) {
        self.0.push(b'"');
        content(self.0);
        self.0.push(b'"');
    }

    /// What differs from one item of a list to the next.
    fn between(&mut self, first: bool) {
        if !first {
            self.0.push(b',');
        }
    }
}

impl Form for Writer<'_> {
    type Error = Infallible;

    #[inline]
    fn word(&mut self, word: &'static str) -> Result<(), Infallible> {
        self.0.extend_from_slice(word.as_bytes());
        Ok(())
    }

    fn word_if(&mut self, word: &'static str, wanted: bool) -> Result<bool, Infallible> {
        if wanted {
            self.word(word)?;
        }
        Ok(wanted)
    }

    #[inline]
    fn number<N>(&mut self, value: &mut N) -> Result<(), Infallible>
    where
        N: Copy + Into<u64> + TryFrom<u64>,
    {
        push_decimal((*value).into(), self.0);
        Ok(())
    }

    fn amount(&mut self, value: &mut u128) -> Result<(), Infallible> {
        self.quoted(|out| push_decimal_128(*value, out));
        Ok(())
    }

    fn id(&mut self, value: &mut u128) -> Result<(), Infallible> {
        self.quoted(|out| push_uuid(*value, out));
        Ok(())
    }

    fn optional_id(&mut self, value: &mut u128) -> Result<(), Infallible> {
        match value {
            0 => self.word("\"\""),
            _ => self.id(value),
        }
    }

    fn flags(&mut self, value: &mut u16, names: &'static [&'static str]) -> Result<(), Infallible> {
        self.0.push(b'[');
        let mut rest = *value;
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            self.between(rest == *value);
            self.quoted(|out| match names.get(bit) {
                Some(name) => out.extend_from_slice(name.as_bytes()),
                None => {
                    out.extend_from_slice(b"bit_");
                    push_decimal(bit as u64, out);
                }
            });
            rest &= rest - 1;
        }
        self.0.push(b']');
        Ok(())
    }

    fn boolean(&mut self, value: &mut bool) -> Result<(), Infallible> {
        self.word(if *value { "true" } else { "false" })
    }

    fn hex(&mut self, value: &mut [u8]) -> Result<(), Infallible> {
        self.quoted(|out| push_hex(value, out));
        Ok(())
    }

    fn base64(&mut self, value: &mut Vec<u8>, length_max: usize) -> Result<(), Infallible> {
        let value = &value[..value.len().min(length_max)];
        self.quoted(|out| out.extend_from_slice(STANDARD.encode(value).as_bytes()));
        Ok(())
    }

    fn text(&mut self, value: &mut String) -> Result<(), Infallible> {
        self.quoted(|out| {
            for byte in value.bytes() {
                match byte {
                    b'"' => out.extend_from_slice(b"\\\""),
                    b'\\' => out.extend_from_slice(b"\\\\"),
                    b'\n' => out.extend_from_slice(b"\\n"),
                    0..0x20 => {
                        out.extend_from_slice(b"\\u00");
                        push_hex(&[byte], out);
                    }
                    _ => out.push(byte),
                }
            }
        });
        Ok(())
    }

    fn hashes(&mut self, value: &mut Vec<Hash>) -> Result<(), Infallible> {
        self.0.push(b'[');
        for (at, hash) in value.iter_mut().enumerate() {
            self.between(at == 0);
            self.hex(&mut hash.0)?;
        }
        self.0.push(b']');
        Ok(())
    }
}
