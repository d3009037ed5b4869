//! Statements of banks and rails, CSV and camt.053.
//!
//! What is read is whole: a ledger that has exactly its entries agrees with it, and one that lacks an entry does not.

use farthing_reconcile::camt::{self, CamtOptions};
use farthing_reconcile::csv::{self, AmountColumns, Columns, CsvOptions};
use farthing_reconcile::{
    Class, LedgerEntry, Limits, NumberFormat, Options, Reading, Sides, Statement, StatementError,
    TimeFormat, reconcile,
};

use super::Part;
use crate::budget::within;

const CSV_WORDS: &[&str] = &[
    "\"",
    "\n",
    ",",
    "\r\n",
    ";",
    "\t",
    "\u{feff}",
    "-",
    "(",
    ")",
    "EUR",
    "USD",
    "2026-01-31",
    "31.01.2026",
    "1970-01-01T00:00:01Z",
    "0.01",
    "340282366920938463463374607431768211455",
    "id,amount,currency,time,description\n",
    "debit;credit;booked\n",
    "00000000-0000-0000-0000-000000000005",
];
const CAMT_WORDS: &[&str] = &[
    "<Ntry>",
    "</Ntry>",
    "<NtryDtls><TxDtls>",
    "</TxDtls></NtryDtls>",
    "<Amt Ccy=\"EUR\">1.00</Amt>",
    "<CdtDbtInd>DBIT</CdtDbtInd>",
    "CRDT",
    "<Sts>BOOK</Sts>",
    "<Sts><Cd>PDNG</Cd></Sts>",
    "<RvslInd>true</RvslInd>",
    "<BookgDt><Dt>2026-01-31</Dt></BookgDt>",
    "<Stmt>",
    "</Stmt>",
    "<Bal>",
    "</Bal>",
    "<Refs><EndToEndId>5</EndToEndId></Refs>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&amp;",
    "&#x41;",
    "<!DOCTYPE d [<!ENTITY a \"b\">]>",
    "xmlns:n=\"urn:x\"",
    "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
];

pub(super) const CSV: Part = Part {
    name: "statement-csv",
    run: run_csv,
    seeds: csv_seeds,
    words: CSV_WORDS,
};

pub(super) const CAMT: Part = Part {
    name: "statement-camt",
    run: run_camt,
    seeds: camt_seeds,
    words: CAMT_WORDS,
};

/// Entries that are compared: an ordinary file has more, but comparing takes longer than reading.
const ENTRIES_MAX: usize = 200;

fn reading(skip_other_currencies: bool) -> Reading {
    Reading {
        currency: skip_other_currencies.then(|| "EUR".to_owned()),
        skip_other_currencies,
        limits: Limits {
            entries_max: ENTRIES_MAX,
            details_max: 500,
            references_max: 1_000,
            field_bytes_max: 4_096,
            ..Limits::default()
        },
        ..Reading::new(2)
    }
}

/// A byte for the mapping, then the file.
fn run_csv(bytes: &[u8]) {
    let Some((mapping, bytes)) = bytes.split_first() else {
        return;
    };
    let options = if mapping & 1 == 0 {
        CsvOptions::standard()
    } else {
        CsvOptions {
            delimiter: b';',
            number_format: NumberFormat {
                decimal: ',',
                group: Some('.'),
            },
            time_format: TimeFormat::DayMonthYear,
            skip_lines: u32::from(mapping >> 2 & 1),
            ..CsvOptions::new(Columns {
                references: vec!["text".to_owned()],
                amount: AmountColumns::split("debit", "credit"),
                currency: None,
                time: Some("booked".to_owned()),
                description: Some("text".to_owned()),
            })
        }
    };
    let reading = reading(mapping & 2 != 0);
    let Some(statement) = look_at(bytes, || csv::read(bytes, &options, &reading)) else {
        return;
    };
    // No row is lost in another one's field, or on the way.
    let mut table = bytes;
    for _ in 0..options.skip_lines {
        let end = table.iter().position(|byte| *byte == b'\n');
        table = end.map_or(&[], |end| &table[end + 1..]);
    }
    let entries = statement.len() as u64 + statement.skipped().other_currency;
    assert_eq!(entries + 1, rows(table, options.delimiter));
}

/// How many rows there are, empty lines left out: quotes count where a field begins and behind themselves.
fn rows(table: &[u8], delimiter: u8) -> u64 {
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let (mut count, mut quoted, mut filled, mut may_open) = (0, false, false, true);
    for byte in table {
        match byte {
            b'"' if quoted => (quoted, may_open) = (false, true),
            _ if quoted => {}
            b'"' if may_open => (quoted, filled) = (true, true),
            b'\r' | b'\n' => {
                count += u64::from(filled);
                (filled, may_open) = (false, true);
            }
            _ => (filled, may_open) = (true, *byte == delimiter),
        }
    }
    count + u64::from(filled)
}

/// A byte for the options, then the file.
fn run_camt(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else {
        return;
    };
    let options = CamtOptions {
        account: (how & 1 != 0).then(|| "DE89370400440532013000".to_owned()),
        ..CamtOptions::default()
    };
    let reading = reading(how & 2 != 0);
    look_at(bytes, || camt::read(bytes, &options, &reading));
}

fn look_at(
    bytes: &[u8],
    read: impl FnOnce() -> Result<Statement, StatementError>,
) -> Option<Statement> {
    // Buffers of the readers, and for each entry, transaction and reference what the limits allow.
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let statement = match within((2 << 20) + 256 * bytes.len(), read) {
        Ok(statement) => statement,
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 4_096, "{message}");
            assert!(!message.chars().any(char::is_control), "{message:?}");
            // The header row of a file that ends before it is missing on the line behind.
            assert!(error.place.line <= lines + 1, "{message}");
            return None;
        }
    };
    assert!(statement.len() <= ENTRIES_MAX);
    let mut last = 0;
    for entry in statement.entries() {
        let place = entry.place();
        assert!((1..=lines).contains(&place.line), "{place}");
        assert!(place.entry > last, "{place}");
        last = place.entry;
        assert!(entry.description().len() <= Limits::DESCRIPTION_BYTES_MAX);
    }
    let own = mirror(&statement);
    let summary = |ledger: &[LedgerEntry]| {
        // Transfers are numbered by the statement's entries, whose references are other numbers: only amounts and times tell.
        let options = Options {
            sides: Sides::Same,
            fields: Vec::new(),
            ..Options::default()
        };
        let report = reconcile(&statement, ledger, &options).expect("each id is there once");
        // Nothing panics that has to be written, either.
        serde_json::to_string(&report.document(&Class::ALL)).expect("it can be written");
        report.summary().clone()
    };
    let whole = summary(&own);
    let matched = whole.class(Class::Matched);
    // What has no time, and what is in other currencies, has no partner by time.
    assert_eq!(matched.statement.count, own.len() as u64);
    assert_eq!(matched.ledger.count, own.len() as u64);
    let missing = whole.class(Class::Missing).items;
    assert_eq!(missing, (statement.len() - own.len()) as u64);
    let checked = whole.checks.iter().all(|check| check.passed);
    assert_eq!(whole.agrees, missing == 0 && checked);
    if let Some((_, fewer)) = own.split_first() {
        assert!(
            !summary(fewer).agrees,
            "an entry is lost and nobody notices"
        );
    }
    Some(statement)
}

/// A transfer for each entry that has a time and is in the ledger's currency.
fn mirror(statement: &Statement) -> Vec<LedgerEntry> {
    let own = statement.currency();
    let entries = statement
        .entries()
        .filter(|entry| entry.span().is_known())
        .filter(|entry| own.is_none() || entry.currency().is_none_or(|it| Some(it) == own));
    (1..)
        .zip(entries)
        .map(|(id, entry)| LedgerEntry {
            id,
            amount: entry.amount(),
            direction: entry.direction(),
            timestamp: entry.span().first_ns,
            user_data_128: 0,
            user_data_64: 0,
            user_data_32: 0,
        })
        .collect()
}

fn csv_seeds() -> Vec<Vec<u8>> {
    let header = "id,amount,currency,time,description\n";
    let rows =
        "77,12.50,EUR,2026-01-31T12:00:00Z,\"a, \"\"b\"\"\"\n78,-3,EUR,2026-01-31,\"two\nlines\"\n";
    let german = "Kontoauszug\ntext;debit;credit;booked\nMiete 7;1.000,00;;31.01.2026\n\
        \"Gutschrift; 8\";;5,10;01.02.2026\n";
    [
        (
            0,
            format!("{header}{rows}1 | 2,7.00,,2026-02-01T09:30:00+01:00,\r\n"),
        ),
        (
            2,
            format!("\u{feff}{header}{rows}9,1.001,USD,2026-02-01,other\n"),
        ),
        (5, german.to_owned()),
        (1, german.lines().skip(1).collect::<Vec<_>>().join("\r\n")),
        (
            0,
            format!("{header}5,5.00,EUR,2026-01-30,\"open\n6,6.00,EUR,2026-01-30,\"shut\"\n"),
        ),
    ]
    .into_iter()
    .map(|(mapping, text)| [&[mapping], text.as_bytes()].concat())
    .collect()
}

fn camt_seeds() -> Vec<Vec<u8>> {
    [
        (
            0,
            include_str!("../../../reconcile/tests/camt/version_02.xml"),
        ),
        (
            2,
            include_str!("../../../reconcile/tests/camt/version_13.xml"),
        ),
    ]
    .into_iter()
    .map(|(how, text)| [&[how], text.as_bytes()].concat())
    .collect()
}
