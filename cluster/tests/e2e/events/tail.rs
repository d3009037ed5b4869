//! `farthing events` as a shell sees it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use farthing_client::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::super::support::Cluster;

#[test]
fn tail_shows_what_happens() {
    let cluster = Cluster::start();
    let words = |line: &str| -> Vec<String> { line.split(' ').map(ToOwned::to_owned).collect() };
    cluster.ok(words("ledger create 840 --currency USD --scale 2"));
    for id in ["1", "2"] {
        cluster.ok(words(&format!(
            "account create --id {id} --ledger 840 --code 10"
        )));
    }
    let pay = |id: u64, amount: &str| {
        cluster.ok(words(&format!(
            "transfer create --id {id} --debit 1 --credit 2 --amount {amount} --ledger 840 --code 1"
        )));
    };
    pay(11, "12.50");
    let newest = async || {
        let client = Client::connect(&cluster.endpoints()).await.unwrap();
        client.newest_sequence().await.unwrap()
    };
    let last = Runtime::new().unwrap().block_on(newest());
    let lines = cluster.ok(words(&format!("-o json events tail --until {last}")));
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let sequences = lines.iter().map(|line| line["sequence"].as_u64().unwrap());
    assert!(sequences.eq(1..=last));
    // What the cluster writes for itself is part of it too.
    let lines: Vec<Value> = lines
        .into_iter()
        .filter(|line| line["record"].is_null())
        .collect();
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "ledger_registered",
            "account_created",
            "account_created",
            "transfer_created"
        ]
    );
    assert_eq!(lines[0]["ledger"]["currency"], "USD");
    assert_eq!(lines[3]["transfer"]["amount"], "12.50");
    assert!(lines[3]["debit_account"].is_null());

    let text = cluster.ok(words(&format!(
        "events tail --until {last} --account 2 --kind transfer_created --balances"
    )));
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in [
        "transfer_created",
        "12.50",
        "ledger 840 code 1",
        "credit account: posted 0.00 - 12.50",
    ] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    let refused = cluster.run(words("-o csv events tail"));
    assert_eq!(refused.status.code(), Some(2));

    // Live, from now on, while the leader dies; Ctrl-C ends it well.
    let mut tail =
        cluster.command_of(&["-o", "json", "events", "tail", "--from-now", "--balances"]);
    let mut tail = tail.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    // Nothing says that it listens, so payments are made until one is shown.
    let shown = std::thread::spawn(move || {
        // Nodes write their keys meanwhile, which are events like any other.
        let (mut shown, mut paid) = (vec![], 0);
        while paid < 3 {
            let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            paid += u32::from(line["transfer"].is_object());
            shown.push(line);
        }
        shown
    });
    let mut id = 100;
    while !shown.is_finished() {
        pay(id, "0.05");
        id += 1;
        if id == 102 {
            cluster.ok(["cluster", "kill", "leader"]);
            cluster.wait_for_leader();
        }
        assert!(id < 200);
    }
    let shown = shown.join().unwrap();
    let sequence = |line: &Value| line["sequence"].as_u64().unwrap();
    assert!(sequence(&shown[0]) > last, "{}", shown[0]);
    for pair in shown.windows(2) {
        assert_eq!(sequence(&pair[1]), sequence(&pair[0]) + 1);
    }
    let paid = shown.last().unwrap();
    assert_eq!(paid["transfer"]["amount"], "0.05");
    assert!(paid["credit_account"]["credits_posted"].is_string());
    let pid = rustix::process::Pid::from_child(&tail);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert!(tail.wait().unwrap().success());

    let checkpoint = cluster.json(words("events checkpoint"));
    assert!(
        checkpoint["note"].as_str().unwrap().contains('\u{2014}'),
        "signed"
    );
    let proof = cluster.json(words(&format!("events prove 2 --size {last}")));
    assert_eq!(
        (&proof["event"]["sequence"], &proof["size"]),
        (&2.into(), &last.into())
    );
    assert!(proof["path"].as_array().unwrap().len() > 1);
}
