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
async fn a_changed_byte_in_the_state_is_found_and_its_node_serves_nothing() {
    let cluster = Cluster::start_with(3, &OFTEN);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 50).await;
    // The worst case: it leads.
    let leader = cluster.leader().await;
    assert!(scrubbed(leader).await > 0);
    let tables = files(&leader.dir.join("state"), ".sst");
    let largest = tables.last().expect("a table");
    flip(largest, 40);
    stops_serving(leader, &bank, "").await;
    let next = cluster.leader_other_than(leader.id).await;
    bank.pay(&cluster, 5).await;
    bank.check(&next.client()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_in_the_log_is_found() {
    let cluster = Cluster::start_with(1, &OFTEN);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    let node = cluster.node(1);
    assert!(scrubbed(node).await > 0);
    let segment = node.dir.join("log/0000000000000001.log");
    let bytes = std::fs::read(&segment).unwrap();
    let id = bank.acknowledged[10].to_le_bytes();
    let at = bytes.windows(16).position(|found| found == id).unwrap();
    flip(&segment, at as u64);
    stops_serving(node, &bank, "log").await;
}
