//! When a call has to be answered.

use std::time::{Duration, Instant};

use tonic::metadata::MetadataMap;

/// Deadline of a call that names none.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(10);
/// Longest deadline; nothing waits longer on the server.
const DEADLINE_MAX: Duration = Duration::from_secs(60);
/// Most of a caller's time that is kept for the way back, and what share of a short one.
const WAY_BACK_MAX: Duration = Duration::from_millis(50);
const WAY_BACK_SHARE: u32 = 10;

/// When a call has to be answered, from its `grpc-timeout`.
pub(in crate::server) fn deadline(metadata: &MetadataMap) -> Instant {
    let named = metadata
        .get("grpc-timeout")
        .and_then(|value| value.to_str().ok())
        .and_then(parse_timeout);
    answer_by(named.unwrap_or(DEADLINE_DEFAULT).min(DEADLINE_MAX))
}

/// The same for a call whose message names a deadline too: the nearer counts.
pub(in crate::server) fn unary_deadline(metadata: &MetadataMap, deadline_ms: u32) -> Instant {
    let named = deadline(metadata);
    if deadline_ms == 0 {
        named
    } else {
        named.min(message_deadline(deadline_ms))
    }
}

/// The deadline of one message on a stream: its own milliseconds, or the stream's rule.
pub(in crate::server) fn message_deadline(deadline_ms: u32) -> Instant {
    let wait = match deadline_ms {
        0 => DEADLINE_DEFAULT,
        ms => Duration::from_millis(u64::from(ms)).min(DEADLINE_MAX),
    };
    answer_by(wait)
}

/// An answer sent at the deadline itself comes too late: the caller has given up, or the transport has answered for us
/// without saying whether anything happened.
fn answer_by(wait: Duration) -> Instant {
    Instant::now() + (wait - (wait / WAY_BACK_SHARE).min(WAY_BACK_MAX))
}

/// `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Requests").
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn answers_leave_before_the_deadline() {
        let ahead = |wait| {
            Duration::from_millis(wait) - (answer_by(Duration::from_millis(wait)) - Instant::now())
        };
        assert!(ahead(10_000) >= WAY_BACK_MAX && ahead(10_000) < WAY_BACK_MAX * 2);
        assert!(ahead(100) >= Duration::from_millis(10) && ahead(100) < Duration::from_millis(60));
        assert!(answer_by(Duration::ZERO) <= Instant::now());
    }

    #[test]
    fn nobody_waits_longer_than_the_server_allows() {
        let now = Instant::now();
        let with_timeout = |timeout: &'static str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", timeout.parse().unwrap());
            metadata
        };
        let year = with_timeout("99999999H");
        // Up to a second for this test itself.
        let slack = Duration::from_secs(1);
        for (until, most) in [
            (deadline(&year), DEADLINE_MAX),
            (message_deadline(u32::MAX), DEADLINE_MAX),
            (unary_deadline(&year, u32::MAX), DEADLINE_MAX),
            (deadline(&MetadataMap::new()), DEADLINE_DEFAULT),
            (message_deadline(0), DEADLINE_DEFAULT),
            // Of two the nearer counts.
            (
                unary_deadline(&with_timeout("2S"), 9_000),
                Duration::from_secs(2),
            ),
            (
                unary_deadline(&with_timeout("9S"), 2_000),
                Duration::from_secs(2),
            ),
        ] {
            let wait = until - now;
            assert!(
                wait > most - slack && wait < most + slack,
                "{wait:?}, not {most:?}"
            );
        }
    }

    #[test]
    fn timeouts_of_grpc() {
        assert_eq!(parse_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(parse_timeout("2S"), Some(Duration::from_secs(2)));
        assert_eq!(
            parse_timeout("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
        for bad in ["", "S", "1", "123456789S", "-1S", "1x", "1é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
