//! Files outside the log that are damaged: a minority of nodes heals by itself, a lone node says what is wrong.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farthing_proto::packed::transfers_section;

use crate::bank::Bank;
use crate::support::{Cluster, Node, PATIENCE, account, eventually, fresh_id, packed_transfer};

const FLAGS: [(&str, &str); 3] = [
    ("--run-interval-ms", "200"),
    ("--run-transfers", "200"),
    ("--log-keep-bytes", "16777216"),
];

/// What is done to a node's directory while it is down.
type Harm = fn(&Path);

fn current(dir: &Path) -> PathBuf {
    let name = std::fs::read_to_string(dir.join("state/CURRENT")).unwrap();
    dir.join("state").join(name.trim())
}

/// The largest file of the generation in use whose name has this in it.
fn file(dir: &Path, part: &str) -> PathBuf {
    let files = std::fs::read_dir(current(dir)).unwrap().flatten();
    let named = files.filter(|file| file.file_name().to_string_lossy().contains(part));
    let largest = named.max_by_key(|file| file.metadata().map_or(0, |found| found.len()));
    largest.expect("a file of that name").path()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x40;
    // Not in place: a snapshot may share the file.
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

const HARMS: [(&str, Harm); 9] = [
    ("which generation is in use", |dir| {
        std::fs::write(dir.join("state/CURRENT"), "?").unwrap();
    }),
    ("the name of the manifest", |dir| {
        std::fs::write(current(dir).join("CURRENT"), "?").unwrap();
    }),
    ("the manifest", |dir| flip(&file(dir, "MANIFEST"), 30)),
    ("a table's end", |dir| cut(&file(dir, ".sst"))),
    ("a table's first block", |dir| flip(&file(dir, ".sst"), 5)),
    ("a table", |dir| {
        std::fs::remove_file(file(dir, ".sst")).unwrap();
    }),
    ("all of the state", |dir| {
        std::fs::remove_dir_all(dir.join("state")).unwrap();
    }),
    ("who the node is", |dir| flip(&dir.join("node.meta"), 20)),
    ("who the members are", |dir| {
        flip(&dir.join("members.meta"), 20);
    }),
];

/// Everything applied is in files.
async fn written(node: &Node) {
    eventually("runs are written", || async {
        let status = node.client().status().await.ok()?;
        (status.state_durable_index >= status.applied_index).then_some(())
    })
    .await;
}

/// Scrubs begin at the start, and find what opening does not read.
async fn healed(cluster: &Cluster, node: &Node, bank: &mut Bank, what: &str) {
    bank.pay(cluster, 3).await;
    cluster.converge().await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    cluster.converge().await;
    bank.check(&node.client()).await;
    let leads = eventually("it leads", || async {
        let leader = cluster.leader().await;
        if leader.id == node.id {
            return Some(());
        }
        let _ = leader.client().transfer_leader(node.id).await;
        None
    });
    assert!(
        tokio::time::timeout(PATIENCE, leads).await.is_ok(),
        "{what}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_damaged_the_node_heals() {
    let cluster = Cluster::start_with(3, &FLAGS);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    for (round, (what, harm)) in HARMS.into_iter().enumerate() {
        println!("{what}");
        cluster.converge().await;
        written(cluster.node(1)).await;
        let leader = cluster.leader().await;
        let node = match round % 2 {
            0 => cluster.others(leader.id).next().unwrap(),
            _ => leader,
        };
        node.kill();
        harm(&node.dir);
        bank.pay(&cluster, 3).await;
        node.start();
        healed(&cluster, node, &mut bank, what).await;
    }
    for node in cluster.nodes() {
        let kept = std::fs::read_dir(&node.dir).unwrap().flatten();
        let kept = kept.filter(|file| file.file_name().to_string_lossy().contains(".damaged."));
        assert!(kept.count() <= 2, "what is put aside is bounded");
    }
}

/// Writes until the log no longer begins with its first entry.
async fn purge(cluster: &Cluster) {
    let client = cluster.leader_client().await;
    let (from, to, ledger) = (fresh_id(), fresh_id(), 7);
    let accounts = [account(from, ledger), account(to, ledger)];
    client.create_accounts(&accounts).await.unwrap();
    let began = Instant::now();
    loop {
        let mut purged = true;
        for node in cluster.nodes() {
            purged &= node.client().status().await.unwrap().purged_index > 0;
        }
        if purged {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "the log is not purged");
        let transfers: Vec<_> = (0..8_000)
            .map(|_| packed_transfer(from, to, 1, ledger))
            .collect();
        client
            .submit(vec![transfers_section(&transfers)])
            .await
            .unwrap();
    }
}

/// The log cannot make the state again: a peer's checkpoint has to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_behind_a_purged_log_comes_from_a_peer() {
    let flags = [
        ("--run-interval-ms", "200"),
        ("--log-keep-bytes", "16777216"),
    ];
    let cluster = Cluster::start_with(3, &flags);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 10).await;
    purge(&cluster).await;
    let leader = cluster.leader().await;
    let node = cluster.others(leader.id).next().unwrap();
    for (round, (what, harm)) in HARMS.into_iter().take(7).step_by(3).enumerate() {
        println!("{what}");
        cluster.converge().await;
        node.kill();
        harm(&node.dir);
        bank.pay(&cluster, 3).await;
        #[cfg(feature = "failpoints")]
        if round == 0 {
            // It dies with an empty state and, maybe, a shorter log.
            node.spawn_with(&[("--failpoint", "refill.before_install=panic")]);
            assert!(node.wait_exit(PATIENCE).is_some(), "it goes on");
        }
        node.start();
        healed(&cluster, node, &mut bank, what).await;
        let words = node.log_text();
        let fetched = words.matches("takes the place of the state").count();
        assert!(fetched > round, "{what}: no checkpoint was fetched");
    }
    // All at once: whoever lacks its state is given it by one that waits as well.
    node.kill();
    (HARMS[0].1)(&node.dir);
    cluster.others(node.id).for_each(Node::kill);
    cluster.nodes().iter().for_each(Node::start);
    healed(&cluster, node, &mut bank, "after a power loss").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lone_node_says_what_is_damaged_and_changes_nothing() {
    let cluster = Cluster::start_with(1, &FLAGS);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 5).await;
    let node = cluster.node(1);
    written(node).await;
    node.kill();
    for (what, harm) in HARMS.into_iter().take(4) {
        let before = tempfile::tempdir().unwrap();
        let kept = before.path().join("state");
        copy(&node.dir.join("state"), &kept);
        harm(&node.dir);
        let exit = node.start_refused(&[]);
        assert_eq!(exit.code, Some(4), "{what}: {exit:?}");
        assert!(!node.dir.join("state.damaged.1").exists(), "{what}");
        std::fs::remove_dir_all(node.dir.join("state")).unwrap();
        copy(&kept, &node.dir.join("state"));
    }
    node.start();
    cluster.leader().await;
    bank.check(&node.client()).await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
