//! Everything arrives, whoever is killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use farthing_client::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::file;
use super::payments::named_or_made;
use super::running::Running;
use super::servers::{Program, free_port, read};
use super::support::{Cluster, finished};
use super::webhook::{Receiver, id};

/// Payments of the file, unless `FARTHING_PAYMENTS` names another.
const PAYMENTS: u64 = 200_000;
const KILLS: u64 = 3;

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
    let to_kafka = ["kafka", "--brokers", &brokers, "--create"];
    let mut sinks = vec![
        Running::start(&cluster, &to_files),
        Running::start(&cluster, &receiver.args()),
        Running::start(&cluster, &to_kafka),
        Running::start(&cluster, &to_nats),
    ];

    let (file, rows) = named_or_made(cluster.path(), PAYMENTS);
    let rows = rows as u64;
    let mut import = cluster.begin_import(&file);
    std::thread::scope(|scope| {
        for sink in &mut sinks {
            // Each dies somewhere between two events of its own.
            scope.spawn(move || {
                for part in 1..=KILLS {
                    sink.wait_for(part * rows / 5);
                    sink.kill_and_start();
                }
            });
        }
        for part in 1..=KILLS {
            cluster.wait_for_transfers(part * rows / 5);
            let deposed = cluster.wait_for_leader().to_string();
            assert!(import.try_wait().unwrap().is_none(), "the import is done");
            cluster.ok(["cluster", "kill", deposed.as_str()]);
            cluster.ok(["cluster", "restart", deposed.as_str()]);
        }
    });
    let report = finished(import);
    assert_eq!(report["refused"], 0, "{report:#}");

    let expected = exported(&cluster);
    let last = expected.len() as u64;
    assert!(last > rows, "{last}");
    for sink in &mut sinks {
        sink.wait_for(last);
    }
    let of_nats = sinks.pop().unwrap();
    two_sinks(&cluster, of_nats, &to_nats, 20_000_000);
    let of_kafka = sinks.pop().unwrap();
    two_sinks(&cluster, of_kafka, &to_kafka, 30_000_000);
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

/// Two sinks into one place: as soon as both have something to say, one of them ends.
fn two_sinks(cluster: &Cluster, mut first: Running<'_>, args: &[&str], accounts: u64) {
    let mut second = Running::start_as(cluster, &format!("second-{}", args[0]), args);
    let begun = Instant::now();
    for account in accounts.. {
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
    // One node says which event is the newest.
    cluster.wait_until_level();
    let newest = async {
        let client = Client::connect(&cluster.endpoints()).await.unwrap();
        client.newest_sequence().await.unwrap()
    };
    let newest = Runtime::new().unwrap().block_on(newest).to_string();
    let path = cluster.path().join("history.ndjson");
    let out = path.to_str().unwrap();
    cluster.ok(["events", "export", "--until", &newest, "--out", out]);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // Without the header and the checkpoint.
    lines[1..lines.len() - 1].to_vec()
}
