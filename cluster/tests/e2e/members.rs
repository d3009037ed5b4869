//! Members that come and go while payments are being imported.

use serde_json::Value;

use super::payments::{assert_books, write_file};
use super::support::{Cluster, finished, leader, nodes};

const PAYMENTS: u64 = 200_000;
const CHANGED_AT: u64 = 40_000;

fn ids(status: &Value) -> Vec<u64> {
    nodes(status)
        .filter_map(|node| node["id"].as_u64())
        .collect()
}

/// All nodes hold all payments, and agree to the last bit.
fn assert_all_is_well(cluster: &Cluster, file: &std::path::Path, members: &[u64]) {
    let status = cluster.wait_until_level();
    assert_eq!(ids(&status), members);
    for node in nodes(&status) {
        assert_eq!(node["transfer_count"], PAYMENTS, "{status:#}");
        assert_ne!(node["role"], "learner", "{status:#}");
    }
    assert_books(&cluster.endpoints(), file);
    let report = cluster.json(["verify"]);
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["nodes"].as_array().unwrap().len(), members.len());
}

#[test]
fn nodes_are_added_and_removed_under_load_and_no_id_comes_twice() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let import = cluster.begin_import(&file);
    cluster.wait_for_transfers(CHANGED_AT);
    let added = cluster.json(["cluster", "add"]);
    assert_eq!(added["nodes"][1]["did"], "votes", "{added:#}");
    cluster.ok(["cluster", "add"]);
    assert_eq!(ids(&cluster.status()), [1, 2, 3, 4, 5]);

    // The leader goes, and one that never led; both ids are gone for good, the highest one too.
    let gone = cluster.wait_for_leader();
    cluster.ok(["cluster", "remove", "leader"]);
    let report = finished(import);
    assert_eq!(report["refused"], 0, "{report:#}");
    cluster.wait_for("another leader", |status| {
        leader(status).is_some_and(|id| id != gone)
    });
    let last = if gone == 5 { 4 } else { 5 };
    cluster.ok(["cluster", "remove", last.to_string().as_str()]);
    let again = cluster.run(["cluster", "remove", last.to_string().as_str()]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("[NOT_FOUND]"));
    cluster.ok(["cluster", "add"]);
    let left: Vec<u64> = (1..=6).filter(|id| ![gone, last].contains(id)).collect();
    assert_all_is_well(&cluster, &file, &left);

    // They come back as they were after a restart of everything.
    cluster.ok(["cluster", "kill", "all"]);
    cluster.ok(["cluster", "up"]);
    assert_all_is_well(&cluster, &file, &left);
}

#[test]
fn a_lost_node_is_replaced_under_a_new_id() {
    let cluster = Cluster::start();
    let file = write_file(cluster.path(), PAYMENTS);
    let import = cluster.begin_import(&file);
    cluster.wait_for_transfers(CHANGED_AT);
    cluster.ok(["cluster", "kill", "follower"]);
    let status = cluster.status();
    let lost = nodes(&status)
        .find(|node| node["process"] == "stopped")
        .unwrap();
    let lost = lost["id"].as_u64().unwrap();
    std::fs::remove_dir_all(cluster.path().join(format!("cluster/node-{lost}/data"))).unwrap();
    cluster.ok(["cluster", "replace", lost.to_string().as_str()]);
    let report = finished(import);
    assert_eq!(report["refused"], 0, "{report:#}");
    let left: Vec<u64> = (1..=4).filter(|id| *id != lost).collect();
    assert_all_is_well(&cluster, &file, &left);
}

#[test]
fn what_would_leave_no_majority_is_refused() {
    let cluster = Cluster::start();
    cluster.ok(["cluster", "kill", "follower"]);
    // Of the two that would be left, one is down.
    let refused = cluster.run(["cluster", "remove", "follower", "--wait", "3s"]);
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        text.contains("no majority") && text.contains("cluster up"),
        "{text}"
    );
    assert_eq!(ids(&cluster.status()).len(), 3);
    cluster.ok(["cluster", "up"]);
    cluster.wait_until_level();

    // The highest of the founding ids was never given out, and still does not come twice.
    cluster.ok(["cluster", "remove", "3"]);
    cluster.ok(["cluster", "add"]);
    assert_eq!(ids(&cluster.status()), [1, 2, 4]);
}

#[test]
fn a_node_comes_back_after_all_the_others_were_replaced() {
    let cluster = Cluster::start();
    let leads = cluster.wait_for_leader();
    let away = if leads == 3 { 2 } else { 3 };
    cluster.ok(["cluster", "kill", away.to_string().as_str()]);
    for gone in (1..=3).filter(|id| *id != away) {
        cluster.ok(["cluster", "replace", gone.to_string().as_str()]);
    }
    // Nobody it knows is left: who the members are now, it hears from them.
    cluster.ok(["cluster", "restart", away.to_string().as_str()]);
    let status = cluster.wait_until_level();
    assert_eq!(ids(&status), [away, 4, 5], "{status:#}");
    for node in nodes(&status) {
        assert_ne!(node["role"], "learner", "{status:#}");
    }
}
