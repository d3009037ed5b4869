//! Passes 1 and 2: what is called the same.

use farthing_reconcile::*;

use super::common::*;
use super::{check, check_with};

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
    // A year apart the name is a coincidence; an id is not.
    check(
        &[line("77", 500, 9_000)],
        &[order(1, 900, 0)],
        &["missing: 1 = ", "extra:  = 1"],
    );
    check(
        &[line("77", 500, 9_000)],
        &[transfer(77, 900, 0)],
        &["different/id: 1 = 77"],
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
