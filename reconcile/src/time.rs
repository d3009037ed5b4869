//! When something was booked, as a statement says it: an instant, or only a day.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};

/// Nanoseconds of a day.
pub const DAY_NS: u64 = 86_400 * 1_000_000_000;

/// How a column writes times.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum TimeFormat {
    /// RFC 3339 (`2026-01-31T09:30:00Z`, with any offset), the same without an offset (`2026-01-31 09:30:00`, in the
    /// statement's own zone) or a date (`2026-01-31`).
    #[default]
    Iso,
    /// A date as day, month, year: `31.01.2026`, `31/01/2026` or `31-01-2026`.
    DayMonthYear,
    /// A date as month, day, year: `01/31/2026`.
    MonthDayYear,
    /// A date of eight digits: `20260131`.
    YearMonthDayDigits,
    /// Whole seconds since 1970 in UTC.
    UnixSeconds,
    /// Whole milliseconds since 1970 in UTC.
    UnixMilliseconds,
    /// Nanoseconds since 1970 in UTC.
    UnixNanoseconds,
}

impl TimeFormat {
    /// What it looks like, for error messages.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Iso => "2026-01-31, 2026-01-31T09:30:00 or 2026-01-31T09:30:00+01:00",
            Self::DayMonthYear => "31.01.2026",
            Self::MonthDayYear => "01/31/2026",
            Self::YearMonthDayDigits => "20260131",
            Self::UnixSeconds => "1769851800",
            Self::UnixMilliseconds => "1769851800000",
            Self::UnixNanoseconds => "1769851800000000000",
        }
    }
}

/// The times at which something may have happened, both included: ns since 1970 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    /// The earliest.
    pub first_ns: u64,
    /// The latest; equal to the earliest for an instant.
    pub last_ns: u64,
}

impl Span {
    /// Nothing is known: found by references only, never by time.
    pub const UNKNOWN: Self = Self {
        first_ns: 0,
        last_ns: u64::MAX,
    };

    /// One moment.
    #[must_use]
    pub const fn instant(ns: u64) -> Self {
        Self {
            first_ns: ns,
            last_ns: ns,
        }
    }

    /// Whether it may have happened at this time, in ns since 1970.
    #[must_use]
    pub const fn contains(self, ns: u64) -> bool {
        self.first_ns <= ns && ns <= self.last_ns
    }

    /// Whether it is a whole day.
    #[must_use]
    pub const fn is_day(self) -> bool {
        self.last_ns - self.first_ns == DAY_NS - 1
    }

    /// Whether it is known at all.
    #[must_use]
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// Its text: a date where only the day is known, RFC 3339 in UTC otherwise; `None` when nothing is known.
    pub(crate) fn text(self, utc_offset_s: i32) -> Option<String> {
        if !self.is_known() {
            return None;
        }
        let at = |ns: i64| DateTime::from_timestamp_nanos(ns);
        let first = i64::try_from(self.first_ns).ok()?;
        Some(if self.is_day() {
            let local = first.checked_add(i64::from(utc_offset_s) * 1_000_000_000)?;
            at(local).format("%Y-%m-%d").to_string()
        } else {
            at(first).to_rfc3339_opts(SecondsFormat::AutoSi, true)
        })
    }
}

/// `None` when it is not such a time, or before 1970, or after 2262.
pub(crate) fn parse(text: &str, format: TimeFormat, utc_offset_s: i32) -> Option<Span> {
    let text = text.trim();
    match format {
        TimeFormat::Iso => iso(text, utc_offset_s),
        TimeFormat::DayMonthYear => {
            let [day, month, year] = parts(text)?;
            date(year, month, day, utc_offset_s)
        }
        TimeFormat::MonthDayYear => {
            let [month, day, year] = parts(text)?;
            date(year, month, day, utc_offset_s)
        }
        TimeFormat::YearMonthDayDigits => {
            if text.len() != 8 || !text.is_ascii() {
                return None;
            }
            date(&text[..4], &text[4..6], &text[6..], utc_offset_s)
        }
        TimeFormat::UnixSeconds => unix(text, 1_000_000_000),
        TimeFormat::UnixMilliseconds => unix(text, 1_000_000),
        TimeFormat::UnixNanoseconds => unix(text, 1),
    }
}

/// A date of ISO 8601, with an offset behind it or not, as XML's `xs:date` may have.
pub(crate) fn iso_date(text: &str, utc_offset_s: i32) -> Option<Span> {
    let text = text.trim();
    let day = text.get(..10)?;
    let offset_s = match text.get(10..)? {
        "" => utc_offset_s,
        "Z" => 0,
        offset => {
            let time = format!("{day}T00:00:00{offset}");
            DateTime::parse_from_rfc3339(&time)
                .ok()?
                .offset()
                .local_minus_utc()
        }
    };
    let [year, month, day] = {
        let mut parts = day.split('-');
        [parts.next()?, parts.next()?, parts.next()?]
    };
    date(year, month, day, offset_s)
}

fn iso(text: &str, utc_offset_s: i32) -> Option<Span> {
    if text.len() == 10 {
        return iso_date(text, utc_offset_s);
    }
    let ns = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.timestamp_nanos_opt()?,
        Err(_) => {
            let separator = *text.as_bytes().get(10)?;
            let format = match separator {
                b'T' => "%Y-%m-%dT%H:%M:%S%.f",
                b' ' => "%Y-%m-%d %H:%M:%S%.f",
                _ => return None,
            };
            let local = NaiveDateTime::parse_from_str(text, format).ok()?;
            let local_ns = local.and_utc().timestamp_nanos_opt()?;
            local_ns.checked_sub(i64::from(utc_offset_s) * 1_000_000_000)?
        }
    };
    Some(Span::instant(u64::try_from(ns).ok()?))
}

fn parts(text: &str) -> Option<[&str; 3]> {
    let mut parts = text.split(['.', '/', '-']);
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

fn date(year: &str, month: &str, day: &str, utc_offset_s: i32) -> Option<Span> {
    let digits = |text: &str, length: std::ops::RangeInclusive<usize>| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        (plain && length.contains(&text.len()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    // A year of two digits would have to be guessed.
    let year = i32::try_from(digits(year, 4..=4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits(month, 1..=2)?, digits(day, 1..=2)?)?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
    let first_s = u64::try_from(midnight.checked_sub(i64::from(utc_offset_s))?).ok()?;
    let first_ns = first_s.checked_mul(1_000_000_000)?;
    let last_ns = first_ns.checked_add(DAY_NS - 1)?;
    i64::try_from(last_ns).ok()?;
    Some(Span { first_ns, last_ns })
}

fn unix(text: &str, unit_ns: u64) -> Option<Span> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ns = text.parse::<u64>().ok()?.checked_mul(unit_ns)?;
    i64::try_from(ns).ok()?;
    Some(Span::instant(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const NOON: u64 = 1_769_860_800 * S; // 2026-01-31T12:00:00Z

    #[test]
    fn instants() {
        for (text, format, ns) in [
            ("2026-01-31T12:00:00Z", TimeFormat::Iso, NOON),
            ("2026-01-31T13:00:00+01:00", TimeFormat::Iso, NOON),
            ("2026-01-31T12:00:00.25Z", TimeFormat::Iso, NOON + S / 4),
            ("2026-01-31T14:00:00", TimeFormat::Iso, NOON),
            ("2026-01-31 14:00:00.5", TimeFormat::Iso, NOON + S / 2),
            ("1769860800", TimeFormat::UnixSeconds, NOON),
            ("1769860800000", TimeFormat::UnixMilliseconds, NOON),
            ("1769860800000000000", TimeFormat::UnixNanoseconds, NOON),
        ] {
            let span = parse(text, format, 7200);
            assert_eq!(span, Some(Span::instant(ns)), "{text}");
        }
    }

    #[test]
    fn days_are_the_days_of_the_statements_zone() {
        let first_ns = NOON - 14 * 3600 * S;
        let expected = Some(Span {
            first_ns,
            last_ns: first_ns + DAY_NS - 1,
        });
        for (text, format) in [
            ("2026-01-31", TimeFormat::Iso),
            ("31.01.2026", TimeFormat::DayMonthYear),
            ("31/1/2026", TimeFormat::DayMonthYear),
            ("01/31/2026", TimeFormat::MonthDayYear),
            ("20260131", TimeFormat::YearMonthDayDigits),
        ] {
            assert_eq!(parse(text, format, 7200), expected, "{text}");
        }
        assert_eq!(
            expected.and_then(|span| span.text(7200)).as_deref(),
            Some("2026-01-31")
        );
        assert_eq!(iso_date("2026-01-31+02:00", 0), expected);
    }

    #[test]
    fn what_is_no_time() {
        for (text, format) in [
            ("", TimeFormat::Iso),
            ("2026-02-30", TimeFormat::Iso),
            ("1969-12-31", TimeFormat::Iso),
            ("2026-01-31T25:00:00Z", TimeFormat::Iso),
            ("31.01.26", TimeFormat::DayMonthYear),
            ("31.01.2026.1", TimeFormat::DayMonthYear),
            ("31.13.2026", TimeFormat::DayMonthYear),
            ("2026013", TimeFormat::YearMonthDayDigits),
            ("\u{e9}\u{e9}\u{e9}\u{e9}", TimeFormat::YearMonthDayDigits),
            ("-1", TimeFormat::UnixSeconds),
            ("99999999999999", TimeFormat::UnixSeconds),
            ("9999-12-31", TimeFormat::Iso),
            ("2026-01-\u{e9}", TimeFormat::Iso),
        ] {
            assert_eq!(parse(text, format, 0), None, "{text}");
        }
    }
}
