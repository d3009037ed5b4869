//! Ledgers, accounts and transfers by hand.

use super::support::Cluster;

#[test]
fn money_moves_by_typed_amounts() {
    let cluster = Cluster::start();
    cluster.ok([
        "ledger",
        "create",
        "840",
        "--currency",
        "USD",
        "--scale",
        "2",
    ]);
    let again = cluster.ok([
        "ledger",
        "create",
        "840",
        "--currency",
        "USD",
        "--scale",
        "2",
    ]);
    assert!(again.contains("exists already"), "{again}");
    let ledgers = cluster.json(["ledger", "list"]);
    assert_eq!(
        (&ledgers[0]["number"], &ledgers[0]["currency"]),
        (&840.into(), &"USD".into())
    );

    for id in ["1", "2"] {
        cluster.ok([
            "account", "create", "--id", id, "--ledger", "840", "--code", "10",
        ]);
    }
    let transfer = |further: &[&str]| {
        let shape = [
            "transfer", "create", "--debit", "1", "--credit", "2", "--ledger", "840", "--code", "1",
        ];
        cluster.run(shape.iter().chain(further))
    };
    let output = transfer(&["--amount", "12.50"]);
    assert!(output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("transfer id: "),
        "the id is told before it is sent"
    );

    // The same id again: as it stands, and otherwise.
    assert!(
        transfer(&["--amount", "0.05", "--id", "7"])
            .status
            .success()
    );
    assert!(
        transfer(&["--amount", "0.05", "--id", "7"])
            .status
            .success()
    );
    let output = transfer(&["--amount", "0.06", "--id", "7"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("[ITEM_REFUSED]") && errors.contains("exists_with_different_amount"),
        "{errors}"
    );

    // More decimals than the ledger has are refused, not rounded.
    let output = transfer(&["--amount", "0.005"]);
    assert_eq!(output.status.code(), Some(2));

    // Two phases.
    assert!(
        transfer(&[
            "--amount",
            "3",
            "--id",
            "100",
            "--pending",
            "--timeout",
            "1h"
        ])
        .status
        .success()
    );
    let account = cluster.json(["account", "get", "1"]);
    assert_eq!(
        (&account[0]["debits_posted"], &account[0]["debits_pending"]),
        (&"12.55".into(), &"3.00".into())
    );
    cluster.ok(["transfer", "create", "--post", "100", "--amount", "2.00"]);
    assert!(
        transfer(&["--amount", "1", "--id", "101", "--pending"])
            .status
            .success()
    );
    cluster.ok(["transfer", "create", "--void", "101"]);
    let account = cluster.json(["account", "get", "2"]);
    assert_eq!(
        (
            &account[0]["credits_posted"],
            &account[0]["credits_pending"]
        ),
        (&"14.55".into(), &"0.00".into())
    );

    let output = cluster.run(["transfer", "get", "7", "12345"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("0.05"),
        "what is there is shown"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("[NOT_FOUND]"));
}

#[test]
fn bad_rows_stop_an_import_or_are_left_out() {
    let cluster = Cluster::start();
    let file = cluster.path().join("bad.csv");
    let text = "payment_id,time,customer_id,terminal_id,amount\n\
                1,2024-01-01T00:00:00Z,1,1,1.00\n\
                2,2024-01-01T00:00:00Z,1,1,one\n\
                3,2024-01-01T00:00:00Z,1,1,3.00\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let output = cluster.run(["import", path]);
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 3"));
    let report = cluster.json(["import", "--skip-bad", path]);
    assert_eq!(report["bad_rows"][0]["line"], 3);
    assert_eq!(
        report["created"].as_u64().unwrap() + report["rows_passed_over"].as_u64().unwrap().min(1),
        2
    );
}

#[test]
fn what_happened_is_listed() {
    let cluster = Cluster::start();
    let create = "ledger create 840 --currency USD --scale 2";
    cluster.ok(create.split(' '));
    for id in ["1", "2", "3"] {
        let create = format!("account create --id {id} --ledger 840 --code 10 --user-data-64 {id}");
        cluster.ok(create.split(' '));
    }
    for (id, credit, amount, code) in [
        ("11", "2", "1.25", "1"),
        ("12", "3", "2", "2"),
        ("13", "2", "4", "1"),
    ] {
        let create = format!(
            "transfer create --id {id} --debit 1 --credit {credit} --amount {amount} --ledger 840 --code {code}"
        );
        cluster.ok(create.split(' '));
    }
    let json = |line: &str| cluster.json(line.split(' '));
    let column = |rows: &serde_json::Value, name: &str| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row[name].as_str().unwrap().to_owned())
            .collect()
    };
    let history = json("account history 1");
    assert_eq!(column(&history, "amount"), ["1.25", "2.00", "4.00"]);
    let newest = json("account history 1 --reversed --limit 2 --side debit");
    assert_eq!(column(&newest, "amount"), ["4.00", "2.00"]);
    assert_eq!(
        column(&json("transfer list --account 2 --code 1"), "amount"),
        ["1.25", "4.00"]
    );
    let from = history[1]["timestamp"].as_u64().unwrap();
    assert_eq!(
        column(&json(&format!("transfer list --from {from}")), "amount"),
        ["2.00", "4.00"]
    );
    assert_eq!(
        json("transfer list --to 1970-01-02")
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let accounts = json("account list --user-data-64 2");
    assert_eq!(column(&accounts, "credits_posted"), ["5.25"]);
    assert_eq!(
        json("account list --ledger 840").as_array().unwrap().len(),
        3
    );

    let statement = json("account balances 1");
    assert_eq!(
        column(&statement, "debits_posted"),
        ["1.25", "3.25", "7.25"]
    );
    let then = json(&format!("account balances 1 --at {from}"));
    assert_eq!(column(&then, "debits_posted"), ["3.25"]);
    let sums = json("account sums 1 --by-code");
    assert_eq!(column(&sums, "debits_posted"), ["5.25", "2.00"]);
    assert_eq!(sums[0]["debit_count"], 2);

    let wrong = |line: &str, words: &str| {
        let output = cluster.run(line.split(' '));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(words), "{text}");
    };
    wrong("account history 9", "[NOT_FOUND]");
    wrong("account balances 1 --at 1970-01-02", "created later");
    wrong("transfer list --from 2 --to 1", "--to is before --from");
    wrong("transfer list --from yesterday", "expected a time");
    wrong("account sums 1 --period 1500ms", "whole seconds");
}
