//! Values as they are typed.

use std::time::Duration;

/// A length of time: a whole number with `us`, `ms`, `s`, `min` or `h`; without a unit, seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a whole number and a unit, such as 10s".to_owned())?;
    let us = match unit.trim() {
        "us" => Some(number),
        "ms" => number.checked_mul(1_000),
        "" | "s" => number.checked_mul(1_000_000),
        "m" | "min" => number.checked_mul(60_000_000),
        "h" => number.checked_mul(3_600_000_000),
        other => return Err(format!("unknown unit {other:?}: use us, ms, s, min or h")),
    };
    // A century is as good as any longer time, and adding it to a clock cannot overflow.
    us.filter(|us| *us <= 100 * 366 * 86_400 * 1_000_000)
        .map(Duration::from_micros)
        .ok_or_else(|| "longer than a century".to_owned())
}

/// A 128-bit id: a UUID, 32 hexadecimal digits, a hexadecimal number after `0x`, or a decimal number.
pub(super) fn id(text: &str) -> Result<u128, String> {
    let wrong = || {
        "expected a UUID, 32 hexadecimal digits, 0x and hexadecimal digits, or a decimal number"
            .to_owned()
    };
    if let Some(digits) = text.strip_prefix("0x") {
        // from_str_radix would take a sign.
        if digits.starts_with(['+', '-']) {
            return Err(wrong());
        }
        return u128::from_str_radix(digits, 16).map_err(|_| wrong());
    }
    if is_uuid(text) {
        return u128::from_str_radix(&text.replace('-', ""), 16).map_err(|_| wrong());
    }
    let all_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.len() == 32 && all_hex {
        return u128::from_str_radix(text, 16).map_err(|_| wrong());
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| wrong());
    }
    Err(wrong())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::uuid;

    #[test]
    fn durations() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2 min"), Ok(Duration::from_secs(120)));
        for wrong in ["", "s", "1.5s", "-1s", "10 days", "99999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_in_every_form_are_the_same_id() {
        let expected = 0x0192_f3a4_b5c6_7def_8123_4567_89ab_cdef;
        for text in [
            "0192f3a4-b5c6-7def-8123-456789abcdef",
            "0192f3a4b5c67def8123456789abcdef",
            "0x192f3a4b5c67def8123456789abcdef",
            &expected.to_string(),
        ] {
            assert_eq!(id(text), Ok(expected), "{text}");
        }
        assert_eq!(id(&uuid(expected)), Ok(expected));
        assert_eq!(id("0"), Ok(0));
        for wrong in [
            "",
            "0x",
            "0x+1",
            "+1",
            "-1",
            "abc",
            "0192f3a4-b5c6-7def-8123",
            "340282366920938463463374607431768211456",
        ] {
            assert!(id(wrong).is_err(), "{wrong}");
        }
    }
}
