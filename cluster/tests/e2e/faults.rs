//! Crashes in the middle of an import.
//!
//! Each test waits until a part of the file is in, does its harm, and expects the import to finish by itself. That a
//! payment is in once follows from the count of transfers on every node; that it is right, from the balances.

use std::time::Duration;

use serde_json::Value;

use super::payments::{assert_books, write_file};
use super::support::{Cluster, finished, leader, nodes};

/// Enough that an import takes some seconds and is surely under way when it is disturbed.
const PAYMENTS: u64 = 300_000;
const DISTURBED_AT: u64 = 60_000;

/// What must hold at the end, whatever happened.
fn assert_all_is_well(cluster: &Cluster, file: &std::path::Path, report: &Value, payments: u64) {
    assert_eq!(report["rows"], payments);
    assert_eq!(report["refused"], 0, "{report:#}");
    let answered = report["created"].as_u64().unwrap() + report["existed"].as_u64().unwrap();
    assert_eq!(answered, payments, "{report:#}");
    let status = cluster.wait_until_level();
    for node in nodes(&status) {
        assert_eq!(node["transfer_count"], payments, "{status:#}");
    }
    assert_books(&cluster.endpoints(), file);
    cluster.ok(["verify"]);
}

/// The import must not have been over before the harm was done, or the test would show nothing.
fn assert_still_importing(import: &mut std::process::Child) {
    assert!(
        import.try_wait().unwrap().is_none(),
        "the import was over too soon: more payments are needed"
    );
}

#[test]
fn the_leader_is_killed() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let mut import = cluster.begin_import(&file);
    cluster.wait_for_transfers(DISTURBED_AT);
    cluster.ok(["cluster", "kill", "leader"]);
    assert_still_importing(&mut import);
    let report = finished(import);
    cluster.ok(["cluster", "up"]);
    assert_all_is_well(&cluster, &file, &report, PAYMENTS);
}

#[test]
fn the_leader_is_killed_again_and_again() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let import = cluster.begin_import(&file);
    for part in 1..=3 {
        cluster.wait_for_transfers(part * PAYMENTS / 5);
        let deposed = cluster.wait_for_leader().to_string();
        cluster.ok(["cluster", "kill", deposed.as_str()]);
        cluster.ok(["cluster", "restart", deposed.as_str()]);
    }
    let report = finished(import);
    assert_all_is_well(&cluster, &file, &report, PAYMENTS);
}

#[test]
fn a_follower_is_killed_and_comes_back() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let mut import = cluster.begin_import(&file);
    cluster.wait_for_transfers(DISTURBED_AT);
    cluster.ok(["cluster", "kill", "follower"]);
    assert_still_importing(&mut import);
    cluster.wait_for_transfers(2 * DISTURBED_AT);
    cluster.ok(["cluster", "up"]);
    let report = finished(import);
    assert_all_is_well(&cluster, &file, &report, PAYMENTS);
}

#[test]
fn all_three_are_killed_and_come_back() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let mut import = cluster.begin_import(&file);
    cluster.wait_for_transfers(DISTURBED_AT);
    cluster.ok(["cluster", "kill", "all"]);
    assert_still_importing(&mut import);
    // Long enough for the SDK to notice that nobody is there.
    std::thread::sleep(Duration::from_secs(2));
    cluster.ok(["cluster", "up"]);
    let report = finished(import);
    assert_all_is_well(&cluster, &file, &report, PAYMENTS);
}

#[test]
fn the_leader_is_paused_and_wakes_up_deposed() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let mut import = cluster.begin_import(&file);
    cluster.wait_for_transfers(DISTURBED_AT);
    let paused = cluster.wait_for_leader();
    let paused_text = paused.to_string();
    cluster.ok(["cluster", "pause", paused_text.as_str()]);
    assert_still_importing(&mut import);
    cluster.wait_for("another leader", |status| {
        leader(status).is_some_and(|leader| leader != paused)
    });
    cluster.ok(["cluster", "resume", paused_text.as_str()]);
    let report = finished(import);
    assert_all_is_well(&cluster, &file, &report, PAYMENTS);
}

#[test]
fn a_follower_was_away_so_long_that_it_needs_a_snapshot() {
    let cluster = Cluster::start_with(&[
        ("FARTHING_NODE_LOG_KEEP_BYTES", "1048576"),
        ("FARTHING_NODE_LOG_SEGMENT_BYTES", "8388608"),
        ("FARTHING_NODE_RUN_TRANSFERS", "50000"),
    ]);
    let file = write_file(cluster.path(), PAYMENTS);
    let status = cluster.status();
    let away: u64 = if leader(&status) == Some(1) { 2 } else { 1 };
    let away_text = away.to_string();
    cluster.ok(["cluster", "kill", away_text.as_str()]);
    let report = finished(cluster.begin_import(&file));
    // The leader has dropped what the follower lacks.
    let behind = status["nodes"][away as usize - 1]["last_log_index"]
        .as_u64()
        .unwrap();
    cluster.wait_for("the leader's log to be purged", |status| {
        nodes(status).any(|node| {
            node["role"] == "leader" && node["purged_index"].as_u64() > Some(behind + 1)
        })
    });
    cluster.ok(["cluster", "restart", away_text.as_str()]);
    assert_all_is_well(&cluster, &file, &report, PAYMENTS);
    let status = cluster.status();
    let node = &status["nodes"][away as usize - 1];
    assert!(
        node["snapshot_index"].as_u64() > Some(behind),
        "it was filled by the log: {node:#}"
    );
}
