//! camt.053: what is taken out of it, and what is refused.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CREDIT, DEBIT, NOON, transfer};
use farthing_reconcile::camt::{CamtOptions, EntryDate, read};
use farthing_reconcile::{
    CheckKind, Class, DAY_NS as DAY, Detail, Limits, Options, Problem, Reading, Rule, Skipped,
    Span, Statement, reconcile,
};

const VERSION_02: &str = include_str!("camt/version_02.xml");
const VERSION_13: &str = include_str!("camt/version_13.xml");

fn reading() -> Reading {
    Reading {
        utc_offset_s: 3600,
        ..Reading::new(2)
    }
}

#[track_caller]
fn good(text: &str) -> Statement {
    read(text.as_bytes(), &CamtOptions::default(), &reading()).unwrap()
}

#[track_caller]
fn wrong(text: &[u8], expected: &str) -> Problem {
    let error = read(text, &CamtOptions::default(), &reading()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(expected), "{message}");
    error.problem
}

/// A statement around these entries.
fn around(entries: &str) -> String {
    format!(
        "<Document><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id><IBAN>X1</IBAN></Id></Acct>{entries}\
         </Stmt></BkToCstmrStmt></Document>"
    )
}

/// An entry with this instead of its amount, its direction and its status.
fn entry(fields: &str) -> String {
    around(&format!(
        "<Ntry>{fields}<BookgDt><Dt>2026-01-31</Dt></BookgDt></Ntry>"
    ))
}

const PLAIN: &str = "<Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>";

fn references(statement: &Statement, index: usize) -> Vec<(Option<u32>, &str)> {
    statement
        .entry(index)
        .references()
        .map(|reference| (reference.detail, reference.text))
        .collect()
}

#[test]
fn the_oldest_version() {
    let statement = good(VERSION_02);
    assert_eq!(statement.len(), 3);
    assert_eq!(statement.currency(), Some("EUR"));
    let status = Skipped {
        status: 1,
        ..Skipped::default()
    };
    assert_eq!(statement.skipped(), status);

    let batch = statement.entry(0);
    assert_eq!((batch.direction(), batch.amount()), (CREDIT, 100_000));
    assert_eq!(batch.place().to_string(), "line 27, entry 1");
    assert_eq!(batch.description(), "Invoice 77 & <78> thanks");
    assert!(batch.span().is_day());
    assert_eq!(batch.span().first_ns, NOON - DAY / 2 - DAY / 24);
    let detail = |number, amount| Detail {
        number,
        amount: Some((CREDIT, amount)),
    };
    let details: Vec<Detail> = batch.details().collect();
    assert_eq!(details, [detail(1, 60_000), detail(2, 40_000)]);
    assert_eq!(
        references(&statement, 0),
        [
            (None, "BANK-77"),
            (None, "FILE-9"),
            (Some(1), "0192f3a4b5c6778899aabbccddeeff01"),
            (Some(1), "T-1"),
            (Some(2), "0192f3a4b5c6778899aabbccddeeff02"),
        ]
    );

    let reversal = statement.entry(1);
    assert_eq!((reversal.direction(), reversal.amount()), (CREDIT, 750));
    assert!(reversal.is_reversal() && !batch.is_reversal());
    assert_eq!(reversal.span(), Span::instant(NOON));
    assert_eq!(reversal.description(), "Fee taken back");
    assert_eq!(references(&statement, 1), [(Some(1), "P-5")]);
    assert_eq!(statement.entry(2).direction(), DEBIT);
    assert!(statement.entry(2).span().is_day());

    let section = &statement.sections()[0];
    assert_eq!(section.id, "2026-021");
    assert_eq!(section.account, "XX02FARTHING0000000001");
    // From the dates of the balances: what was closed the day before, and the end of the last day.
    let period = statement.period().unwrap();
    assert_eq!(period.first_ns, NOON - DAY / 2 - DAY / 24);
    assert_eq!(period.last_ns, period.first_ns + DAY - 1);
    let checks: Vec<(CheckKind, bool)> = statement
        .checks()
        .iter()
        .map(|check| (check.kind, check.passed))
        .collect();
    assert_eq!(
        checks,
        [
            (CheckKind::ClosingBalance, true),
            (CheckKind::EntryCount, true),
            (CheckKind::DebitCount, true),
            (CheckKind::CreditCount, true),
            (CheckKind::DebitSum, true),
            (CheckKind::CreditSum, true),
        ]
    );
}

#[test]
fn the_newest_version_with_prefixes() {
    let statement = good(VERSION_13);
    assert_eq!(statement.len(), 1);
    let details: Vec<_> = statement
        .entry(0)
        .details()
        .map(|detail| detail.amount)
        .collect();
    assert_eq!(details, [Some((CREDIT, 1_300)), Some((DEBIT, 50))]);
    assert_eq!(
        references(&statement, 0),
        [
            (Some(1), "0192f3a4-b5c6-4788-99aa-bbccddeeff03"),
            (Some(2), "fee")
        ]
    );
    let checks: Vec<String> = statement
        .checks()
        .iter()
        .map(|check| {
            format!(
                "{:?} of {}: {} and {}, {}",
                check.kind, check.statement, check.stated, check.found, check.passed
            )
        })
        .collect();
    assert_eq!(
        checks,
        [
            "ClosingBalance of A: 2.50 and 2.50, true",
            "ClosingBalance of B: 2.49 and 2.50, false",
            "OpeningBalance of B: 2.50 and 2.50, true",
        ]
    );
    // A statement that contradicts itself does not agree, whatever the ledger says.
    let id = 0x0192_f3a4_b5c6_4788_99aa_bbcc_ddee_ff03;
    let ledger = [transfer(id, 1_250, 0)];
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    assert_eq!(report.summary().class(Class::Matched).items, 1);
    assert!(!report.agrees());
}

#[test]
fn a_batch_is_its_transfers() {
    let statement = good(VERSION_02);
    let id = 0x0192_f3a4_b5c6_7788_99aa_bbcc_ddee_ff00;
    let ledger = [transfer(id + 1, 60_000, 0), transfer(id + 2, 40_000, 0)];
    let report = reconcile(&statement, &ledger, &Options::default()).unwrap();
    let item = report.items(&[Class::Matched]).next().unwrap();
    assert_eq!(item.rule, Some(Rule::GroupById));
    assert_eq!(item.ledger.len(), 2);
    assert_eq!(report.summary().class(Class::Missing).items, 2);
}

#[test]
fn statuses_and_dates_by_choice() {
    let options = CamtOptions {
        statuses: vec!["PDNG".to_owned()],
        date: EntryDate::Value,
        ..CamtOptions::default()
    };
    let statement = read(VERSION_02.as_bytes(), &options, &reading()).unwrap();
    assert_eq!(statement.len(), 1);
    assert_eq!(statement.entry(0).place().entry, 4);
    assert_eq!(statement.entry(0).span(), Span::UNKNOWN);
    assert_eq!(statement.skipped().status, 3);
    // The balance is that of the booked entries, whichever were asked for.
    assert!(statement.checks()[0].passed);
    let options = CamtOptions {
        date: EntryDate::Value,
        ..CamtOptions::default()
    };
    let statement = read(VERSION_02.as_bytes(), &options, &reading()).unwrap();
    let two_days = NOON + DAY + DAY / 2 - DAY / 24;
    assert_eq!(statement.entry(0).span().first_ns, two_days);
}

#[test]
fn several_accounts() {
    let both = VERSION_13.replace("47110815", "9");
    let problem = wrong(
        both.as_bytes(),
        "there are statements of 4711 0815, 9; say which",
    );
    assert!(matches!(problem, Problem::SeveralAccounts(_)));
    let of = |account: &str| {
        let account = Some(account.to_owned());
        let options = CamtOptions {
            account,
            ..CamtOptions::default()
        };
        read(both.as_bytes(), &options, &reading())
    };
    assert_eq!(of("47 11 08 15").unwrap().len(), 1);
    let other = of("9").unwrap();
    assert_eq!((other.len(), other.skipped().other_account), (0, 1));
    assert_eq!(other.sections().len(), 1);
    let error = of("8").unwrap_err().to_string();
    assert!(
        error.contains("no statement of 8; the file has 4711 0815, 9"),
        "{error}"
    );
}

#[test]
fn an_account_that_is_not_asked_for_may_have_any_currency() {
    let both = VERSION_13
        .replace("47110815", "9")
        .replace("2.49", "2.4999");
    let of = |account: &str| {
        let account = Some(account.to_owned());
        let options = CamtOptions {
            account,
            ..CamtOptions::default()
        };
        read(both.as_bytes(), &options, &reading())
    };
    assert_eq!(of("4711 0815").unwrap().checks().len(), 1);
    assert!(of("9").unwrap_err().to_string().contains("2.4999"));
}

#[test]
fn a_period_may_be_said() {
    let said = "<FrToDt><FrDtTm>2026-01-31T12:00:00Z</FrDtTm><ToDtTm>2026-02-02T12:00:00Z</ToDtTm></FrToDt>";
    let period = good(&around(said)).period();
    let expected = Span {
        first_ns: NOON,
        last_ns: NOON + 2 * DAY,
    };
    assert_eq!(period, Some(expected));
    assert_eq!(good(&around("")).period(), None);
    let backwards = said.replace("02-02", "01-02");
    assert_eq!(good(&around(&backwards)).period(), None);
}

#[test]
fn amounts_of_transactions_in_other_currencies_do_not_add_up() {
    for (currency, amount) in [("EUR", Some((CREDIT, 90))), ("USD", None)] {
        let details = format!(
            "<NtryDtls><TxDtls><Amt Ccy=\"{currency}\">0.90</Amt></TxDtls></NtryDtls></Ntry>"
        );
        let statement = good(&entry(PLAIN).replace("</Ntry>", &details));
        let detail = statement.entry(0).details().next().unwrap();
        assert_eq!(detail.amount, amount);
    }
}

#[test]
fn references_of_the_payer() {
    let details = "<NtryDtls><TxDtls><RmtInf><Ustrd>order 77, 0192f3a4b5c6778899aabbccddeeff01.</Ustrd>\
        <Strd><CdtrRefInf><Ref>RF18 5390</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>";
    let statement = good(&entry(PLAIN).replace("</Ntry>", details));
    assert_eq!(
        references(&statement, 0),
        [
            (Some(1), "0192f3a4b5c6778899aabbccddeeff01"),
            (Some(1), "RF18 5390")
        ]
    );
}

#[test]
fn a_number_that_counts_entries_is_no_reference() {
    let numbered =
        |number: &str| PLAIN.replace("<Sts>", &format!("<NtryRef>{number}</NtryRef><Sts>"));
    for (number, count) in [
        ("1", 0),
        ("0001", 0),
        ("0", 0),
        ("2", 1),
        ("18446744073709551615", 1),
    ] {
        let statement = good(&entry(&numbered(number)));
        assert_eq!(references(&statement, 0).len(), count, "{number}");
    }
}

#[test]
fn fields_that_are_wrong_are_named() {
    assert_eq!(good(&entry(PLAIN)).len(), 1);
    for (from, to, expected) in [
        (
            "1.00",
            "1.001",
            "line 1, entry 1, `Stmt/Ntry/Amt`: \"1.001\" is not an amount at scale 2",
        ),
        ("1.00", "-1.00", "`Stmt/Ntry/Amt`: \"-1.00\" has a sign"),
        ("1.00", "", "the amount is empty"),
        ("1.00", "1,00", "\"1,00\" is not an amount"),
        (
            "1.00",
            "9999999999999999999999999999999999999999999",
            "too large",
        ),
        (" Ccy=\"EUR\"", "", "`Stmt/Ntry/Amt`: it is missing"),
        ("EUR", "Euro", "\"Euro\" is no currency"),
        (
            "CRDT",
            "crdt",
            "`Stmt/Ntry/CdtDbtInd`: \"crdt\" is not one of CRDT, DBIT",
        ),
        (
            "<CdtDbtInd>CRDT</CdtDbtInd>",
            "",
            "`Stmt/Ntry/CdtDbtInd`: it is missing",
        ),
        ("<Sts>BOOK</Sts>", "", "`Stmt/Ntry/Sts`: it is missing"),
        (
            "<Amt Ccy=\"EUR\">1.00</Amt>",
            "",
            "`Stmt/Ntry/Amt`: it is missing",
        ),
        (
            "<Sts>",
            "<Amt Ccy=\"EUR\">2</Amt><Sts>",
            "`Stmt/Ntry/Amt`: it is there twice",
        ),
        (
            "<Sts>",
            "<RvslInd>maybe</RvslInd><Sts>",
            "`Stmt/Ntry/RvslInd`: \"maybe\"",
        ),
        (
            "<Sts>",
            "<ValDt><Dt>31.01.2026</Dt></ValDt><Sts>",
            "`Stmt/Ntry/ValDt/Dt`: \"31.01.2026\" is no time",
        ),
    ] {
        wrong(entry(&PLAIN.replace(from, to)).as_bytes(), expected);
    }
    let count = "<TxsSummry><TtlNtries><NbOfNtries>many</NbOfNtries></TtlNtries></TxsSummry>";
    wrong(
        around(count).as_bytes(),
        "`Stmt/TxsSummry/TtlNtries/NbOfNtries`: \"many\"",
    );
}

#[test]
fn text_in_pieces_is_one_text() {
    let pieces = PLAIN
        .replace("1.00", " 1<!-- . -->.<![CDATA[2]]>&#53;\n")
        .replace("BOOK", "B&#x4f;OK");
    let statement = good(&entry(&pieces));
    assert_eq!(statement.entry(0).amount(), 125);
}

#[test]
fn what_is_not_camt_053() {
    wrong(b"", "expected Document/BkToCstmrStmt, found no element");
    wrong(b"id,amount\n1,2\n", "text outside of the document");
    wrong(b"<html/>", "found html");
    wrong(
        b"<Document><BkToCstmrAcctRpt/></Document>",
        "found BkToCstmrAcctRpt",
    );
    wrong(b"<Document/><Document/>", "a second document begins");
    wrong(b"<Document><BkToCstmrStmt></Document>", "not well-formed");
    wrong(
        b"<Document><BkToCstmrStmt>",
        "it ends inside of <BkToCstmrStmt>",
    );
    assert!(good("<Document><BkToCstmrStmt/></Document>").is_empty());
}

#[test]
fn other_encodings_are_named() {
    let latin = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{}",
        entry(PLAIN)
    );
    wrong(latin.as_bytes(), "the encoding is ISO-8859-1; convert");
    let mut bytes = around("<Ntry><AddtlNtryInf>caf?</AddtlNtryInf></Ntry>").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xe9;
    wrong(&bytes, "line 1, entry 1: bytes that are not UTF-8");
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain(entry(PLAIN).encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    wrong(&utf_16, "bytes that are not UTF-8");
    let mark = format!("\u{feff}{}", entry(PLAIN));
    assert_eq!(good(&mark).len(), 1);
}

#[test]
fn nothing_is_expanded_or_fetched() {
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let text = format!("{bomb}{}", entry(&PLAIN.replace("1.00", "&c;")));
    assert!(matches!(
        wrong(text.as_bytes(), "<!DOCTYPE>"),
        Problem::Doctype
    ));
    let outside = format!("<!DOCTYPE d SYSTEM \"file:///etc/passwd\">{}", entry(PLAIN));
    wrong(outside.as_bytes(), "<!DOCTYPE>");
    let entity = entry(&PLAIN.replace("1.00", "&c;"));
    wrong(entity.as_bytes(), "the entity &c; is not one of XML's own");
    let in_attribute = entry(&PLAIN.replace("EUR", "&c;"));
    wrong(in_attribute.as_bytes(), "not well-formed");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    for end in 0..VERSION_13.trim_end().len() {
        let text = &VERSION_13.as_bytes()[..end];
        read(text, &CamtOptions::default(), &reading()).unwrap_err();
    }
}

#[test]
fn everything_has_an_end() {
    let limited = |change: fn(&mut Limits), text: &str, expected: &str| {
        let mut reading = reading();
        change(&mut reading.limits);
        let error = read(text.as_bytes(), &CamtOptions::default(), &reading).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    limited(
        |limits| limits.entries_max = 2,
        VERSION_02,
        "line 64, entry 3: entries: more than 2",
    );
    limited(
        |limits| limits.details_max = 1,
        VERSION_02,
        "transactions inside of entries: more than 1",
    );
    limited(
        |limits| limits.references_max = 3,
        VERSION_02,
        "references: more than 3",
    );
    limited(
        |limits| limits.text_bytes_max = 30,
        VERSION_02,
        "bytes of texts: more than 30",
    );
    limited(
        |limits| limits.sections_max = 1,
        VERSION_13,
        "statements: more than 1",
    );
    limited(
        |limits| limits.depth_max = 8,
        VERSION_02,
        "nested XML elements: more than 8",
    );
    limited(
        |limits| limits.field_bytes_max = 20,
        VERSION_02,
        "more than 20",
    );
    let deep = around(&"<a>".repeat(100_000));
    wrong(deep.as_bytes(), "nested XML elements: more than 64");
    for begin in [
        "<Document a=\"",
        "<Document><!--",
        "<Document>",
        "<Document><![CDATA[",
        "<Document>&",
    ] {
        let endless = std::io::Read::chain(begin.as_bytes(), std::io::repeat(b'x'));
        let error = read(endless, &CamtOptions::default(), &reading()).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("more than 65536") || message.contains("expected Document"),
            "{message}"
        );
    }
}
