//! The reading side: takes the one form and nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::digits::hex_digit;
use super::{Expected, Form, HASHES_MAX, Malformed};
use crate::Hash;
use crate::hash::HASH_BYTES;

/// Goes through a text from its start.
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// That here, this should stand.
    pub(crate) fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed {
            at: self.at,
            expected: Expected::Value(expected),
        }
    }

    /// That the text ends here.
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        match self.rest() {
            [] => Ok(()),
            _ => Err(self.malformed("the end of the line")),
        }
    }

    /// What is said of a word that is not here: from which byte on.
    #[cold]
    fn other_word(&self, word: &'static str) -> Malformed {
        let pairs = self.rest().iter().zip(word.as_bytes());
        let same = pairs.take_while(|(here, wanted)| here == wanted).count();
        Malformed {
            at: self.at + same,
            expected: Expected::Text(word.get(same..).unwrap_or(word)),
        }
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Up to the next quotation mark, which is taken too.
    fn until_quote(&mut self, expected: &'static str) -> Result<&'a [u8], Malformed> {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| *byte == b'"')
            .ok_or(self.malformed(expected))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    /// Digits of a number in its one form: no sign, no zeros in front.
    #[inline]
    fn digits(&mut self, expected: &'static str) -> Result<&'a [u8], Malformed> {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        let digits = &rest[..length];
        if digits.is_empty() || (digits[0] == b'0' && length > 1) {
            return Err(self.malformed(expected));
        }
        self.at += length;
        Ok(digits)
    }
}

impl Form for Reader<'_> {
    type Error = Malformed;

    #[inline]
    fn word(&mut self, word: &'static str) -> Result<(), Malformed> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.other_word(word))
    }

    fn word_if(&mut self, word: &'static str, _: bool) -> Result<bool, Malformed> {
        let here = self.rest().starts_with(word.as_bytes());
        if here {
            self.at += word.len();
        }
        Ok(here)
    }

    #[inline]
    fn number<N>(&mut self, value: &mut N) -> Result<(), Malformed>
    where
        N: Copy + Into<u64> + TryFrom<u64>,
    {
        let expected = "a whole number without zeros in front, as large as the field can be";
        let before = self.malformed(expected);
        let mut number = 0_u64;
        for digit in self.digits(expected)? {
            number = number
                .checked_mul(10)
                .and_then(|number| number.checked_add(u64::from(digit - b'0')))
                .ok_or(before)?;
        }
        *value = N::try_from(number).map_err(|_| before)?;
        Ok(())
    }

    fn amount(&mut self, value: &mut u128) -> Result<(), Malformed> {
        let expected = "a whole number in quotation marks, without zeros in front and below 2^128";
        self.word("\"")?;
        let before = self.malformed(expected);
        let digits = self.digits(expected)?;
        // What fits in 64 bits whatever its digits are is counted in 64 bits: most amounts.
        *value = if digits.len() < 20 {
            let sum = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
            u128::from(digits.iter().fold(0, sum))
        } else {
            digits
                .iter()
                .try_fold(0_u128, |sum, digit| {
                    sum.checked_mul(10)?.checked_add(u128::from(digit - b'0'))
                })
                .ok_or(before)?
        };
        self.word("\"")
    }

    fn id(&mut self, value: &mut u128) -> Result<(), Malformed> {
        self.word("\"")?;
        let malformed = self.malformed("a UUID in lower case");
        let text: &[u8; 36] = self.rest().first_chunk().ok_or(malformed)?;
        let mut bytes = [0; 16];
        let mut at = 0;
        for byte in &mut bytes {
            if matches!(at, 8 | 13 | 18 | 23) {
                if text[at] != b'-' {
                    return Err(malformed);
                }
                at += 1;
            }
            let (Some(high), Some(low)) = (hex_digit(text[at]), hex_digit(text[at + 1])) else {
                return Err(malformed);
            };
            *byte = high << 4 | low;
            at += 2;
        }
        *value = u128::from_be_bytes(bytes);
        self.at += text.len();
        self.word("\"")
    }

    fn optional_id(&mut self, value: &mut u128) -> Result<(), Malformed> {
        if self.word_if("\"\"", false)? {
            *value = 0;
            return Ok(());
        }
        self.id(value)
    }

    fn flags(&mut self, value: &mut u16, names: &'static [&'static str]) -> Result<(), Malformed> {
        *value = 0;
        self.word("[")?;
        if self.word_if("]", false)? {
            return Ok(());
        }
        loop {
            let malformed = self.malformed("the name of a flag, the lowest bit first");
            self.word("\"")?;
            let name = self.until_quote("the name of a flag")?;
            let named = names.iter().position(|known| known.as_bytes() == name);
            let bit = named.or_else(|| {
                let number = std::str::from_utf8(name.strip_prefix(b"bit_")?).ok()?;
                number.parse().ok().filter(|bit| *bit >= names.len())
            });
            let bit = bit.filter(|bit| *bit < 16).ok_or(malformed)?;
            if *value >> bit != 0 {
                return Err(malformed);
            }
            *value |= 1 << bit;
            if self.word_if("]", false)? {
                return Ok(());
            }
            self.word(",")?;
        }
    }

    fn boolean(&mut self, value: &mut bool) -> Result<(), Malformed> {
        *value = self.word_if("true", false)?;
        match *value {
            true => Ok(()),
            false => self.word("false"),
        }
    }

    fn hex(&mut self, value: &mut [u8]) -> Result<(), Malformed> {
        let malformed =
            self.malformed("hexadecimal digits in lower case, as many as the field has");
        self.word("\"")?;
        let digits = self.rest().get(..value.len() * 2).ok_or(malformed)?;
        for (byte, pair) in value.iter_mut().zip(digits.chunks_exact(2)) {
            let (Some(high), Some(low)) = (hex_digit(pair[0]), hex_digit(pair[1])) else {
                return Err(malformed);
            };
            *byte = high << 4 | low;
        }
        self.at += digits.len();
        self.word("\"")
    }

    fn base64(&mut self, value: &mut Vec<u8>, length_max: usize) -> Result<(), Malformed> {
        let malformed = self.malformed("base64, no more than the field can hold");
        self.word("\"")?;
        let text = self.until_quote("base64")?;
        *value = STANDARD.decode(text).map_err(|_| malformed)?;
        match value.len() <= length_max {
            true => Ok(()),
            false => Err(malformed),
        }
    }

    fn text(&mut self, value: &mut String) -> Result<(), Malformed> {
        let malformed = self.malformed("text in quotation marks");
        self.word("\"")?;
        let mut bytes = Vec::new();
        let mut rest = self.rest().iter();
        loop {
            match rest.next().ok_or(malformed)? {
                b'"' => break,
                b'\\' => match rest.next().ok_or(malformed)? {
                    b'n' => bytes.push(b'\n'),
                    b'u' => {
                        let digits = rest.as_slice().get(..4).ok_or(malformed)?;
                        let &[b'0', b'0', high, low] = digits else {
                            return Err(malformed);
                        };
                        let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low)) else {
                            return Err(malformed);
                        };
                        bytes.push(high << 4 | low);
                        rest = rest.as_slice().get(4..).unwrap_or_default().iter();
                    }
                    escaped @ (b'"' | b'\\') => bytes.push(*escaped),
                    _ => return Err(malformed),
                },
                byte => bytes.push(*byte),
            }
        }
        self.at = self.text.len() - rest.len();
        *value = String::from_utf8(bytes).map_err(|_| malformed)?;
        Ok(())
    }

    fn hashes(&mut self, value: &mut Vec<Hash>) -> Result<(), Malformed> {
        value.clear();
        self.word("[")?;
        if self.word_if("]", false)? {
            return Ok(());
        }
        loop {
            let mut hash = Hash([0; HASH_BYTES]);
            self.hex(&mut hash.0)?;
            value.push(hash);
            if self.word_if("]", false)? {
                return Ok(());
            }
            if value.len() == HASHES_MAX {
                return Err(self.malformed("the end of the list: no tree has so many hashes"));
            }
            self.word(",")?;
        }
    }
}
