//! What is true of the whole.

use farthing_reconcile::*;

use super::common::*;
use super::{check, check_with};

#[test]
fn sides_can_be_the_same() {
    let options = Options {
        sides: Sides::Same,
        ..Options::default()
    };
    let lines = [line("1", 500, 0).debit()];
    check_with(
        &options,
        &lines,
        &[transfer(1, 500, 0)],
        &["matched/id: 1 = 1"],
    );
    check(&lines, &[transfer(1, 500, 0)], &["different/id: 1 = 1"]);
}

#[test]
fn the_difference_is_explained_to_the_last_unit() {
    let fee = LedgerEntry {
        direction: Direction::Credit,
        ..transfer(9, 7, 900)
    };
    let statement = statement(&[
        line("1", 500, 0),
        line("2", 350, 0),
        line("", 20, 0).debit(),
        line("", 1_000, 500),
    ]);
    let ledger = [
        transfer(1, 500, 0),
        transfer(2, 300, 0),
        transfer(3, 1_000, 499),
        transfer(4, 1_000, 501),
        fee,
    ];
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    let proof = serde_json::to_value(&report.summary().proof).unwrap();
    assert_eq!(
        proof,
        serde_json::json!({
            "statement": "18.30", "ledger": "27.93", "difference": "-9.63",
            "different": "0.50", "missing": "-0.20", "extra": "0.07", "ambiguous": "-10.00",
        })
    );
}

#[test]
fn what_may_be_in_the_statement_before_or_behind_is_marked() {
    let options = Options {
        window_ns: 6 * HOUR,
        period: Some(Span {
            first_ns: at(0),
            last_ns: at(48),
        }),
        ..Options::default()
    };
    let statement = statement(&[
        line("", 1, 5),
        line("", 2, 7),
        line("", 3, 41),
        line("", 4, 43),
    ]);
    let ledger = [
        transfer(1, 11, -3),
        transfer(2, 12, 5),
        transfer(3, 13, 24),
        transfer(4, 14, 43),
        transfer(5, 15, 60),
    ];
    let report = reconcile(&statement, &ledger, &options).unwrap();
    let near: Vec<bool> = report
        .items(&Class::ALL)
        .map(|item| item.near_edge)
        .collect();
    let (missing, extra) = near.split_at(4);
    assert_eq!(missing, [true, false, false, true]);
    assert_eq!(extra, [true, true, false, true, true]);
    assert_eq!(report.summary().class(Class::Missing).near_edge, 2);
    assert_eq!(report.summary().class(Class::Extra).near_edge, 4);
    // Without a period there is no edge.
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    assert!(report.items(&Class::ALL).all(|item| !item.near_edge));
}

#[test]
fn a_ledger_that_is_none_is_refused() {
    let statement = statement(&[]);
    let twice = [transfer(1, 5, 0), transfer(2, 5, 0), transfer(1, 5, 9)];
    let error = reconcile(&statement, &twice, &Options::default()).unwrap_err();
    assert_eq!(error, ReconcileError::TransferTwice(1));
    let huge = [transfer(1, u128::MAX, 0), transfer(2, 1, 0)];
    let error = reconcile(&statement, &huge, &Options::default()).unwrap_err();
    assert_eq!(error, ReconcileError::Total);
}

#[test]
fn nothing_on_either_side_agrees() {
    check(&[], &[], &[]);
    let empty = statement(&[]);
    assert!(
        reconcile(&empty, &[], &Options::default())
            .unwrap()
            .agrees()
    );
    check(&[], &[transfer(1, 5, 0)], &["extra:  = 1"]);
    check(&[line("", 5, 0)], &[], &["missing: 1 = "]);
}
