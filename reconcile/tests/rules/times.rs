//! Pass 3: equal amounts close in time.

use farthing_reconcile::*;

use super::common::*;
use super::{check, check_with};

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
    // It only finds; what it cannot pair may be paired by the wider one.
    check_with(
        &options,
        &[line("", 500, 0), line("", 500, 20)],
        &[transfer(1, 500, -1), transfer(2, 500, 1)],
        &[
            "matched/amount_and_time_in_order: 1 = 1",
            "matched/amount_and_time_in_order: 2 = 2",
        ],
    );
}
