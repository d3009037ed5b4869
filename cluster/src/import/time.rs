//! Original times of imported rows.

use chrono::DateTime;

/// Nanoseconds since 1970 of an RFC 3339 time (`2018-04-01T00:00:31Z`, with any offset), or of a plain number of
/// seconds since 1970. `None` for anything else, for times before 1970 and after 2262.
#[must_use]
pub(super) fn parse_ns(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<u64>().ok()?.checked_mul(1_000_000_000);
    }
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    u64::try_from(time.timestamp_nanos_opt()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_seconds() {
        for (text, ns) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2018-04-01T00:00:31Z", Some(1_522_540_831_000_000_000)),
            ("2018-04-01T02:00:31+02:00", Some(1_522_540_831_000_000_000)),
            ("2018-04-01T00:00:31.25Z", Some(1_522_540_831_250_000_000)),
            ("1522540831", Some(1_522_540_831_000_000_000)),
            ("1969-12-31T23:59:59Z", None),
            ("2018-04-01", None),
            ("", None),
            ("-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_ns(text), ns, "{text}");
        }
    }
}
