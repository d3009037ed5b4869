//! Judging a history.
//!
//! Every checker works on one `trace::Trace`, the history in little memory, and adds to one list of findings. It
//! knows only the history: whatever runs the cluster must write down what the checkers shall know. How unknown
//! outcomes are resolved is explained in `order`; what the verdicts mean, in `jepsen/README.md`.
//!
//! Start at [`check`].

mod agreement;
mod availability;
mod collect;
mod cursors;
mod dumps;
mod health;
mod ids;
mod items;
mod order;
mod presence;
mod reads;
mod real_time;
mod replay;
mod report;
mod streams;
mod trace;

use std::path::Path;

pub use report::{Checker, Counts, Report, VIOLATIONS_MAX, Verdict, Violation, Window};

use crate::history::{Event, HistoryError, Reader};

/// Judges the history of a file.
///
/// # Errors
/// When it cannot be read: that is no verdict.
pub fn check(path: &Path) -> Result<Report, HistoryError> {
    check_events(Reader::open(path)?)
}

/// Judges a history from any source.
///
/// # Errors
/// When it cannot be read: that is no verdict.
pub fn check_events(
    events: impl Iterator<Item = Result<Event, HistoryError>>,
) -> Result<Report, HistoryError> {
    let mut collector = collect::Collector::default();
    for event in events {
        collector.event(event?);
    }
    let (trace, mut findings) = collector.finish();
    let order = order::Order::of(&trace, &mut findings);
    let (model, happened) = replay::replay(&trace, &order, &mut findings);
    presence::check(&trace, &model, &mut findings);
    streams::check(&trace, &model, &mut findings);
    cursors::check(&trace, &mut findings);
    agreement::check(&trace, &mut findings);
    health::check(&trace, &mut findings);
    let counts = order.counts(&trace, happened);
    let doubtful = counts.info_unresolved != 0 || trace.dumps.complete_count() == 0;
    let (verdict, reason) = findings.judge(doubtful);
    Ok(Report {
        verdict,
        reason,
        violations: findings.list,
        violation_counts: findings.counts,
        unresolved: findings.unresolved,
        counts,
        windows: availability::windows(&trace),
        coverage: trace.coverage,
    })
}
