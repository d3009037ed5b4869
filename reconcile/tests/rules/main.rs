//! Each rule at work, and where it must not.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod names;
mod report;
mod sums;
mod times;

use common::{Line, shape, statement};
use farthing_reconcile::{LedgerEntry, Options, reconcile};

#[track_caller]
pub(crate) fn check(lines: &[Line], ledger: &[LedgerEntry], expected: &[&str]) {
    check_with(&Options::default(), lines, ledger, expected);
}

#[track_caller]
pub(crate) fn check_with(
    options: &Options,
    lines: &[Line],
    ledger: &[LedgerEntry],
    expected: &[&str],
) {
    let statement = statement(lines);
    let report = reconcile(&statement, ledger, options).unwrap();
    assert_eq!(shape(&report), expected);
    // The order in which the ledger's entries come makes no difference.
    let mut backwards = ledger.to_vec();
    backwards.reverse();
    let again = reconcile(&statement, &backwards, options).unwrap();
    assert_eq!(shape(&again), expected);
    assert_eq!(again.summary(), report.summary());
}
