//! Bytes that change on the disk while a node runs and nobody reads them.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::bank::Bank;
use crate::support::{Cluster, Node, Refusal, eventually};

const OFTEN: [(&str, &str); 2] = [("--disk-scrub-period-s", "1"), ("--run-interval-ms", "200")];

/// Files below `dir` whose name ends so, the largest last.
fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort_by_key(|path| std::fs::metadata(path).map_or(0, |found| found.len()));
    found
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    byte[0] ^= 0x40;
    file.write_all_at(&byte, at).unwrap();
}

/// A pass that began after everything was written has ended.
async fn scrubbed(node: &Node) -> u64 {
    let client = node.client();
    let before = client.status().await.unwrap();
    eventually("a pass over what is at rest", || async {
        let status = client.status().await.ok()?;
        let is_new = status.scrub_finished_unix_s > before.scrub_finished_unix_s + 1;
        let is_whole = status.state_durable_index >= before.applied_index;
        (is_new && is_whole).then_some(status.scrub_bytes)
    })
    .await
}

async fn stops_serving(node: &Node, bank: &Bank, word: &str) {
    let client = node.client().stale();
    eventually("damage is found", || async {
        let alarms = client.status().await.ok()?.alarms;
        alarms
            .iter()
            .any(|alarm| alarm.contains("damaged") && alarm.contains(word))
            .then_some(())
    })
    .await;
    // A read that met the damage itself may be told of that first.
    eventually("reads are refused", || async {
        let status = client.lookup_accounts(&[bank.from]).await.err()?;
        (Refusal::of(&status).reason == "NODE_SUSPECT").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_in_the_state_is_found_and_its_node_makes_it_again() {
    let cluster = Cluster::start_with(3, &OFTEN);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 50).await;
    // The worst case: it leads.
    let leader = cluster.leader().await;
    assert!(scrubbed(leader).await > 0);
    let tables = files(&leader.dir.join("state"), ".sst");
    let largest = tables.last().expect("a table");
    flip(largest, 40);
    eventually("the state is put aside", || async {
        leader.dir.join("state.damaged.1").exists().then_some(())
    })
    .await;
    let next = cluster.leader_other_than(leader.id).await;
    bank.pay(&cluster, 5).await;
    bank.check(&next.client()).await;
    cluster.converge().await;
    bank.check(&leader.client()).await;
}

/// The leader refills it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_in_the_log_of_one_of_three_is_found_and_mended() {
    let cluster = Cluster::start_with(3, &OFTEN);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    let leader = cluster.leader().await;
    assert!(scrubbed(leader).await > 0);
    damage_entry(leader, &bank);
    eventually("the log is refilled", || async {
        leader
            .log_text()
            .contains("refilled: this node")
            .then_some(())
    })
    .await;
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
    bank.check(&leader.client()).await;
    assert!(!leader.dir.join("state.damaged.1").exists());
}

fn damage_entry(node: &Node, bank: &Bank) {
    let segment = node.dir.join("log/0000000000000001.log");
    let bytes = std::fs::read(&segment).unwrap();
    let id = bank.acknowledged[10].to_le_bytes();
    let at = bytes.windows(16).position(|found| found == id).unwrap();
    flip(&segment, at as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_in_the_log_of_a_lone_node_is_found_and_remembered() {
    let cluster = Cluster::start_with(1, &OFTEN);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    let node = cluster.node(1);
    assert!(scrubbed(node).await > 0);
    damage_entry(node, &bank);
    stops_serving(node, &bank, "log").await;
    let finding = node.dir.join("finding.meta");
    eventually("it is written down", || async {
        finding.exists().then_some(())
    })
    .await;
    node.kill();
    assert_eq!(node.start_refused(&[]).code, Some(4));
}
