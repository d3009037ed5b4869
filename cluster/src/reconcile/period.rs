//! The time for which both sides are compared.

use chrono::{DateTime, SecondsFormat};
use farthing_reconcile::{Span, Statement};
use serde::{Serialize, Serializer};

use crate::failure::{Code, Failure};

/// The last time that a ledger knows, in ns: timestamps have 63 bits.
const LAST_NS: u64 = i64::MAX as u64;

/// The time for which both sides are compared, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Period {
    /// Its begin, in ns since 1970; RFC 3339 when it is written.
    #[serde(serialize_with = "rfc3339")]
    pub from: u64,
    /// Its end, included; written alike.
    #[serde(serialize_with = "rfc3339")]
    pub to: u64,
    /// Who says so.
    pub source: PeriodSource,
}

/// Who says what the period is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodSource {
    /// Whoever asked.
    Flags,
    /// The statement.
    Statement,
    /// Nobody: it is from the first entry to the last.
    Entries,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn rfc3339<S: Serializer>(ns: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*ns))
}

/// RFC 3339 with as many decimals as it has.
fn text(ns: u64) -> String {
    let ns = i64::try_from(ns).unwrap_or(i64::MAX);
    DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl Period {
    /// The same as the library has it.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span {
            first_ns: self.from,
            last_ns: self.to,
        }
    }

    /// The period and so much time before and behind it.
    pub(super) fn and_around(&self, window_ns: u64) -> Span {
        Span {
            first_ns: self.from.saturating_sub(window_ns),
            last_ns: self.to.saturating_add(window_ns).min(LAST_NS),
        }
    }

    /// Its ends as a person reads them.
    #[must_use]
    pub fn ends(&self) -> (String, String) {
        let from = match self.from {
            0 => "the beginning".to_owned(),
            from => text(from),
        };
        let to = match self.to {
            LAST_NS => "now".to_owned(),
            to => text(to),
        };
        (from, to)
    }
}

/// As it was asked for, else as the statement says, else from its first entry to its last.
///
/// # Errors
/// [`Code::BadInput`] when nothing says it, [`Code::Usage`] when it ends before it begins.
pub(super) fn of(
    statement: &Statement,
    from: Option<u64>,
    to: Option<u64>,
) -> Result<Period, Failure> {
    let told = statement
        .period()
        .map(|span| (span, PeriodSource::Statement))
        .or_else(|| Some((of_entries(statement)?, PeriodSource::Entries)));
    let (span, source) = match (from, to, told) {
        (None, None, None) => return Err(unknown(statement)),
        (None, None, Some(told)) => told,
        // Where nothing else is known the other end is open.
        (_, _, told) => (
            told.map_or(Span::UNKNOWN, |(span, _)| span),
            PeriodSource::Flags,
        ),
    };
    let (from, to) = (from.unwrap_or(span.first_ns), to.unwrap_or(span.last_ns));
    let period = Period {
        from: from.min(LAST_NS),
        to: to.min(LAST_NS),
        source,
    };
    if period.from > period.to {
        let (from, to) = period.ends();
        let what = format!("the period would begin at {from} and end before that, at {to}");
        return Err(Failure::new(Code::Usage, what)
            .advise("correct --from and --to; an end that is not given is that of the statement"));
    }
    Ok(period)
}

/// From the first entry with a time to the last.
fn of_entries(statement: &Statement) -> Option<Span> {
    let spans = statement.entries().map(|entry| entry.span());
    spans
        .filter(|span| span.is_known())
        .reduce(|all, span| Span {
            first_ns: all.first_ns.min(span.first_ns),
            last_ns: all.last_ns.max(span.last_ns),
        })
}

fn unknown(statement: &Statement) -> Failure {
    let what = if statement.is_empty() {
        "the statement has no entries, and does not say which time it covers"
    } else {
        "the statement's entries have no times, and it does not say which time it covers"
    };
    Failure::new(Code::BadInput, what)
        .because("without a period nothing says which transfers should be in the statement")
        .advise("check that it is the right file; if it is, give the period with --from and --to")
}

#[cfg(test)]
mod tests {
    use farthing_reconcile::csv::{self, CsvOptions};
    use farthing_reconcile::{DAY_NS, Reading};

    use super::*;

    const DAY: u64 = 20_484;

    fn statement(rows: &str) -> Statement {
        let text = format!("id,amount,currency,time,description\n{rows}");
        csv::read(text.as_bytes(), &CsvOptions::standard(), &Reading::new(2)).unwrap()
    }

    #[test]
    fn entries_say_it_where_nobody_else_does() {
        let statement = statement("1,1.00,,2026-01-31,\n2,1.00,,2026-02-02T12:00:00Z,\n");
        let found = of(&statement, None, None).unwrap();
        let noon = (DAY + 2) * DAY_NS + DAY_NS / 2;
        assert_eq!((found.from, found.to), (DAY * DAY_NS, noon));
        assert_eq!(found.source, PeriodSource::Entries);
        let around = found.and_around(DAY_NS);
        assert_eq!(around.first_ns, (DAY - 1) * DAY_NS);
        assert_eq!(around.last_ns, noon + DAY_NS);
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            serde_json::json!({
                "from": "2026-01-31T00:00:00Z", "to": "2026-02-02T12:00:00Z", "source": "entries",
            })
        );
    }

    #[test]
    fn an_end_that_is_asked_for_wins() {
        let statement = statement("1,1.00,,2026-01-31,\n");
        let found = of(&statement, Some(7), None).unwrap();
        assert_eq!((found.from, found.to), (7, (DAY + 1) * DAY_NS - 1));
        assert_eq!(found.source, PeriodSource::Flags);
        let failure = of(&statement, Some((DAY + 1) * DAY_NS), None).unwrap_err();
        assert_eq!(failure.code, Code::Usage);
        // To the end of time, and no farther.
        let found = of(&statement, None, Some(u64::MAX)).unwrap();
        assert_eq!(found.and_around(DAY_NS).last_ns, LAST_NS);
    }

    #[test]
    fn nothing_is_assumed_of_a_statement_that_says_nothing() {
        let failure = of(&statement(""), None, None).unwrap_err();
        assert_eq!(failure.code, Code::BadInput);
        assert!(failure.advice.unwrap().contains("--from"));
        let found = of(&statement(""), Some(7), None).unwrap();
        assert_eq!((found.from, found.to), (7, LAST_NS));
    }
}
