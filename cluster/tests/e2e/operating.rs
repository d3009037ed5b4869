//! What `make up` and its neighbours do, twice each.

use std::path::Path;
use std::time::{Duration, Instant};

use super::payments::assert_books;
use super::support::{Cluster, leader, nodes};

fn sample() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/sample/payments.csv"))
}

#[test]
fn the_sample_is_imported_once_and_found_again() {
    let cluster = Cluster::start();
    let file = sample().to_str().unwrap();
    let report = cluster.json(["import", "--top", "5", file]);
    assert_eq!(report["created"], 20_000);
    assert_eq!(report["refused"], 0);
    assert_eq!(report["top"].as_array().unwrap().len(), 5);
    assert!(report["transfers_per_second"].as_u64() > Some(0));
    assert!(report["batch_latency_us"]["p50"].as_u64() > Some(0));
    assert_books(&cluster.endpoints(), sample());

    // The five largest, from the file alone.
    let text = std::fs::read_to_string(sample()).unwrap();
    let mut credits = std::collections::BTreeMap::<&str, u64>::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        *credits.entry(fields[3]).or_default() +=
            fields[4].replace('.', "").parse::<u64>().unwrap();
    }
    let mut largest: Vec<_> = credits.into_iter().collect();
    largest.sort_by_key(|(name, cents)| (std::cmp::Reverse(*cents), *name));
    for (listed, (name, cents)) in report["top"].as_array().unwrap().iter().zip(&largest) {
        assert_eq!(listed["name"], format!("terminal {name}"));
        assert_eq!(
            listed["credits_posted"],
            format!("{}.{:02}", cents / 100, cents % 100)
        );
    }

    // A second run changes nothing, and says so.
    let before = cluster.wait_until_level();
    let again = cluster.ok(["import", file]);
    assert!(again.contains("Nothing changed"), "{again}");
    let after = cluster.wait_until_level();
    for (before, after) in nodes(&before).zip(nodes(&after)) {
        assert_eq!(before["transfer_count"], after["transfer_count"]);
        assert_eq!(before["account_count"], after["account_count"]);
    }

    // So does one that cannot rely on the progress record, since the file grew at its front.
    let (header, rows) = text.split_once('\n').unwrap();
    let longer = cluster.path().join("longer.csv");
    std::fs::write(
        &longer,
        format!("{header}\n999999,2024-03-01T00:00:00Z,1,1,1.00,0,0\n{rows}"),
    )
    .unwrap();
    let report = cluster.json(["import", longer.to_str().unwrap()]);
    assert_eq!(
        (&report["created"], &report["existed"]),
        (&1.into(), &20_000.into())
    );

    let report = cluster.json(["verify"]);
    assert_eq!(report["ok"], true);
    assert_eq!(report["nodes"].as_array().unwrap().len(), 3);
    let sums = &report["ledgers"][0];
    assert_eq!(sums["debits_posted"], sums["credits_posted"]);

    // Down and up again finds the data.
    cluster.ok(["cluster", "down"]);
    let status = cluster.status();
    assert!(
        nodes(&status).all(|node| node["process"] == "stopped"),
        "{status:#}"
    );
    cluster.ok(["cluster", "up"]);
    assert_books(&cluster.endpoints(), &longer);
    cluster.ok(["verify"]);
}

#[test]
fn commands_may_be_run_twice() {
    let cluster = Cluster::start();
    let again = cluster.ok(["cluster", "up"]);
    assert_eq!(again.matches("running already").count(), 3, "{again}");

    let follower = cluster.json(["cluster", "kill", "follower"])["nodes"][0]["id"].to_string();
    let again = cluster.ok(["cluster", "kill", follower.as_str()]);
    assert!(again.contains("not running"), "{again}");
    cluster.ok(["cluster", "up"]);

    cluster.ok(["cluster", "pause", follower.as_str()]);
    let status = cluster.status();
    assert!(
        nodes(&status).any(|node| node["process"] == "paused" && node["reachable"] == false),
        "{status:#}"
    );
    let again = cluster.ok(["cluster", "pause", follower.as_str()]);
    assert!(again.contains("nothing to do"), "{again}");
    cluster.ok(["cluster", "resume", follower.as_str()]);
    cluster.wait_until_level();

    let to: u64 = if cluster.wait_for_leader() == 3 { 1 } else { 3 };
    let moved = cluster.json(["cluster", "transfer-leader", &to.to_string()]);
    assert_eq!(moved["leader"], to);
    cluster.wait_for("the new leader", |status| leader(status) == Some(to));
    // Each counts from its own start, and one of them was restarted above.
    cluster.wait_for("the elections since each node's start", |status| {
        let counts = || nodes(status).filter_map(|node| node["election_count"].as_u64());
        counts().all(|count| count >= 1) && counts().max() >= Some(2)
    });

    cluster.ok(["cluster", "down"]);
    let again = cluster.ok(["cluster", "down"]);
    assert_eq!(again.matches("not running").count(), 3, "{again}");
}

#[test]
fn another_file_needs_a_namespace_of_its_own() {
    let cluster = Cluster::start();
    let file = |name: &str, amount: &str| {
        let path = cluster.path().join(name);
        let header = "payment_id,time,customer_id,terminal_id,amount,fraud,fraud_scenario";
        let row = format!("7,2024-03-01T00:00:00Z,1,1,{amount},0,0");
        std::fs::write(&path, format!("{header}\n{row}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    cluster.ok(["import", &file("one.csv", "1.00")]);
    let other = file("other.csv", "2.00");
    let refused = cluster.run(["import", &other]);
    assert!(!refused.status.success());
    let advice = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(advice.contains("--namespace"), "{advice}");
    let report = cluster.json(["import", "--namespace", "other", &other]);
    assert_eq!(report["created"], 1);
}

#[test]
fn a_directory_of_another_size_is_refused() {
    let cluster = Cluster::start();
    let output = cluster.run(["cluster", "up", "--nodes", "5"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[USAGE]"));
}

#[test]
fn a_short_measurement_balances() {
    let cluster = Cluster::start();
    let shape = ["bench", "--account-count", "100", "--transfer-count"];
    for further in [
        &[
            "20000",
            "--transfer-batch-size",
            "1000",
            "--clients",
            "2",
            "--warmup",
            "2000",
        ][..],
        &["2000", "--callers", "50", "--id-order", "random"],
        &[
            "5000",
            "--account-count-hot",
            "2",
            "--transfer-pending",
            "--id-order",
            "reversed",
        ],
        &[
            "1000",
            "--callers",
            "10",
            "--rate",
            "1000",
            "--id-order",
            "sequential",
        ],
    ] {
        let report = cluster.json(shape.iter().chain(further));
        assert_eq!(report["balances_ok"], true, "{report:#}");
        assert!(report["transfers_per_second"].as_u64() > Some(0));
        assert!(report["latency_us"]["p99"].as_u64() >= report["latency_us"]["p50"].as_u64());
        assert_eq!(report["settings"]["account_count"], 100);
        let nodes = report["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 3, "what the run cost each node: {report:#}");
        for node in nodes {
            let bytes = |field: &str| node[field].as_u64().unwrap();
            assert!(bytes("rss_bytes") > 1 << 20);
            assert!(bytes("log_bytes") > 0 && bytes("log_bytes") < bytes("disk_bytes"));
        }
    }
    // A hundred calls a second, and room for 64 under way: one that was answered only when there were 64 would be late by
    // more than half a second.
    let paced = ["2000", "--transfer-batch-size", "10", "--rate", "1000"];
    let report = cluster.json(shape.iter().chain(&paced));
    assert_eq!(report["settings"]["in_flight"], 64);
    let p50 = report["latency_us"]["p50"].as_u64();
    assert!(p50 < Some(500_000), "{report:#}");
    let began = Instant::now();
    let timed = cluster.json(["bench", "--account-count", "100", "--duration", "1s"]);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(timed["elapsed_us"].as_u64() >= Some(1_000_000), "{timed:#}");
    assert_eq!(timed["balances_ok"], true);
    cluster.ok(["verify"]);
}
