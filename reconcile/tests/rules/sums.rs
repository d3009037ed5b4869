//! Pass 4: sums close in time.

use farthing_reconcile::*;

use super::check;
use super::common::*;

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
fn a_chain_of_totals_is_followed_from_its_ends() {
    // Three months of totals, cut off in the afternoon; each alone has many stretches that fit by chance.
    let amount = |n: u128| 101 + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_499;
    let ledger: Vec<LedgerEntry> = (0..9_000)
        .map(|n| LedgerEntry {
            timestamp: NOON + n as u64 * (DAY_NS / 100),
            ..transfer(n + 1, amount(n), 0)
        })
        .collect();
    let lines: Vec<_> = (0..90)
        .map(|day| {
            let total = (100 * day..100 * day + 100).map(amount).sum();
            line("", total, 0).day(day as u64 + 1)
        })
        .collect();
    let statement = statement(&lines);
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    assert_eq!(report.summary().class(Class::Matched).items, 90);
    assert!(report.agrees());
    let in_order = report
        .items(&Class::ALL)
        .all(|item| item.rule == Some(Rule::SumOfRun) && item.ledger.len() == 100);
    assert!(in_order);
    // One that is not in the ledger does not break it, since it goes on from the other end.
    let without: Vec<LedgerEntry> = [&ledger[..4_000], &ledger[4_100..]].concat();
    let report = reconcile(&statement, &without, &Options::default()).unwrap();
    assert_eq!(report.summary().class(Class::Matched).items, 89);
    assert_eq!(report.summary().class(Class::Missing).items, 1);
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
