//! Numbers as people read them.

use std::time::Duration;

/// A count with a comma between groups of three digits: `1,236,698`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time in the unit that leaves two to four digits: `840 us`, `12.5 ms`, `3.2 s`, `4 min 05 s`.
#[must_use]
pub fn duration(value: Duration) -> String {
    let us = value.as_micros();
    if us < 10_000 {
        return format!("{us} us");
    }
    if us < 1_000_000 {
        return format!("{}.{} ms", us / 1_000, us / 100 % 10);
    }
    if us < 120_000_000 {
        return format!("{}.{} s", us / 1_000_000, us / 100_000 % 10);
    }
    let seconds = value.as_secs();
    if seconds < 7_200 {
        return format!("{} min {:02} s", seconds / 60, seconds % 60);
    }
    format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60)
}

/// Bytes in binary units: `1.5 GiB`.
#[must_use]
pub fn bytes(value: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TiB", 1 << 40),
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
    ];
    for (name, size) in UNITS {
        if value >= size {
            return format!("{}.{} {name}", value / size, value % size * 10 / size);
        }
    }
    format!("{value} B")
}

/// Things done in a time, as whole things a second; zero when no time passed.
#[must_use]
pub fn rate(done: u64, elapsed: Duration) -> u64 {
    let us = elapsed.as_micros();
    if us == 0 {
        return 0;
    }
    u64::try_from(u128::from(done) * 1_000_000 / us).unwrap_or(u64::MAX)
}

/// The decimal text of an amount with all decimals of its scale, as money is read: `146.00`. It takes the integer as
/// text, since a sum over a ledger can be longer than 128 bits.
#[must_use]
pub fn scaled(integer: &str, scale: u8) -> String {
    let scale = usize::from(scale);
    if scale == 0 {
        return integer.to_owned();
    }
    let padded = format!("{integer:0>width$}", width = scale + 1);
    let (whole, decimals) = padded.split_at(padded.len() - scale);
    format!("{whole}.{decimals}")
}

/// The canonical text of a 128-bit id: a UUID.
#[must_use]
pub fn uuid(id: u128) -> String {
    let text = format!("{id:032x}");
    [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_commas() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_236_698, "1,236,698"),
        ] {
            assert_eq!(count(value), text);
        }
    }

    #[test]
    fn durations_change_unit() {
        for (us, text) in [
            (840, "840 us"),
            (12_540, "12.5 ms"),
            (3_200_000, "3.2 s"),
            (245_000_000, "4 min 05 s"),
            (7_260_000_000, "2 h 01 min"),
        ] {
            assert_eq!(duration(Duration::from_micros(us)), text);
        }
    }

    #[test]
    fn bytes_and_rates() {
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(12), "12 B");
        assert_eq!(rate(500, Duration::from_millis(250)), 2_000);
        assert_eq!(rate(500, Duration::ZERO), 0);
    }

    #[test]
    fn sums_of_any_length_get_their_decimals() {
        assert_eq!(scaled("0", 0), "0");
        assert_eq!(scaled("5", 2), "0.05");
        assert_eq!(scaled("6632373792", 2), "66323737.92");
        let long = "9".repeat(60);
        assert_eq!(scaled(&long, 38).len(), 61);
    }
}
