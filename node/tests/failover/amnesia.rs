//! Directories that went back in time, and logs that are damaged: nobody serves less than what was acknowledged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use farthing_proto::v1::Role;

use crate::bank::Bank;
use crate::support::{Cluster, Node, PATIENCE, eventually};

/// What a node knows of the others is written within a second.
const SPREAD: Duration = Duration::from_millis(1_500);

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn replace(dir: &Path, copied: &Path) {
    std::fs::remove_dir_all(dir).unwrap();
    copy(copied, dir);
}

/// The node ends with its own exit status and says who knows better; the others go on.
fn assert_refused(node: &Node, words: &[&str]) {
    let exit = node.wait_exit(PATIENCE).expect("it goes on");
    assert_eq!(exit.code, Some(6), "{exit:?}");
    for word in words {
        assert!(exit.stderr.contains(word), "{word:?} is not said: {exit:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_went_back_in_time_is_refused() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
    let leader = cluster.leader().await;
    let node = cluster.others(leader.id).next().unwrap();
    node.kill();
    let elsewhere = tempfile::tempdir().unwrap();
    let older = elsewhere.path().join("older");
    copy(&node.dir, &older);
    node.start();
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
    node.kill();
    let newer = elsewhere.path().join("newer");
    copy(&node.dir, &newer);

    replace(&node.dir, &older);
    node.start();
    assert_refused(node, &["knows better", "had been started", "new id"]);
    bank.pay(&cluster, 3).await;

    // The same, and its count of starts does not give it away.
    replace(&node.dir, &older);
    std::fs::copy(newer.join("node.meta"), node.dir.join("node.meta")).unwrap();
    node.start();
    assert_refused(node, &["knows better", "acknowledged"]);

    // Emptied.
    std::fs::remove_dir_all(&node.dir).unwrap();
    node.start();
    assert_refused(node, &["knows better"]);
    bank.pay(&cluster, 3).await;

    // As it was: nothing is held against it, although it had been away.
    replace(&node.dir, &newer);
    node.start();
    bank.pay(&cluster, 3).await;
    cluster.converge().await;
    bank.check(&node.client()).await;
}

/// The claims outlive everybody's memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_restart_together_and_one_of_them_is_older() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 5).await;
    cluster.nodes().iter().for_each(Node::kill);
    let elsewhere = tempfile::tempdir().unwrap();
    let older = elsewhere.path().join("older");
    copy(&cluster.node(1).dir, &older);
    cluster.nodes().iter().for_each(Node::start);
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
    tokio::time::sleep(SPREAD).await;
    cluster.nodes().iter().for_each(Node::kill);
    replace(&cluster.node(1).dir, &older);
    cluster.nodes().iter().for_each(Node::start);
    assert_refused(cluster.node(1), &["knows better"]);
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
    bank.check(&cluster.leader_client().await).await;
}

fn log_file(node: &Node) -> PathBuf {
    let files = std::fs::read_dir(node.dir.join("log")).unwrap();
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files.pop().unwrap()
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[offset] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

/// Every zone of a log is damaged in turn, on followers and on the leader: service goes on, the node heals by itself, and
/// can lead afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_refilled_by_the_others() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    // The header of the segment, its first vote, the first entries, later ones.
    let zones = [20, 4_100, 4_096 + 256 + 70, 4_096 + 4_000];
    for (round, offset) in zones.into_iter().enumerate() {
        cluster.converge().await;
        let leader = cluster.leader().await;
        let node = if round % 2 == 0 {
            cluster.others(leader.id).next().unwrap()
        } else {
            leader
        };
        tokio::time::sleep(Duration::from_millis(200)).await; // the mark of the last batch is synced
        node.kill();
        flip(&log_file(node), offset);
        bank.pay(&cluster, 5).await;
        node.start();
        bank.pay(&cluster, 5).await;
        let suspect = node.dir.join("suspect.meta");
        eventually("the node is whole again", || async {
            (!suspect.exists()).then_some(())
        })
        .await;
        cluster.converge().await;
        bank.check(&node.client()).await;
        eventually("it leads", || async {
            let leader = cluster.leader().await;
            if leader.id == node.id {
                return Some(());
            }
            let _ = leader.client().transfer_leader(node.id).await;
            None
        })
        .await;
        bank.pay(&cluster, 2).await;
    }
    for node in cluster.nodes() {
        let log = node.log_text();
        assert!(!log.contains("panicked"), "{log}");
    }
    let told = |word: &str| {
        cluster
            .nodes()
            .iter()
            .any(|node| node.log_text().contains(word))
    };
    assert!(told("this node is suspect") && told("at byte") && told("refilled"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_waits_to_be_refilled_says_so() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    cluster.converge().await;
    tokio::time::sleep(Duration::from_millis(200)).await; // the mark of the last batch is synced
    for node in cluster.nodes() {
        node.kill();
    }
    // One comes back alone, without the end of its log: nobody can refill it.
    let node = cluster.node(2);
    flip(&log_file(node), 4_096 + 4_000);
    node.start();
    let status = eventually("it says what it has lost", || async {
        let status = node.client().status().await.ok()?;
        (!status.suspect.is_empty()).then_some(status)
    })
    .await;
    assert!(status.suspect.contains("at byte"), "{}", status.suspect);
    let told = |words: &str| status.alarms.iter().any(|alarm| alarm.contains(words));
    assert!(told("neither votes nor leads"), "{:?}", status.alarms);
    for other in cluster.others(node.id) {
        other.start();
    }
    cluster.converge().await;
    eventually("it has all again", || async {
        let status = node.client().status().await.ok()?;
        (status.suspect.is_empty() && status.alarms.is_empty()).then_some(())
    })
    .await;
    bank.check(&node.client()).await;
}

/// What the log has lost, the state of a node may have kept. The log then goes on after the state, and the snapshot that
/// was there ends before it: a node that this one has to fill needs a newer one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_log_begins_after_its_snapshot_fills_others() {
    let cluster = Cluster::start_with(3, &[("--run-interval-ms", "200")]);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    cluster.converge().await;
    let leader = cluster.leader().await.id;
    let cut = cluster.others(leader).next().unwrap();
    let late = cluster.others(leader).nth(1).unwrap();
    let snapshot = cut.client().snapshot().await.unwrap();
    late.kill();
    bank.pay(&cluster, 20).await;
    eventually("the state is ahead of the snapshot", || async {
        let status = cut.client().status().await.ok()?;
        (status.state_durable_index > snapshot + 10).then_some(())
    })
    .await;
    cut.kill();
    // Early in the log: what remains of it ends before the state.
    flip(&log_file(cut), 4_096 + 4_000);
    cut.start();
    eventually("it has all again and leads", || async {
        let status = cut.client().status().await.ok()?;
        if status.role() == Role::Leader {
            return Some(());
        }
        let _ = cluster
            .leader()
            .await
            .client()
            .transfer_leader(cut.id)
            .await;
        None
    })
    .await;
    late.start();
    bank.pay(&cluster, 2).await;
    cluster.converge().await;
    bank.check(&late.client()).await;
}
