//! Statements against the account of real nodes: what agrees, what does not, and what is said of what cannot be read.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::support::Cluster;

const HEADER: &str = "id,amount,currency,time,description\n";

/// Account 1 is our money at the bank, 100 and 101 are customers. Deposits 11 to 15, a payout, a hold that is open, and one
/// that was posted in part.
fn bank() -> Cluster {
    let cluster = Cluster::start();
    cluster.ok("ledger create 840 --currency EUR --scale 2".split(' '));
    for id in ["1", "100", "101"] {
        cluster.ok(format!("account create --id {id} --ledger 840 --code 10").split(' '));
    }
    for (id, debit, credit, amount, more) in [
        (11, 1, 100, "12.50", ""),
        (12, 1, 101, "7.00", ""),
        (13, 1, 100, "1.00", ""),
        (14, 1, 100, "2.25", ""),
        (20, 100, 1, "3.00", ""),
        (30, 1, 100, "99.00", " --pending"),
        (31, 1, 101, "10.00", " --pending"),
        (15, 1, 100, "0.40", ""),
    ] {
        cluster.ok(format!(
            "transfer create --id {id} --debit {debit} --credit {credit} --amount {amount} --ledger 840 --code 1{more}"
        )
        .split(' '));
    }
    cluster.ok("transfer create --id 32 --post 31 --amount 4.00".split(' '));
    cluster
}

/// The settled transfers of account 1 as the bank would write them: id, amount with a sign, time.
fn rows(cluster: &Cluster) -> Vec<[String; 3]> {
    let history = cluster.json("account history 1".split(' '));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let settled = history.as_array().unwrap().iter().filter(|row| {
        let flags = row["flags"].as_array().unwrap();
        !flags.contains(&"pending".into())
    });
    settled
        .map(|row| {
            let debited = text(&row["debit_account_id"]).ends_with("-000000000001");
            let sign = if debited { "" } else { "-" };
            [
                text(&row["id"]),
                format!("{sign}{}", text(&row["amount"])),
                time(row["timestamp"].as_u64().unwrap()),
            ]
        })
        .collect()
}

fn time(ns: u64) -> String {
    chrono::DateTime::from_timestamp_nanos(i64::try_from(ns).unwrap()).to_rfc3339()
}

fn write(cluster: &Cluster, name: &str, text: &str) -> PathBuf {
    let path = cluster.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn csv_of(rows: &[[String; 3]]) -> String {
    let mut text = HEADER.to_owned();
    for [id, amount, time] in rows {
        writeln!(text, "{id},{amount},EUR,{time},").unwrap();
    }
    text
}

fn reconcile(cluster: &Cluster, file: &Path, more: &[&str]) -> Output {
    let file = file.to_str().unwrap();
    let call = [
        "-o",
        "json",
        "reconcile",
        "--account",
        "1",
        "--statement",
        file,
    ];
    cluster.run(call.iter().chain(more))
}

/// The report, and the status.
fn report(cluster: &Cluster, file: &Path, more: &[&str]) -> (Value, i32) {
    let output = reconcile(cluster, file, more);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout);
    (
        report.unwrap_or_else(|error| panic!("{error}: {errors}")),
        output.status.code().unwrap(),
    )
}

/// `class why: lines = ids` of every item, ids in decimal.
fn items(report: &Value) -> Vec<String> {
    let numbers = |side: &Value, number: &dyn Fn(&Value) -> String| -> String {
        let numbers: Vec<String> = side.as_array().unwrap().iter().map(number).collect();
        numbers.join(" ")
    };
    let shown = |item: &Value| {
        let why = ["rule", "named_by", "doubt"];
        let why = why.iter().find_map(|name| item[name].as_str());
        let lines = numbers(&item["statement"], &|entry| entry["line"].to_string());
        let ids = numbers(&item["ledger"], &|transfer| {
            let hex = transfer["id"].as_str().unwrap().replace('-', "");
            u128::from_str_radix(&hex, 16).unwrap().to_string()
        });
        let class = item["class"].as_str().unwrap();
        format!("{class} {}: {lines} = {ids}", why.unwrap_or(""))
    };
    let items = report["items"].as_array().unwrap();
    items.iter().map(shown).collect()
}

#[test]
fn a_statement_agrees_and_every_change_of_it_is_found() {
    let cluster = bank();
    let rows = rows(&cluster);
    assert_eq!(rows.len(), 7, "{rows:?}");
    let file = write(&cluster, "statement.csv", &csv_of(&rows));
    let (whole, status) = report(&cluster, &file, &["--items", "all"]);
    assert_eq!(
        (status, &whole["summary"]["agrees"]),
        (0, &true.into()),
        "{whole:#}"
    );
    assert_eq!(whole["summary"]["statement"]["credits"], "27.15");
    assert_eq!(whole["summary"]["ledger"]["debits"], "27.15");
    assert_eq!(whole["summary"]["ledger"]["credits"], "3.00");
    assert_eq!(whole["summary"]["proof"]["difference"], "0.00");
    assert!(
        items(&whole)
            .iter()
            .all(|item| item.starts_with("matched id: ")),
        "{whole:#}"
    );
    // The holds are no movements; the post is.
    let cut = &whole["cut"];
    assert_eq!((&cut["transfers"], &cut["settled"]), (&9.into(), &7.into()));
    assert!(cut["applied_index"].as_u64().unwrap() > 0);
    assert_eq!(
        (&whole["ledger"], &whole["format"]),
        (&840.into(), &"csv".into())
    );
    assert_eq!(whole["period"]["source"], "entries");
    let (short, _) = report(&cluster, &file, &[]);
    assert!(
        items(&short).is_empty(),
        "what is matched is listed when it is asked for"
    );

    // Without any name, by amount and time.
    let nameless: Vec<_> = rows
        .iter()
        .map(|[_, amount, time]| [String::new(), amount.clone(), time.clone()])
        .collect();
    let file = write(&cluster, "nameless.csv", &csv_of(&nameless));
    let (nameless, status) = report(&cluster, &file, &["--items", "matched"]);
    assert_eq!(status, 0, "{nameless:#}");
    assert_eq!(items(&nameless)[0], "matched amount_and_time: 2 = 11");

    // 12 is not in it, 13 and 14 are one entry, 20 is two, 15 is another amount, and one is the bank's own.
    let at = |index: usize| rows[index][2].clone();
    let text = format!(
        "{HEADER}11,12.50,EUR,{},\n13;14,3.25,EUR,{},\n20,-1.00,EUR,{},\n20,-2.00,EUR,{},\n15,0.45,EUR,{},\n\
         unknown,-8.00,EUR,{},fee\n32,4.00,EUR,{},\n",
        at(0),
        at(2),
        at(4),
        at(4),
        at(5),
        at(5),
        at(6),
    );
    let file = write(&cluster, "changed.csv", &text);
    let (changed, status) = report(&cluster, &file, &["--items", "all"]);
    assert_eq!(status, 1);
    assert_eq!(
        items(&changed),
        [
            "different id: 6 = 15",
            "missing : 7 = ",
            "extra : = 12".replace(": =", ":  =").as_str(),
            "matched id: 2 = 11",
            "matched group_by_id: 3 = 13 14",
            "matched group_by_id: 4 5 = 20",
            "matched id: 8 = 32",
        ]
    );
    let proof = &changed["summary"]["proof"];
    assert_eq!(
        [
            &proof["different"],
            &proof["missing"],
            &proof["extra"],
            &proof["difference"]
        ],
        ["0.05", "-8.00", "-7.00", "-14.95"]
    );
    let output = reconcile(&cluster, &file, &[]);
    let failure: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(failure["error"]["code"], "CHECK_FAILED");
    assert_eq!(
        failure["error"]["reason"],
        "1 different, 1 missing, 1 extra"
    );

    // For a person, and for a spreadsheet.
    let path = file.to_str().unwrap();
    let shown = cluster.run(["reconcile", "--account", "1", "--statement", path]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    for words in [
        "different  id amount",
        "missing",
        "debit 7.00",
        "do not agree",
    ] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    let sheet = cluster.run([
        "-o",
        "csv",
        "reconcile",
        "--account",
        "1",
        "--statement",
        path,
    ]);
    let mut sheet = csv::Reader::from_reader(sheet.stdout.as_slice());
    let sheet: Vec<_> = sheet.records().map(Result::unwrap).collect();
    let sides: Vec<_> = sheet
        .iter()
        .map(|row| (&row[1], &row[3], &row[8]))
        .collect();
    assert_eq!(
        sides,
        [
            ("different", "statement", "0.45"),
            ("different", "ledger", "0.40"),
            ("missing", "statement", "8.00"),
            ("extra", "ledger", "7.00"),
        ]
    );
}

#[test]
fn the_period_says_what_must_be_in_a_statement() {
    let cluster = bank();
    let rows = rows(&cluster);
    // The last two are not in it, and the file does not say that it should have them.
    let file = write(&cluster, "early.csv", &csv_of(&rows[..5]));
    let (early, status) = report(&cluster, &file, &["--items", "all"]);
    assert_eq!(status, 0, "{early:#}");
    assert_eq!(early["summary"]["proof"]["outside"], "-4.40");
    assert_eq!(early["summary"]["ledger"]["count"], 7);
    let (none, _) = report(&cluster, &file, &["--window", "0s"]);
    assert_eq!(
        none["summary"]["ledger"]["count"], 5,
        "nothing around the period is read"
    );
    // It is told that it should.
    let last = rows[6][2].clone();
    let (told, status) = report(&cluster, &file, &["--to", &last]);
    assert_eq!(status, 1);
    assert_eq!(items(&told), ["extra :  = 15", "extra :  = 32"]);
    assert_eq!(told["period"]["source"], "flags");
    // The other way round: what is asked for begins later.
    let file = write(&cluster, "late.csv", &csv_of(&rows[2..]));
    let (late, status) = report(
        &cluster,
        &file,
        &["--from", &rows[2][2], "--to", "2100-01-01"],
    );
    assert_eq!(status, 0, "{late:#}");
    let (all, status) = report(&cluster, &file, &["--from", "2020-01-01"]);
    assert_eq!(status, 1);
    assert_eq!(items(&all), ["extra :  = 11", "extra :  = 12"]);
}

fn camt(entries: &str, closing: &str, day: &str) -> String {
    let balance = |code: &str, amount: &str| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
        )
    };
    format!(
        "<?xml version=\"1.0\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\n\
         <Stmt><Id>2026-7</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>\n{}{}{entries}</Stmt>\n\
         </BkToCstmrStmt></Document>\n",
        balance("OPBD", "100.00"),
        balance("CLBD", closing),
    )
}

fn entry(amount: &str, side: &str, day: &str, references: &[&str]) -> String {
    let details: String = references
        .iter()
        .map(|id| format!("<TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs></TxDtls>"))
        .collect();
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls>{details}</NtryDtls></Ntry>\n"
    )
}

#[test]
fn a_banks_own_format_compressed_or_not() {
    let cluster = bank();
    let first = rows(&cluster)[0][2].clone();
    let day = &first[..10];
    let entries = [
        entry("12.50", "CRDT", day, &["11"]),
        // A batch of four deposits, and what came of a hold.
        entry("10.65", "CRDT", day, &["12", "13", "14", "15"]),
        entry("4.00", "CRDT", day, &["NOTPROVIDED"]),
        entry("3.00", "DBIT", day, &["20"]),
    ]
    .concat();
    let good = camt(&entries, "124.15", day);
    // The day may have ended since; both are told.
    let window = ["--window", "48h", "--items", "all"];
    let file = write(&cluster, "statement.xml", &good);
    let (whole, status) = report(&cluster, &file, &window);
    assert_eq!(status, 0, "{whole:#}");
    assert_eq!(
        items(&whole),
        [
            "matched id: 6 = 11",
            "matched group_by_id: 7 = 12 13 14 15",
            "matched amount_and_time: 8 = 32",
            "matched id: 9 = 20",
        ]
    );
    assert_eq!(whole["period"]["source"], "statement");
    assert_eq!(whole["format"], "camt");
    assert_eq!(whole["summary"]["checks"][0]["passed"], true);

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(good.as_bytes()).unwrap();
    for (name, bytes) in [
        ("statement.gz", gzip.finish().unwrap()),
        (
            "statement.zst",
            zstd::encode_all(good.as_bytes(), 1).unwrap(),
        ),
    ] {
        let file = cluster.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let (compressed, status) = report(&cluster, &file, &window);
        assert_eq!((status, &compressed["summary"]), (0, &whole["summary"]));
    }

    // Everything is matched, and yet the file is not whole.
    let file = write(&cluster, "cut.xml", &camt(&entries, "125.15", day));
    let output = reconcile(&cluster, &file, &window);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("closing balance is 125.15"), "{errors}");
    // One of the batch went elsewhere.
    let less = entries.replace(
        "<TxDtls><Refs><EndToEndId>13</EndToEndId></Refs></TxDtls>",
        "",
    );
    let file = write(&cluster, "less.xml", &camt(&less, "124.15", day));
    let (less, status) = report(&cluster, &file, &window);
    assert_eq!(status, 1);
    assert_eq!(
        items(&less)[..2],
        ["different id: 7 = 12 14 15", "extra :  = 13"]
    );
}

#[test]
fn what_cannot_be_compared_is_said_with_what_to_do() {
    let cluster = bank();
    let now = rows(&cluster)[0][2].clone();
    let good = write(&cluster, "good.csv", &csv_of(&rows(&cluster)));
    let wrong = |file: &Path, more: &[&str], status: i32, words: &[&str]| {
        let output = reconcile(&cluster, file, more);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(output.stdout.is_empty(), "nothing is answered");
        for words in words {
            assert!(errors.contains(words), "{words}: {errors}");
        }
    };
    let of = |name: &str, text: &str| write(&cluster, name, text);
    wrong(
        &cluster.path().join("no.csv"),
        &[],
        2,
        &["NOT_FOUND", "no.csv is not there"],
    );
    let text = format!(
        "{HEADER}11,12.50,EUR,{now},\n12,7.00,EUR,{now},\"open\n13,1.00,EUR,{now},\"shut\"\n"
    );
    wrong(
        &of("quote.csv", &text),
        &[],
        5,
        &["BAD_INPUT", "line 3, entry 2: a quote"],
    );
    wrong(
        &of("columns.csv", "reference;sum\n1;2\n"),
        &[],
        5,
        &["no such column", "--reference-column", "--delimiter"],
    );
    let text = format!("{HEADER}11,12.505,EUR,{now},\n");
    wrong(
        &of("scale.csv", &text),
        &[],
        5,
        &["line 2", "not an amount at scale 2", "ledger list"],
    );
    let text = format!("{HEADER}11,12.50,USD,{now},\n");
    let dollars = of("dollars.csv", &text);
    wrong(
        &dollars,
        &[],
        5,
        &["every entry is in USD, and none in EUR", "--currency"],
    );
    wrong(
        &dollars,
        &["--skip-other-currencies"],
        5,
        &["other currencies"],
    );
    wrong(
        &of("empty.csv", HEADER),
        &[],
        5,
        &["no entries", "--from and --to"],
    );
    wrong(
        &of("times.csv", "id,amount\n11,12.50\n"),
        &[
            "--time-column",
            "",
            "--currency-column",
            "",
            "--description-column",
            "",
        ],
        5,
        &["have no times", "--from"],
    );
    wrong(
        &of("not.xml", "<html><body>Sorry</body></html>"),
        &[],
        5,
        &["no camt.053"],
    );
    wrong(
        &good,
        &["--from", "2100-01-01"],
        2,
        &["USAGE", "end before that"],
    );
    wrong(
        &good,
        &["--entries-max", "5"],
        5,
        &["more than 5", "--entries-max"],
    );
    wrong(
        &good,
        &["--delimiter", "\u{2019}"],
        2,
        &["no ASCII character"],
    );
    let one = of("one.csv", &format!("{HEADER}11,12.50,EUR,{now},\n"));
    wrong(
        &one,
        &["--entries-max", "5"],
        2,
        &["more than 5 settled transfers", "shorter time"],
    );
    let unknown = [
        "reconcile",
        "--account",
        "77",
        "--statement",
        good.to_str().unwrap(),
    ];
    let output = cluster.run(unknown);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("[NOT_FOUND]") && errors.contains("account list"),
        "{errors}"
    );

    // Of another account, nothing fits, and that is an answer.
    let output = reconcile(&cluster, &good, &["--account", "101"]);
    assert_eq!(output.status.code(), Some(2), "an account is given once");
    // A time in which nothing happened here.
    let text = format!("{HEADER}11,12.50,EUR,2020-01-01,\n");
    let (_, status) = report(&cluster, &of("early.csv", &text), &[]);
    assert_eq!(status, 1);
    let output = reconcile(&cluster, &of("early.csv", &text), &[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("no settled transfers around 2020-01-01"),
        "{errors}"
    );
}

/// Several pages, at one moment, while more transfers come in.
#[test]
fn what_is_read_is_one_cut() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async {
        let client = farthing_client::Client::connect(&endpoints).await.unwrap();
        super::queries::shop(&client).await;
        client
    });
    let rows = cluster.json("account history 1 --limit 0".split(' '));
    let mut text = HEADER.to_owned();
    for row in rows.as_array().unwrap() {
        let at = time(row["timestamp"].as_u64().unwrap());
        let (id, amount) = (row["id"].as_str().unwrap(), row["amount"].as_str().unwrap());
        // The shop's own point of view: what it earned is credited.
        writeln!(text, "{id},{amount},USD,{at},").unwrap();
    }
    let file = write(&cluster, "shop.csv", &text);
    let more = async move {
        for number in 0_u128.. {
            let transfer = farthing_client::Transfer {
                id: farthing_client::TransferId(1_000_000 + number),
                debit_account_id: farthing_client::AccountId(2),
                credit_account_id: farthing_client::AccountId(1),
                amount: 1,
                ledger: 840,
                code: 1,
                ..farthing_client::Transfer::default()
            };
            client.create_transfers(vec![transfer]).await.unwrap();
        }
    };
    let writing = runtime.spawn(more);
    let mut counts = Vec::new();
    for _ in 0..3 {
        let (cut, status) = report(&cluster, &file, &["--sides", "same", "--to", "2100-01-01"]);
        // That the transfers come to the change of the balances is checked by the command, which would have failed.
        assert_eq!(status, 1);
        let settled = cut["cut"]["settled"].as_u64().unwrap();
        assert_eq!(cut["summary"]["ledger"]["count"], settled);
        assert_eq!(
            cut["summary"]["classes"][5]["items"], 3_000,
            "{}",
            cut["summary"]
        );
        counts.push(settled);
    }
    writing.abort();
    assert!(
        counts.is_sorted() && counts[0] > 3_000 && counts[2] > counts[0],
        "{counts:?}"
    );
    let (settled, status) = report(&cluster, &file, &["--sides", "same"]);
    assert_eq!(status, 0, "{}", settled["summary"]);
}
