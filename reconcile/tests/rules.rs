//! Each rule at work, and where it must not.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use farthing_reconcile::{
    Builder, Class, DAY_NS, Direction, Field, Finding, LedgerEntry, NewDetail, NewEntry, Options,
    Place, Reading, Reason, ReconcileError, Sides, Span, Sums, reconcile, reconcile_deriving,
};

#[track_caller]
fn check(lines: &[Line], ledger: &[LedgerEntry], expected: &[&str]) {
    check_with(&Options::default(), lines, ledger, expected);
}

#[track_caller]
fn check_with(options: &Options, lines: &[Line], ledger: &[LedgerEntry], expected: &[&str]) {
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

#[test]
fn ids_in_every_form() {
    let id = 0x0192_f3a4_b5c6_7788_99aa_bbcc_ddee_ff00_u128;
    for text in [
        id.to_string(),
        format!("{id:x}"),
        format!("{id:#x}"),
        format!("{id:032X}"),
        "0192f3a4-b5c6-7788-99aa-bbccddeeff00".to_owned(),
        format!("Order {id:032x} paid"),
    ] {
        // Far apart in time, so that nothing but the id can tell.
        let statement = statement(&[line(&text, 500, 1_000)]);
        let ledger = [transfer(id, 500, 0), transfer(2, 500, 0)];
        let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
        let expected = ["extra:  = 2".to_owned(), format!("matched/id: 1 = {id}")];
        assert_eq!(shape(&report), expected, "{text}");
    }
}

#[test]
fn user_data_in_their_order() {
    let with = |id, amount, data: u128| LedgerEntry {
        user_data_128: if data > 9_000 { data } else { 0 },
        user_data_64: if (900..9_000).contains(&data) {
            data as u64
        } else {
            0
        },
        user_data_32: if data < 900 { data as u32 } else { 0 },
        ..transfer(id, amount, 0)
    };
    let lines = [
        line("9001", 100, 999),
        line("901", 200, 999),
        line("7", 300, 999),
    ];
    let ledger = [with(1, 100, 9_001), with(2, 200, 901), with(3, 300, 7)];
    check(
        &lines,
        &ledger,
        &[
            "matched/user_data_128: 1 = 1",
            "matched/user_data_64: 2 = 2",
            "matched/user_data_32: 3 = 3",
        ],
    );
    let options = Options {
        fields: vec![Field::Id, Field::UserData64],
        ..Options::default()
    };
    check_with(
        &options,
        &lines,
        &ledger,
        &[
            "missing: 1 = ",
            "missing: 3 = ",
            "extra:  = 1",
            "extra:  = 3",
            "matched/user_data_64: 2 = 2",
        ],
    );
}

#[test]
fn one_name_and_two_opinions_is_different() {
    let lines = [
        line("1", 500, 0),
        line("2", 500, 0).debit(),
        line("3", 500, 0).currency("USD"),
        line("4", 700, 0),
    ];
    let ledger = [
        transfer(1, 501, 0),
        transfer(2, 500, 0),
        transfer(3, 500, 0),
        transfer(4, 700, 0),
    ];
    check(
        &lines,
        &ledger,
        &[
            "different/id: 1 = 1",
            "different/id: 2 = 2",
            "different/id: 3 = 3",
            "matched/id: 4 = 4",
        ],
    );
    let statement = statement(&lines);
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    let reasons: Vec<_> = report
        .items(&[Class::Different])
        .map(|item| item.reasons)
        .collect();
    assert_eq!(
        reasons,
        [
            vec![Reason::Amount],
            vec![Reason::Direction],
            vec![Reason::Currency]
        ]
    );
}

#[test]
fn a_name_tells_more_than_an_amount() {
    let order = |id, amount, hour| LedgerEntry {
        user_data_64: 77,
        ..transfer(id, amount, hour)
    };
    check(
        &[line("77", 500, 0)],
        &[order(1, 900, 0), transfer(2, 500, 1)],
        &["different/user_data_64: 1 = 1", "extra:  = 2"],
    );
    // Of several who share the name one is left, after the others were found by their amounts and times.
    let crowd = [order(1, 500, 0), order(2, 500, 40), order(3, 700, 80)];
    check(
        &[line("77", 500, 1), line("77", 500, 41), line("77", 701, 81)],
        &crowd,
        &[
            "different/user_data_64: 3 = 3",
            "matched/amount_and_time: 1 = 1",
            "matched/amount_and_time: 2 = 2",
        ],
    );
}

#[test]
fn a_shared_name_tells_by_amount_if_few_share_it() {
    let order = |id, amount, hour| LedgerEntry {
        user_data_64: 77,
        ..transfer(id, amount, hour)
    };
    let refund = LedgerEntry {
        direction: Direction::Credit,
        ..order(2, 300, 500)
    };
    let sale = order(1, 500, 0);
    check(
        &[line("77", 500, 900), line("77", 300, 900).debit()],
        &[sale, refund],
        &["matched/user_data_64: 1 = 1", "matched/user_data_64: 2 = 2"],
    );
    // Two of the same amount and name, far from the entry: neither is the one.
    check(
        &[line("77", 500, 900)],
        &[sale, order(3, 500, 10)],
        &["missing: 1 = ", "extra:  = 1", "extra:  = 3"],
    );
    let crowd: Vec<LedgerEntry> = (1..=17).map(|id| order(id, 100 * id, 0)).collect();
    let statement = statement(&[line("77", 500, 900)]);
    let report = reconcile(&statement, &crowd, &Options::default()).unwrap();
    assert_eq!(report.summary().class(Class::Matched).items, 0);
}

#[test]
fn references_tie_one_to_many_and_many_to_one() {
    let ledger = [
        transfer(1, 500, 0),
        transfer(2, 300, 0),
        transfer(3, 10, 0),
        transfer(4, 1_000, 0),
    ];
    check(
        &[
            line("1 2 3", 810, 900),
            line("4", 400, 900),
            line("4", 600, 900),
        ],
        &ledger,
        &[
            "matched/group_by_id: 1 = 1 2 3",
            "matched/group_by_id: 2 3 = 4",
        ],
    );
    // Fees go the other way, and the bank books what is left.
    let fee = LedgerEntry {
        direction: Direction::Credit,
        ..transfer(5, 13, 0)
    };
    check(
        &[line("1 5", 487, 900)],
        &[ledger[0], fee],
        &["matched/group_by_id: 1 = 1 5"],
    );
    check(
        &[line("1 2 3", 811, 900)],
        &ledger[..3],
        &["different/id: 1 = 1 2 3"],
    );
    let batch = |id, amount| LedgerEntry {
        user_data_128: 9_999_999,
        ..transfer(id, amount, 0)
    };
    check(
        &[line("9999999", 300, 900)],
        &[batch(1, 100), batch(2, 150), batch(3, 50)],
        &["matched/group_by_user_data_128: 1 = 1 2 3"],
    );
    // A batch that does not add up is no proof that all of it is wrong.
    check(
        &[line("9999999", 301, 900)],
        &[batch(1, 100), batch(2, 150), batch(3, 50)],
        &["missing: 1 = ", "extra:  = 1", "extra:  = 2", "extra:  = 3"],
    );
}

#[test]
fn an_entry_that_is_there_twice_is_different() {
    let statement = statement(&[line("1", 500, 0), line("1", 500, 0)]);
    let ledger = [transfer(1, 500, 0)];
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    assert_eq!(shape(&report), ["different/id: 1 2 = 1"]);
    let item = report.items(&Class::ALL).next().unwrap();
    assert_eq!(item.reasons, [Reason::Amount, Reason::Repeated]);
}

#[test]
fn amount_and_time() {
    check(
        &[line("", 500, 0), line("", 700, 48)],
        &[transfer(1, 500, -24), transfer(2, 700, 72)],
        &[
            "matched/amount_and_time: 1 = 1",
            "matched/amount_and_time: 2 = 2",
        ],
    );
    check(
        &[line("", 500, 0), line("", 700, 48).debit()],
        &[transfer(1, 500, -25), transfer(2, 700, 48)],
        &[
            "missing: 1 = ",
            "missing: 2 = ",
            "extra:  = 1",
            "extra:  = 2",
        ],
    );
    let options = Options {
        window_ns: HOUR,
        ..Options::default()
    };
    check_with(
        &options,
        &[line("", 500, 0), line("", 600, 0)],
        &[transfer(1, 500, 1), transfer(2, 600, 2)],
        &[
            "missing: 2 = ",
            "extra:  = 2",
            "matched/amount_and_time: 1 = 1",
        ],
    );
    // Without a time, and with another currency, an amount proves nothing.
    check(
        &[line("", 500, 0).untimed(), line("", 500, 0).currency("USD")],
        &[transfer(1, 500, 0)],
        &["missing: 1 = ", "missing: 2 = ", "extra:  = 1"],
    );
}

#[test]
fn a_date_is_a_whole_day() {
    let no_window = Options {
        window_ns: 0,
        ..Options::default()
    };
    check_with(
        &no_window,
        &[line("", 500, 0).day(0), line("", 600, 0).day(0)],
        &[transfer(1, 500, 11), transfer(2, 600, 12)],
        &[
            "missing: 2 = ",
            "extra:  = 2",
            "matched/amount_and_time: 1 = 1",
        ],
    );
}

#[test]
fn crowds_are_paired_in_order_or_not_at_all() {
    let equal = [line("", 500, 0), line("", 500, 10), line("", 500, 30)];
    let ledger = [
        transfer(1, 500, 1),
        transfer(2, 500, 12),
        transfer(3, 500, 31),
    ];
    check(
        &equal,
        &ledger,
        &[
            "matched/amount_and_time_in_order: 1 = 1",
            "matched/amount_and_time_in_order: 2 = 2",
            "matched/amount_and_time_in_order: 3 = 3",
        ],
    );
    // One is missing, and which of the three cannot be known.
    check(
        &equal,
        &ledger[1..],
        &["ambiguous/unequal_counts: 1 2 3 = 2 3"],
    );
    check(
        &equal[..1],
        &ledger[..2],
        &["ambiguous/unequal_counts: 1 = 1 2"],
    );
    // As many on both sides, and two of them compete for one.
    check(
        &[line("", 500, 0), line("", 500, 1), line("", 500, 24)],
        &[
            transfer(1, 500, 0),
            transfer(2, 500, 30),
            transfer(3, 500, 41),
        ],
        &["ambiguous/no_pairing: 1 2 3 = 1 2 3"],
    );
    // Two crowds of the same amount, each complete.
    check(
        &[line("", 500, 0), line("", 500, 100)],
        &[transfer(1, 500, 0), transfer(2, 500, 100)],
        &[
            "matched/amount_and_time: 1 = 1",
            "matched/amount_and_time: 2 = 2",
        ],
    );
}

#[test]
fn days_and_times_in_one_crowd() {
    // The entry with a time reaches less far than those with dates; whoever begins with them must not take its partner.
    let options = Options {
        window_ns: HOUR,
        ..Options::default()
    };
    check_with(
        &options,
        &[line("", 500, 0).day(0), line("", 500, -5)],
        &[transfer(1, 500, -5), transfer(2, 500, 3)],
        &[
            "matched/amount_and_time_in_order: 1 = 2",
            "matched/amount_and_time_in_order: 2 = 1",
        ],
    );
}

#[test]
fn a_tight_window_judges_by_nearness() {
    let lines = [line("", 500, 0)];
    let ledger = [transfer(1, 500, 1), transfer(2, 500, 10)];
    check(&lines, &ledger, &["ambiguous/unequal_counts: 1 = 1 2"]);
    let options = Options {
        tight_windows_ns: vec![2 * HOUR],
        ..Options::default()
    };
    check_with(
        &options,
        &lines,
        &ledger,
        &["extra:  = 2", "matched/amount_and_time: 1 = 1"],
    );
}

#[test]
fn a_total_of_whole_days() {
    let ledger: Vec<LedgerEntry> = (0..200)
        .map(|n| transfer(n + 1, 1_000 + 37 * n, n as i64 / 5 - 10))
        .collect();
    let day = |day: u64| -> u128 {
        let begin = NOON - DAY_NS / 2 + day * DAY_NS;
        let of_day = |entry: &&LedgerEntry| (begin..begin + DAY_NS).contains(&entry.timestamp);
        ledger.iter().filter(of_day).map(|entry| entry.amount).sum()
    };
    // Booked on the day after, as banks do.
    let statement = statement(&[line("", day(0), 0).day(1), line("", day(1), 0).day(2)]);
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    assert!(report.agrees());
    let rules: Vec<_> = report
        .items(&Class::ALL)
        .map(|item| (item.rule, item.ledger.len()))
        .collect();
    use farthing_reconcile::Rule::SumOfDays;
    assert_eq!(rules, [(Some(SumOfDays), 110), (Some(SumOfDays), 90)]);
}

#[test]
fn totals_that_cut_off_in_the_afternoon() {
    let amount = |n: u128| 10_007 + 7_919 * (n * n % 31);
    let ledger: Vec<LedgerEntry> = (0..24)
        .map(|n| transfer(n + 1, amount(n), 2 * n as i64 - 7))
        .collect();
    let total = |range: std::ops::Range<u128>| range.map(amount).sum();
    check(
        &[
            line("", total(0..9), 10),
            line("", total(9..20), 34),
            line("", total(20..24), 42),
        ],
        &ledger,
        &[
            "matched/sum_of_run: 1 = 1 2 3 4 5 6 7 8 9",
            "matched/sum_of_run: 2 = 10 11 12 13 14 15 16 17 18 19 20",
            "matched/sum_of_run: 3 = 21 22 23 24",
        ],
    );
}

#[test]
fn many_entries_of_the_statement_for_one_transfer() {
    check(
        &[
            line("", 70_011, 0),
            line("", 40_003, 1),
            line("", 9_999, 2).debit(),
        ],
        &[transfer(1, 110_014, 3)],
        &["missing: 3 = ", "matched/sum_of_days: 1 2 = 1"],
    );
}

#[test]
fn a_few_that_are_no_run() {
    let ledger = [
        transfer(1, 70_011, 0),
        transfer(2, 1_234_567, 1),
        transfer(3, 40_003, 2),
        transfer(4, 7_654_321, 3),
        transfer(5, 15_001, 4),
    ];
    check(
        &[line("", 125_015, 5)],
        &ledger,
        &[
            "extra:  = 2",
            "extra:  = 4",
            "matched/sum_of_few: 1 = 1 3 5",
        ],
    );
    // Beyond the window there is nothing to add.
    check(
        &[line("", 125_015, 29)],
        &ledger,
        &[
            "missing: 1 = ",
            "extra:  = 1",
            "extra:  = 2",
            "extra:  = 3",
            "extra:  = 4",
            "extra:  = 5",
        ],
    );
    let without = Options {
        sums: None,
        ..Options::default()
    };
    let statement = statement(&[line("", 125_015, 5)]);
    let report = reconcile(&statement, &ledger, &without).unwrap();
    assert_eq!(report.summary().class(Class::Matched).items, 0);
}

#[test]
fn two_ways_to_make_a_sum_are_none() {
    check(
        &[line("", 100_000, 9)],
        &[
            transfer(1, 30_000, 0),
            transfer(2, 999_999, 1),
            transfer(3, 70_000, 2),
            transfer(4, 888_887, 3),
            transfer(5, 30_000, 4),
        ],
        &[
            "extra:  = 2",
            "extra:  = 4",
            "ambiguous/several_sums: 1 = 1 3 5",
        ],
    );
    // Two totals of the same amount, and parts for one of them.
    check(
        &[line("", 110_014, 5), line("", 110_014, 6)],
        &[
            transfer(1, 70_011, 0),
            transfer(2, 9_999_999, 1),
            transfer(3, 40_003, 2),
        ],
        &["extra:  = 2", "ambiguous/several_sums: 1 2 = 1 3"],
    );
}

#[test]
fn a_sum_that_chance_would_find_proves_nothing() {
    // Amounts below one unit of currency: among so many sums, one fits always.
    let ledger: Vec<LedgerEntry> = (0..30)
        .map(|n| transfer(n + 1, 20 + n * 7 % 41, n as i64 / 2))
        .collect();
    let lines = [line("", 131, 20)];
    let report_of = |options: &Options| {
        let statement = statement(&lines);
        let report = reconcile(&statement, &ledger, options).unwrap();
        report.summary().class(Class::Missing).items
    };
    assert_eq!(report_of(&Options::default()), 1);
    // In between it is for a person to judge.
    check(
        &[line("", 45, 9)],
        &[
            transfer(1, 20, 0),
            transfer(2, 9_999, 1),
            transfer(3, 25, 2),
            transfer(4, 9_998, 3),
            transfer(5, 31, 4),
        ],
        &[
            "extra:  = 2",
            "extra:  = 4",
            "extra:  = 5",
            "ambiguous/likely_chance: 1 = 1 3",
        ],
    );
}

#[test]
fn bounds_of_the_search_are_told() {
    let ledger: Vec<LedgerEntry> = (0..50)
        .map(|n| transfer(n + 1, 1_000_003 + n * n * 1_009, n as i64 / 3))
        .collect();
    let lines = [line("", ledger[0].amount + ledger[31].amount, 12)];
    let statement = statement(&lines);
    let not_searched = |sums| {
        let options = Options {
            sums: Some(sums),
            ..Options::default()
        };
        let report = reconcile(&statement, &ledger, &options).unwrap();
        let matched = report.summary().class(Class::Matched).items;
        (report.summary().sums_not_searched, matched)
    };
    let few = Sums {
        combination_max: 2,
        candidates_max: 50,
        ..Sums::default()
    };
    assert_eq!(not_searched(few), (0, 1));
    assert_eq!(not_searched(Sums::default()), (1, 0));
    // Stopped at once, an entry is counted once, whatever was left to try.
    for steps_max in [0, 60] {
        assert_eq!(not_searched(Sums { steps_max, ..few }), (1, 0));
    }
}

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
fn names_that_ids_were_derived_from() {
    let statement = statement(&[line("INV-77", 500, 999)]);
    let ledger = [transfer(4_711, 500, 0)];
    let derive = |text: &str| (text == "INV-77").then_some(4_711);
    let report = reconcile_deriving(&statement, &ledger, &Options::default(), derive).unwrap();
    assert_eq!(shape(&report), ["matched/id: 1 = 4711"]);
}

#[test]
fn transactions_inside_of_a_booking_are_named() {
    let reading = Reading::new(2);
    let mut builder = Builder::new(&reading).unwrap();
    let detail = |amount, references| NewDetail {
        amount: Some((CREDIT, amount)),
        references,
    };
    builder
        .push(&NewEntry {
            amount: 1_000,
            direction: CREDIT,
            currency: Some("EUR"),
            span: Span::instant(NOON),
            place: Place { line: 9, entry: 1 },
            references: &["BATCH"],
            details: &[
                detail(500, &["1"]),
                detail(300, &["x", "2"]),
                detail(200, &["3"]),
            ],
            description: "",
            reversal: false,
        })
        .unwrap();
    let statement = builder.finish().unwrap();
    let all = [
        transfer(1, 500, 0),
        transfer(2, 300, 0),
        transfer(3, 200, 0),
    ];
    let report = reconcile(&statement, &all, &Options::default()).unwrap();
    assert_eq!(shape(&report), ["matched/group_by_id: 1 = 1 2 3"]);
    let some = [transfer(1, 500, 0), transfer(2, 301, 0)];
    let report = reconcile(&statement, &some, &Options::default()).unwrap();
    let item = report.items(&[Class::Different]).next().unwrap();
    let findings: Vec<Finding> = item.details.iter().map(|detail| detail.finding).collect();
    assert_eq!(
        findings,
        [Finding::Agrees, Finding::Differs, Finding::Missing]
    );
    assert_eq!(item.details[1].references, ["x", "2"]);
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
