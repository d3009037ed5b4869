//! The report's bytes, which scripts rely on. `REWRITE_GOLDEN=1` writes them anew; look at the difference before you commit
//! it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{at, transfer};
use farthing_reconcile::camt::{self, CamtOptions};
use farthing_reconcile::csv::{self, CsvOptions};
use farthing_reconcile::{Class, Direction, LedgerEntry, Options, Reading, Statement, reconcile};

fn compare(name: &str, statement: &Statement, ledger: &[LedgerEntry]) {
    let report = reconcile(statement, ledger, &Options::default()).unwrap();
    let mut text = String::new();
    for line in report.lines(&Class::ALL) {
        text.push_str(&serde_json::to_string(&line).unwrap());
        text.push('\n');
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("REWRITE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{name}");
    // One document has the same in it.
    let document = serde_json::to_value(report.document(&Class::ALL)).unwrap();
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len() + 1, text.lines().count());
    let mut first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    first.as_object_mut().unwrap().remove("type");
    assert_eq!(document["summary"], first);
}

#[test]
fn every_class_from_csv() {
    let file = "id,amount,currency,time,description\n\
                77,12.50,EUR,2026-01-31,top-up\n\
                78,-3.00,EUR,2026-01-31T12:00:00+01:00,fee\n\
                79,9.99,EUR,2026-01-31,\n\
                80;81,1001.50,EUR,2026-01-31,\"payout, batch\"\n\
                ,5.00,EUR,2026-01-31,one of two\n\
                0192f3a4-b5c6-7788-99aa-bbccddeeff00,20.00,EUR,2026-02-01,invoice\n";
    let statement = csv::read(file.as_bytes(), &CsvOptions::standard(), &Reading::new(2)).unwrap();
    let ledger = [
        transfer(77, 1_250, 0),
        LedgerEntry {
            direction: Direction::Credit,
            user_data_128: 0x42,
            user_data_64: 7,
            user_data_32: 8,
            ..transfer(78, 350, 0)
        },
        transfer(80, 100_000, -3),
        transfer(81, 150, -2),
        transfer(90, 500, 1),
        transfer(91, 500, 2),
        transfer(0x0192_f3a4_b5c6_7788_99aa_bbcc_ddee_ff00, 2_000, 400),
        LedgerEntry {
            timestamp: at(3) + 250_000_000,
            ..transfer(92, 77_777, 3)
        },
    ];
    compare("csv.jsonl", &statement, &ledger);
}

#[test]
fn checks_and_details_from_camt() {
    let file = include_str!("camt/version_02.xml").replace("1092.50", "1092.51");
    let reading = Reading {
        utc_offset_s: 3_600,
        ..Reading::new(2)
    };
    let statement = camt::read(file.as_bytes(), &CamtOptions::default(), &reading).unwrap();
    let ledger = [
        transfer(0x0192_f3a4_b5c6_7788_99aa_bbcc_ddee_ff01, 60_000, 0),
        transfer(500, 1, 40),
    ];
    compare("camt.jsonl", &statement, &ledger);
}
