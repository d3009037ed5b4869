//! Integers as decimal and hexadecimal digits, without the machinery of formatting: a history has thirty numbers a line.

const PAIRS: &[u8; 200] = b"\
    0001020304050607080910111213141516171819\
    2021222324252627282930313233343536373839\
    4041424344454647484950515253545556575859\
    6061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899";
const HEX: &[u8; 16] = b"0123456789abcdef";
/// Digits of the longest number of 64 bits.
const DIGITS_MAX: usize = 20;
/// The largest power of ten below 2^64.
const TEN_TO_19: u128 = 10_000_000_000_000_000_000;

/// Appends the number without zeros in front.
pub(crate) fn push_decimal(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// The same for 128 bits.
pub(super) fn push_decimal_128(value: u128, out: &mut Vec<u8>) {
    if let Ok(small) = u64::try_from(value) {
        return push_decimal(small, out);
    }
    push_decimal_128(value / TEN_TO_19, out);
    // The lower 19 digits, zeros in front included.
    let mut digits = [b'0'; 19];
    let mut rest = (value % TEN_TO_19) as u64;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

/// Appends the UUID: lower case, with hyphens.
pub(super) fn push_uuid(id: u128, out: &mut Vec<u8>) {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for byte in id.to_be_bytes() {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    out.extend_from_slice(&text);
}

/// Appends two digits for each byte.
pub(super) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// What a lower-case hexadecimal digit stands for.
#[inline]
pub(super) fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(value in any::<u128>(), shift in 0_u32..128) {
            let value = value >> shift;
            prop_assert_eq!(text(|out| push_decimal_128(value, out)), value.to_string());
            prop_assert_eq!(text(|out| push_decimal(value as u64, out)), (value as u64).to_string());
            let hex = text(|out| push_uuid(value, out)).replace('-', "");
            prop_assert_eq!(hex, format!("{value:032x}"));
        }
    }

    #[test]
    fn numbers_at_the_edges() {
        for value in [
            0,
            9,
            10,
            99,
            100,
            u128::from(u64::MAX),
            1 << 64,
            TEN_TO_19,
            TEN_TO_19 * TEN_TO_19,
            u128::MAX,
        ] {
            assert_eq!(text(|out| push_decimal_128(value, out)), value.to_string());
        }
        let id = text(|out| push_uuid(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057, out));
        assert_eq!(id, "01890a5d-ac96-774b-bcce-b302099a8057");
    }
}
