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
        "d" => number.checked_mul(86_400_000_000),
        other => {
            return Err(format!(
                "unknown unit {other:?}: use us, ms, s, min, h or d"
            ));
        }
    };
    // A century is as good as any longer time, and adding it to a clock cannot overflow.
    us.filter(|us| *us <= 100 * 366 * 86_400 * 1_000_000)
        .map(Duration::from_micros)
        .ok_or_else(|| "longer than a century".to_owned())
}

/// A moment: RFC 3339 such as `2026-11-23T04:00:00Z`, a day such as `2026-11-23` (its begin in UTC), or nanoseconds since
/// 1970; in nanoseconds since 1970.
pub(super) fn moment(text: &str) -> Result<u64, String> {
    let wrong = || {
        "expected a time such as 2026-11-23T04:00:00Z, a day such as 2026-11-23, or nanoseconds since 1970"
            .to_owned()
    };
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| wrong());
    }
    let time = match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc(),
        Err(_) => {
            let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong())?;
            day.and_time(chrono::NaiveTime::MIN).and_utc()
        }
    };
    let ns = time
        .timestamp_nanos_opt()
        .and_then(|ns| u64::try_from(ns).ok());
    ns.ok_or_else(|| "between 1970 and 2262".to_owned())
}

/// The other way round, to the microsecond, which is as much as a person reads.
pub(super) fn moment_text(ns: u64) -> String {
    let time = i64::try_from(ns).map(chrono::DateTime::from_timestamp_nanos);
    time.map_or_else(
        |_| ns.to_string(),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
    )
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

/// One character as it is typed; `tab` and `space` stand for those.
pub(super) fn character(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Ok(only),
        _ if text == "tab" || text == "\\t" => Ok('\t'),
        _ if text == "space" => Ok(' '),
        _ => Err("expected one character, `tab` or `space`".to_owned()),
    }
}

/// How far a zone is ahead of UTC, `+01:00`, `-0530` or `Z`, in seconds.
pub(super) fn utc_offset(text: &str) -> Result<i32, String> {
    let wrong = || "expected an offset such as +01:00, or Z".to_owned();
    if matches!(text, "Z" | "z") {
        return Ok(0);
    }
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return Err(wrong()),
    };
    let digits = digits.replacen(':', "", 1);
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i32 = digits.parse().map_err(|_| wrong())?;
    let (hours, minutes) = (number / 100, number % 100);
    if hours > 15 || minutes > 59 {
        return Err("no zone is so far from UTC".to_owned());
    }
    Ok(sign * (hours * 3_600 + minutes * 60))
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
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "s", "1.5s", "-1s", "10 weeks", "99999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments() {
        assert_eq!(moment("1970-01-02"), Ok(86_400_000_000_000));
        assert_eq!(moment("1970-01-01T01:00:00.5+01:00"), Ok(500_000_000));
        assert_eq!(moment("77"), Ok(77));
        assert_eq!(moment_text(1_500_000_000), "1970-01-01T00:00:01.500000Z");
        for wrong in ["", "yesterday", "1969-12-31", "2026-13-01", "-1"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn offsets_and_characters() {
        for (text, seconds) in [
            ("Z", 0),
            ("+01:00", 3_600),
            ("-05:30", -19_800),
            ("+1400", 50_400),
        ] {
            assert_eq!(utc_offset(text), Ok(seconds), "{text}");
        }
        for wrong in [
            "",
            "1",
            "+1",
            "+01:60",
            "+24:00",
            "01:00",
            "+\u{661}:00",
            "+01::0",
        ] {
            assert!(utc_offset(wrong).is_err(), "{wrong}");
        }
        assert_eq!(character(";"), Ok(';'));
        assert_eq!(character("tab"), Ok('\t'));
        assert_eq!(character("\u{2019}"), Ok('\u{2019}'));
        assert!(character("").is_err() && character("ab").is_err());
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
