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
            "outside": "0.00",
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
    // The first and the last transfer are beyond the period.
    assert_eq!(extra, [true, false, true, false, false]);
    assert_eq!(report.summary().class(Class::Missing).near_edge, 2);
    assert_eq!(report.summary().class(Class::Extra).near_edge, 2);
    // Without a period there is no edge.
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    assert!(report.items(&Class::ALL).all(|item| !item.near_edge));
}

#[test]
fn what_the_statement_does_not_cover_need_not_be_in_it() {
    let options = Options {
        period: Some(Span {
            first_ns: at(0),
            last_ns: at(24),
        }),
        ..Options::default()
    };
    let lines = [line("1", 5, 0), line("", 7, 24)];
    // The second entry's partner was booked after the period, and is found there.
    let ledger = [
        transfer(1, 5, 0),
        transfer(2, 7, 25),
        transfer(3, 11, -1),
        transfer(4, 13, 26),
    ];
    let wanted = [
        "outside:  = 3",
        "outside:  = 4",
        "matched/id: 1 = 1",
        "matched/amount_and_time: 2 = 2",
    ];
    check_with(&options, &lines, &ledger, &wanted);
    let report_of = |ledger: &[LedgerEntry]| {
        let statement = statement(&lines);
        let report = reconcile(&statement, ledger, &options).unwrap();
        let proof = &report.summary().proof;
        let texts =
            [proof.difference, proof.extra, proof.outside].map(|money| money.unwrap().to_string());
        (report.agrees(), texts)
    };
    let (agrees, proof) = report_of(&ledger);
    assert!(agrees);
    assert_eq!(proof, ["-0.24", "0.00", "-0.24"]);
    // At the very ends it must be there.
    for hour in [0, 24] {
        let inside = [ledger[0], ledger[1], transfer(3, 11, hour)];
        let (agrees, proof) = report_of(&inside);
        assert!(!agrees);
        assert_eq!(proof, ["-0.11", "-0.11", "0.00"]);
    }
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
