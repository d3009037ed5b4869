//! What banks do to CSV, and what they must not.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CREDIT, DEBIT, HOUR, NOON};
use farthing_reconcile::csv::{AmountColumns, Columns, CsvOptions, read};
use farthing_reconcile::{
    DAY_NS, Limits, NumberFormat, Problem, Reading, Span, Statement, TimeFormat,
};

fn plain(amount: AmountColumns) -> CsvOptions {
    CsvOptions::new(Columns {
        references: vec!["id".to_owned()],
        amount,
        currency: None,
        time: None,
        description: None,
    })
}

#[track_caller]
fn good(text: &[u8], options: &CsvOptions) -> Statement {
    read(text, options, &Reading::new(2)).unwrap()
}

#[track_caller]
fn wrong(text: &[u8], options: &CsvOptions, expected: &str) -> Problem {
    let error = read(text, options, &Reading::new(2)).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(expected), "{message}");
    error.problem
}

fn movements(statement: &Statement) -> Vec<(farthing_reconcile::Direction, u128)> {
    statement
        .entries()
        .map(|entry| (entry.direction(), entry.amount()))
        .collect()
}

#[test]
fn the_standard_columns() {
    let statement = good(
        b"id,amount,currency,time,description\r\n\
          77,12.50,EUR,2026-01-31T12:00:00Z,\"top-up, \"\"card\"\"\"\r\n\
          \r\n\
          78,-3,eur,2026-01-31,\"two\nlines\"\r\n",
        &CsvOptions::standard(),
    );
    assert_eq!(movements(&statement), [(CREDIT, 1250), (DEBIT, 300)]);
    let first = statement.entry(0);
    assert_eq!(first.span(), Span::instant(NOON));
    assert_eq!(first.description(), "top-up, \"card\"");
    assert_eq!(first.currency(), Some("EUR"));
    assert_eq!(first.place().to_string(), "line 2, entry 1");
    let second = statement.entry(1);
    assert_eq!(second.place().line, 4);
    assert_eq!(second.span().first_ns, NOON - DAY_NS / 2);
    assert!(second.span().is_day());
    let references: Vec<&str> = second
        .references()
        .map(|reference| reference.text)
        .collect();
    assert_eq!(references, ["78"]);
    assert_eq!(statement.currency(), Some("EUR"));
}

#[test]
fn a_german_export() {
    let options = CsvOptions {
        delimiter: b';',
        number_format: NumberFormat {
            decimal: ',',
            group: Some('.'),
        },
        time_format: TimeFormat::DayMonthYear,
        skip_lines: 2,
        ..CsvOptions::new(Columns {
            references: vec!["Kundenreferenz".to_owned(), "Bankreferenz".to_owned()],
            amount: AmountColumns::Directed {
                amount: "Betrag".to_owned(),
                direction: "S/H".to_owned(),
                debit_words: vec!["S".to_owned()],
                credit_words: vec!["H".to_owned()],
            },
            currency: Some("W\u{e4}hrung".to_owned()),
            time: Some("Buchungstag".to_owned()),
            description: Some("verwendungszweck".to_owned()),
        })
    };
    let text = "\u{feff}Konto;123\r\nvon \"1.1.\r\n\
        Buchungstag;Betrag; S/H ;W\u{e4}hrung;Kundenreferenz;Bankreferenz;Verwendungszweck\r\n\
        31.01.2026;1.234.567,89;H;EUR;A-1 | A-2;B;Miete\r\n\
        01.02.2026;0,05;s;EUR;;;\r\n";
    let reading = Reading {
        utc_offset_s: 3600,
        ..Reading::new(2)
    };
    let statement = read(text.as_bytes(), &options, &reading).unwrap();
    assert_eq!(movements(&statement), [(CREDIT, 123_456_789), (DEBIT, 5)]);
    let entry = statement.entry(0);
    assert_eq!(entry.place().line, 4);
    assert_eq!(entry.span().first_ns, NOON - DAY_NS / 2 - HOUR);
    assert_eq!(entry.description(), "Miete");
    let references: Vec<&str> = entry.references().map(|reference| reference.text).collect();
    assert_eq!(references, ["A-1", "A-2", "B"]);
}

#[test]
fn references_between_words() {
    let file =
        b"id,amount\n\"1; 2|3 , rent of house 4711, paid by 0192f3a4b5c6778899aabbccddeeff01\",5\n";
    let statement = good(file, &plain(AmountColumns::signed("amount")));
    let entry = statement.entry(0);
    let references: Vec<&str> = entry.references().map(|reference| reference.text).collect();
    assert_eq!(
        references,
        [
            "1",
            "2",
            "3",
            "rent of house 4711",
            "paid by 0192f3a4b5c6778899aabbccddeeff01",
            "0192f3a4b5c6778899aabbccddeeff01"
        ]
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let statement = good(
        b"\xef\xbb\xbfid,amount\n1,2",
        &plain(AmountColumns::signed("amount")),
    );
    assert_eq!(movements(&statement), [(CREDIT, 200)]);
    // What follows the mark is quoted, as the reader of rows sees it, too.
    let quoted = good(
        b"\xef\xbb\xbf\"id\n\",\"amount\"\n1,2",
        &plain(AmountColumns::signed("amount")),
    );
    assert_eq!(movements(&quoted), [(CREDIT, 200)]);
}

#[test]
fn debits_and_credits_in_two_columns() {
    let options = plain(AmountColumns::split("Debit", "Credit"));
    let statement = good(
        b"id,Debit,Credit\n1,5.00,\n2,,6.00\n3,0.00,7\n4,8,0\n5,0,\n",
        &options,
    );
    assert_eq!(
        movements(&statement),
        [
            (DEBIT, 500),
            (CREDIT, 600),
            (CREDIT, 700),
            (DEBIT, 800),
            (DEBIT, 0)
        ]
    );
    wrong(
        b"id,Debit,Credit\n1,5,6\n",
        &options,
        "line 2, entry 1: the debit and the credit",
    );
    wrong(b"id,Debit,Credit\n1,,\n", &options, "exactly one amount");
    wrong(
        b"id,Debit,Credit\n1,-5,\n",
        &options,
        "`Debit`: \"-5\" has a sign",
    );
    let negative = plain(AmountColumns::Split {
        debit: "Debit".to_owned(),
        credit: "Credit".to_owned(),
        debits_are_negative: true,
    });
    let statement = good(b"id,Debit,Credit\n1,-5,\n2,,6\n", &negative);
    assert_eq!(movements(&statement), [(DEBIT, 500), (CREDIT, 600)]);
    wrong(b"id,Debit,Credit\n1,5,\n", &negative, "has a sign");
    wrong(b"id,Debit,Credit\n1,,-5\n", &negative, "`Credit`");
}

#[test]
fn signs_and_words() {
    let mut options = plain(AmountColumns::Signed {
        amount: "amount".to_owned(),
        positive: DEBIT,
    });
    let statement = good(b"id,amount\n1,5\n2,-5\n3,(5)\n4,5-\n", &options);
    let directions: Vec<_> = movements(&statement)
        .iter()
        .map(|movement| movement.0)
        .collect();
    assert_eq!(directions, [DEBIT, CREDIT, CREDIT, CREDIT]);
    options.columns.amount = AmountColumns::directed("amount", "side");
    let statement = good(b"id,amount,side\n1,5,CRDT\n2,5,Dr\n", &options);
    assert_eq!(movements(&statement), [(CREDIT, 500), (DEBIT, 500)]);
    wrong(
        b"id,amount,side\n1,5,x\n",
        &options,
        "`side`: \"x\" is neither debit (debit, dbit, dr, d)",
    );
    wrong(
        b"id,amount,side\n1,-5,C\n",
        &options,
        "`amount`: \"-5\" has a sign",
    );
}

#[test]
fn amounts_are_exact_or_refused() {
    let options = plain(AmountColumns::signed("amount"));
    wrong(
        b"id,amount\n1,2\n2,12.345\n",
        &options,
        "line 3, entry 2, `amount`: \"12.345\" is not an amount at scale 2: the amount has more decimals",
    );
    wrong(b"id,amount\n1,\n", &options, "the amount is empty");
    wrong(
        b"id,amount\n1,\"1,50\"\n",
        &options,
        "set the decimal character",
    );
    wrong(b"id,amount\n1,1e5\n", &options, "exponent");
    wrong(
        b"id,amount\n1,99999999999999999999999999999999999999999\n",
        &options,
        "too large",
    );
    let two = format!(
        "id,amount\n1,{}\n2,0.01\n",
        "3402823669209384634633746074317682114.55"
    );
    let problem = wrong(two.as_bytes(), &options, "line 3, entry 2");
    assert!(matches!(problem, Problem::Total));
    let nothing = read(&b"id,amount\n1,1\n"[..], &options, &Reading::new(39)).unwrap_err();
    assert!(nothing.to_string().contains("above 38"));
}

#[test]
fn what_is_not_a_table() {
    let options = plain(AmountColumns::signed("amount"));
    wrong(b"", &options, "no header row");
    wrong(b"\n\n", &options, "no header row");
    wrong(
        b"id;amount\n1;2\n",
        &options,
        "`id`: there is no such column; the header has id;amount",
    );
    wrong(b"id,id,amount\n", &options, "two columns have this name");
    wrong(b"ID,Id,amount\n", &options, "two columns have this name");
    wrong(
        b"id,amount\n1,2,3\n",
        &options,
        "3 columns where the header has 2",
    );
    wrong(
        b"id,amount\nTotal\n",
        &options,
        "remove lines that are no entries",
    );
    wrong(
        b"id,amount\n\xe9,2\n",
        &options,
        "line 2, entry 1, `id`: bytes that are not UTF-8",
    );
    wrong(
        b"\xff\xfei\0d\0,\0a\0",
        &options,
        "bytes that are not UTF-8",
    );
    let empty = good(b"id,amount\n", &options);
    assert!(empty.is_empty());
    assert_eq!(empty.currency(), None);
}

#[test]
fn times_that_are_none() {
    let mut options = plain(AmountColumns::signed("amount"));
    options.columns.time = Some("day".to_owned());
    wrong(
        b"id,amount,day\n1,2,31.01.2026\n",
        &options,
        "`day`: \"31.01.2026\" is no time",
    );
    wrong(b"id,amount,day\n1,2,\n", &options, "expected 2026-01-31");
    options.time_format = TimeFormat::UnixSeconds;
    let statement = good(b"id,amount,day\n1,2,1769860800\n", &options);
    assert_eq!(statement.entry(0).span(), Span::instant(NOON));
}

#[test]
fn currencies() {
    let mut options = plain(AmountColumns::signed("amount"));
    options.columns.currency = Some("ccy".to_owned());
    let text = b"id,amount,ccy\n1,2,EUR\n2,3.456,TND\n3,4,\n";
    wrong(
        b"id,amount,ccy\n1,2,EUR\n2,3,USD\n",
        &options,
        "entries in EUR, USD",
    );
    wrong(
        b"id,amount,ccy\n1,2,Euro\n",
        &options,
        "\"Euro\" is no currency",
    );
    let skipping = Reading {
        currency: Some("EUR".to_owned()),
        skip_other_currencies: true,
        ..Reading::new(2)
    };
    let statement = read(&text[..], &options, &skipping).unwrap();
    assert_eq!(statement.len(), 2);
    assert_eq!(statement.skipped().other_currency, 1);
    let keeping = Reading {
        skip_other_currencies: false,
        ..skipping
    };
    let error = read(&text[..], &options, &keeping).unwrap_err();
    assert!(error.to_string().contains("line 3"), "{error}");
}

#[test]
fn everything_has_an_end() {
    let options = plain(AmountColumns::signed("amount"));
    let limited = |change: fn(&mut Limits)| {
        let mut reading = Reading::new(2);
        change(&mut reading.limits);
        reading
    };
    let wrong = |text: &[u8], reading: &Reading, expected: &str| {
        let error = read(text, &options, reading).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    wrong(
        b"id,amount\n1,2\n2,3\n",
        &limited(|limits| limits.entries_max = 1),
        "line 3, entry 2: entries: more than 1",
    );
    wrong(
        b"id,amount\n1,2\n2,3\n",
        &limited(|limits| limits.references_max = 1),
        "references: more than 1",
    );
    wrong(
        b"id,amount\n123,2\n45,3\n",
        &limited(|limits| limits.text_bytes_max = 4),
        "bytes of texts: more than 4",
    );
    wrong(
        b"id,amount\n12345,2\n",
        &limited(|limits| limits.field_bytes_max = 4),
        "`id`: bytes of a field: more than 4",
    );
    // A quote that is never closed, and a file that never ends.
    let endless = std::io::Read::chain(&b"id,amount\n1,\""[..], std::io::repeat(b'x'));
    let error = read(endless, &options, &Reading::new(2)).unwrap_err();
    assert!(
        error.to_string().contains("is a quote never closed?"),
        "{error}"
    );
    let endless = std::io::repeat(b'x');
    let error = read(
        endless,
        &CsvOptions {
            skip_lines: 1,
            ..options.clone()
        },
        &Reading::new(2),
    );
    assert!(error.unwrap_err().to_string().contains("bytes of a line"));
}

#[test]
fn options_that_contradict_themselves() {
    let options = plain(AmountColumns::signed("amount"));
    let delimiter = CsvOptions {
        delimiter: b'"',
        ..options.clone()
    };
    wrong(b"id,amount\n", &delimiter, "the delimiter must be");
    let numbers = CsvOptions {
        number_format: NumberFormat {
            decimal: ',',
            group: Some(','),
        },
        ..options
    };
    wrong(b"id,amount\n", &numbers, "are the same");
}

#[test]
fn a_reader_that_fails_is_told() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let text = std::io::Read::chain(&b"id,amount\n1,2\n"[..], Failing);
    let error = read(
        text,
        &plain(AmountColumns::signed("amount")),
        &Reading::new(2),
    );
    assert!(error.unwrap_err().to_string().contains("the disk is gone"));
}

#[test]
fn a_quote_that_is_not_closed_swallows_no_rows() {
    let mut options = plain(AmountColumns::signed("amount"));
    options.columns.description = Some("text".to_owned());
    // To the end of the file, and to the next quote: both would read as one entry.
    for text in [
        "amount,id,text\r\n1,1,a\r\n\r\n2,2,\"b\r\n3,3,c\r\n",
        "amount,id,text\r\n1,1,a\r\n\r\n2,2,\"b\r\n3,3,\"c\"\r\n",
    ] {
        let problem = wrong(
            text.as_bytes(),
            &options,
            "line 4, entry 2: a quote is opened here",
        );
        assert!(matches!(problem, Problem::Quote));
    }
    let inches = good(
        b"amount,id,text\n1,1,5\" pipe\n2,2,\"5\"\" pipe\"\n3,3,\"x\"",
        &options,
    );
    let texts: Vec<&str> = inches.entries().map(|entry| entry.description()).collect();
    assert_eq!(texts, ["5\" pipe", "5\" pipe", "x"]);
}

#[test]
fn lines_are_counted_however_they_end() {
    for (end, blank) in [("\n", ""), ("\r\n", ""), ("\n", "\n\n"), ("\r\n", "\r\n")] {
        let text =
            format!("{blank}id,amount{end}\"a\nb\",1{end}{blank}\"c\nd\",2{end}{blank}5,x{end}");
        let blanks = blank.matches('\n').count();
        let line = 6 + 3 * blanks;
        let expected = format!("line {line}, entry 3, `amount`");
        wrong(
            text.as_bytes(),
            &plain(AmountColumns::signed("amount")),
            &expected,
        );
    }
}
