//! Everything arrives, whoever is killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farthing_client::{Account, AccountId, Client, Ledger, Transfer, TransferId};
use serde_json::Value;

use super::file;
use super::running::Running;
use super::servers::{Program, free_port, read};
use super::support::Cluster;
use super::webhook::{Receiver, id};

const PAYMENTS: u64 = 40_000;
const KILLS: u64 = 3;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn every_event_arrives_while_leaders_and_sinks_are_killed() {
    let cluster = Cluster::start();
    let files = cluster.path().join("files");
    let to_files = [
        "file",
        "--to",
        files.to_str().unwrap(),
        "--file-events",
        "15000",
    ];
    let receiver = Receiver::start(cluster.path());
    let nats = format!("nats://127.0.0.1:{}", free_port());
    let port = nats.rsplit(':').next().unwrap().parse().unwrap();
    let _nats = Program::nats(port, &cluster.path().join("nats"));
    let to_nats = ["nats", "--server", &nats, "--create"];
    let port = free_port();
    let (_kafka, brokers) = (Program::tansu(port), format!("127.0.0.1:{port}"));
    let mut sinks = vec![
        Running::start(&cluster, &to_files),
        Running::start(&cluster, &receiver.args()),
        Running::start(&cluster, &["kafka", "--brokers", &brokers, "--create"]),
        Running::start(&cluster, &to_nats),
    ];

    // The writer is always some way ahead, and never done before the last kill.
    let allowed = Arc::new(AtomicU64::new(2 * PAYMENTS / 5));
    let writer = write(cluster.endpoints(), Arc::clone(&allowed));
    for part in 1..=KILLS {
        cluster.wait_for_transfers(part * PAYMENTS / 5);
        let deposed = cluster.wait_for_leader().to_string();
        cluster.ok(["cluster", "kill", deposed.as_str()]);
        assert!(!writer.is_finished());
        for sink in &mut sinks {
            // Each dies somewhere between two events of its own.
            sink.wait_for(part * PAYMENTS / 10);
            sink.kill_and_start();
        }
        cluster.ok(["cluster", "restart", deposed.as_str()]);
        allowed.fetch_add(PAYMENTS / 5, Ordering::SeqCst);
    }
    writer.join().unwrap();

    let expected = exported(&cluster);
    let last = expected.len() as u64;
    assert!(last > PAYMENTS, "{last}");
    for sink in &mut sinks {
        sink.wait_for(last);
    }
    let of_nats = sinks.pop().unwrap();
    two_sinks(&cluster, of_nats, &to_nats);
    for sink in sinks {
        sink.stop();
    }
    let messages = read("read_nats.py", &[&nats, "FARTHING"]);
    assert_eq!(assert_once(&messages, "ce-", &expected), 0, "each once");
    let messages = read("read_kafka.py", &[&brokers, "farthing"]);
    let repeated = assert_once(&messages, "ce_", &expected);
    println!("{repeated} messages are in the partition more than once");
    let found = file::data(&files);
    assert!(
        found[..expected.len()] == expected,
        "files are not the ledger"
    );

    // Whoever drops ids that were seen has each once, and in order.
    let taken = receiver.taken();
    let mut seen = BTreeMap::new();
    for event in &taken {
        let is_new = seen.insert(id(event), &event["data"]).is_none();
        assert!(!is_new || seen.len() as u64 == id(event), "a gap: {event}");
    }
    for (event, line) in seen.values().zip(&expected) {
        let wanted: Value = serde_json::from_str(line).unwrap();
        assert_eq!(**event, wanted);
    }
    assert!(seen.len() >= expected.len());
    assert!(
        taken.len() > seen.len(),
        "nothing came twice, though answers were lost"
    );
}

/// Makes payments, 100 at a time, as many as are allowed at that time, until all are made.
fn write(endpoints: Vec<String>, allowed: Arc<AtomicU64>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let pay = async {
            let client = Client::builder().deadline(PATIENCE).endpoints(&endpoints);
            let client = client.connect().await.unwrap();
            let ledger = Ledger::new(840, "USD", 2);
            client.create_ledgers(&[ledger]).await.unwrap();
            let accounts = (1..=10).map(|number| Account {
                id: AccountId(number),
                ledger: 840,
                code: 1,
                ..Account::default()
            });
            client.create_accounts(accounts.collect()).await.unwrap();
            for first in (1..=PAYMENTS).step_by(100) {
                while allowed.load(Ordering::SeqCst) < first {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let payments = (first..first + 100).map(|number| Transfer {
                    id: TransferId(u128::from(number)),
                    debit_account_id: AccountId(1 + u128::from(number % 5)),
                    credit_account_id: AccountId(6 + u128::from(number % 4)),
                    amount: u128::from(number),
                    ledger: 840,
                    code: 1,
                    ..Transfer::default()
                });
                let outcomes = client.create_transfers(payments.collect()).await;
                for outcome in outcomes.unwrap() {
                    assert!(outcome.is_success_or_exists(), "{outcome:?}");
                }
            }
        };
        tokio::runtime::Runtime::new().unwrap().block_on(pay);
    })
}

/// Two sinks into one stream: as soon as both have something to say, one of them ends.
fn two_sinks(cluster: &Cluster, mut first: Running<'_>, args: &[&str]) {
    let mut second = Running::start_as(cluster, "second", args);
    let begun = Instant::now();
    for account in 100.. {
        let id = format!("{account}");
        cluster.ok([
            "account", "create", "--id", &id, "--ledger", "840", "--code", "1",
        ]);
        let (one, other) = (first.ended(), second.ended());
        if let Some(status) = one.or(other) {
            let (fenced, on) = if one.is_some() {
                (first, second)
            } else {
                (second, first)
            };
            assert_eq!(status.code(), Some(6), "{}", fenced.words());
            assert!(fenced.words().contains("FENCED"), "{}", fenced.words());
            return on.stop();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "both go on");
    }
}

/// Messages as somebody else has read them: without those whose sequences were seen, the events of the ledger, and more that
/// came later. How many were dropped.
fn assert_once(text: &str, prefix: &str, expected: &[String]) -> usize {
    let (mut seen, mut dropped) = (0, 0);
    for line in text.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let id = &message["headers"][format!("{prefix}id")];
        let id: usize = id.as_str().unwrap().parse().unwrap();
        if id <= seen {
            dropped += 1;
            continue;
        }
        assert_eq!(id, seen + 1, "a gap");
        seen = id;
        if let Some(event) = expected.get(id - 1) {
            assert_eq!(message["data"], event.as_str());
        }
    }
    assert!(seen >= expected.len(), "{seen} of {}", expected.len());
    dropped
}

/// The events of the ledger as lines: what `farthing events export` writes and `farthing-verify` would check.
fn exported(cluster: &Cluster) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let path = cluster.path().join("history.ndjson");
        cluster.ok(["events", "export", "--out", path.to_str().unwrap()]);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // Without the header and the checkpoint. Checkpoints are signed a moment after the events.
        if lines.len() as u64 > PAYMENTS + 2 {
            return lines[1..lines.len() - 1].to_vec();
        }
        assert!(begun.elapsed() < PATIENCE, "{} events", lines.len());
        std::fs::remove_file(path).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
}
