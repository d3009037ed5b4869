//! What the text of a reference may mean as a number: a transfer id or a user data value.

/// Shortest bare hexadecimal text that is taken for a number. An id written without its leading zeros is hardly ever
/// shorter; words that happen to be hexadecimal (`fee`, `deadbeef`) are.
const BARE_HEX_DIGITS_MIN: usize = 24;

/// The numbers that `text` may stand for: a decimal number, hexadecimal digits (32 of them, or 24 and more with a letter
/// among them, or any after `0x`), or a UUID. Two if 32 digits can be read both ways. Zero is never one: it is "none".
pub(crate) fn numbers(text: &str) -> impl Iterator<Item = u128> {
    let text = text.trim();
    let [first, second] = parse(text);
    first
        .into_iter()
        .chain(second)
        .filter(|number| *number != 0)
}

/// What is written like an id in text of several words: a UUID, or many digits. Shorter numbers are dates and house numbers
/// as often as names.
pub(crate) fn ids_in_words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| word.len() >= BARE_HEX_DIGITS_MIN && numbers(word).next().is_some())
}

fn parse(text: &str) -> [Option<u128>; 2] {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return [hex(digits), None];
    }
    if text.len() == 36 {
        return [uuid(text), None];
    }
    let decimal = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    };
    let has_letter = decimal.is_none();
    let is_hex = text.len() == 32 || (has_letter && text.len() >= BARE_HEX_DIGITS_MIN);
    [decimal, if is_hex { hex(text) } else { None }]
}

fn hex(digits: &str) -> Option<u128> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(digits, 16).ok())?
}

fn uuid(text: &str) -> Option<u128> {
    let mut number = 0_u128;
    for (index, byte) in text.bytes().enumerate() {
        if [8, 13, 18, 23].contains(&index) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        number = number << 4 | u128::from(digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_number() {
        let id = 0x0192_f3a4_b5c6_7788_99aa_bbcc_ddee_ff00_u128;
        for text in [
            id.to_string(),
            format!("{id:032x}"),
            format!("{id:032X}"),
            format!("{id:x}"),
            format!("{id:#x}"),
            "0192f3a4-b5c6-7788-99aa-bbccddeeff00".to_owned(),
            " 0192F3A4-B5C6-7788-99AA-BBCCDDEEFF00 ".to_owned(),
        ] {
            assert_eq!(numbers(&text).collect::<Vec<_>>(), [id], "{text}");
        }
        assert_eq!(numbers("77").collect::<Vec<_>>(), [77]);
        assert_eq!(numbers("0x4d").collect::<Vec<_>>(), [77]);
        let both = "00000000000000000000000000000077";
        assert_eq!(numbers(both).collect::<Vec<_>>(), [77, 0x77]);
    }

    #[test]
    fn ids_between_words() {
        let text = "Order 77 (0192f3a4-b5c6-7788-99aa-bbccddeeff00), 0192f3a4b5c6778899aabbccddeeff01! 2026";
        assert_eq!(
            ids_in_words(text).collect::<Vec<_>>(),
            [
                "0192f3a4-b5c6-7788-99aa-bbccddeeff00",
                "0192f3a4b5c6778899aabbccddeeff01"
            ]
        );
        assert_eq!(
            ids_in_words("several words and a-very-long-one-without-any-number").next(),
            None
        );
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "",
            "0",
            "0x",
            "0x+1",
            "00000000-0000-0000-0000-000000000000",
            "fee",
            "deadbeef",
            "INV-77",
            "-77",
            "+77",
            "7 7",
            "0192f3a4xb5c6-7788-99aa-bbccddeeff00",
            "0192f3a4-b5c6-7788-99aa-bbccddeeff0g",
            "340282366920938463463374607431768211456",
            "fffffffffffffffffffffffffffffffff",
            "\u{661}\u{662}",
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(numbers(text).next(), None, "{text}");
        }
    }
}
