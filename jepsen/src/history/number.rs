//! Numbers of 128 bits in JSON: ids as hexadecimal text without leading zeros, amounts as JSON numbers while every
//! JSON reader holds them exactly (below 2^53) and as decimal text above.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};

/// An id as it stands in a history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Hex(pub u128);

/// An amount as it stands in a history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Number(pub u128);

/// Above this a JSON reader may round.
const EXACT_MAX: u128 = (1 << 53) - 1;

/// The digits of an id, without an allocation.
struct Digits {
    bytes: [u8; 32],
    from: usize,
}

impl Digits {
    fn of(mut value: u128) -> Self {
        let mut bytes = [b'0'; 32];
        let mut from = 32;
        loop {
            from -= 1;
            bytes[from] = b"0123456789abcdef"[(value & 15) as usize];
            value >>= 4;
            if value == 0 {
                break;
            }
        }
        Self { bytes, from }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.from..]).unwrap_or("0")
    }
}

/// Reads 1 to 32 hexadecimal digits.
pub(crate) fn parse_hex(text: &str) -> Option<u128> {
    if text.is_empty() || text.len() > 32 {
        return None;
    }
    let mut value = 0_u128;
    for byte in text.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    Some(value)
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Digits::of(self.0).text())
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Digits::of(self.0).text())
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Hex;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("1 to 32 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex, E> {
                let value = parse_hex(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))?;
                Ok(Hex(value))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(small) if self.0 <= EXACT_MAX => serializer.serialize_u64(small),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number below 2^128, or its decimal text")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(u128::from(value)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                let value = digits.then(|| text.parse().ok()).flatten();
                value
                    .map(Number)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

/// For `#[serde(with)]` of a list of ids.
pub(crate) mod hex_list {
    use super::{Deserialize, Deserializer, Hex, SerializeSeq, Serializer};

    pub(crate) fn serialize<S: Serializer>(ids: &[u128], serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(ids.len()))?;
        for id in ids {
            list.serialize_element(&Hex(*id))?;
        }
        list.end()
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u128>, D::Error> {
        let list = Vec::<Hex>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|id| id.0).collect())
    }
}

/// For `#[serde(skip_serializing_if)]`: what is zero is left out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_and_amounts_keep_all_bits() {
        for value in [0, 1, 15, 16, 0xabcdef, u128::from(u64::MAX), u128::MAX] {
            let text = serde_json::to_string(&Hex(value)).unwrap();
            assert_eq!(text, format!("\"{value:x}\""));
            assert_eq!(serde_json::from_str::<Hex>(&text).unwrap(), Hex(value));
            let text = serde_json::to_string(&Number(value)).unwrap();
            assert_eq!(text.starts_with('"'), value > EXACT_MAX, "{text}");
            assert_eq!(
                serde_json::from_str::<Number>(&text).unwrap(),
                Number(value)
            );
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "\"\"",
            "\"g\"",
            "\"123456789012345678901234567890123\"",
            "1",
        ] {
            assert!(serde_json::from_str::<Hex>(text).is_err(), "{text}");
        }
        for text in [
            "\"\"",
            "-1",
            "1.5",
            "\"+1\"",
            "\"1e3\"",
            "\"340282366920938463463374607431768211456\"",
        ] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }
}
