//! Processes that end: by `kill -9`, by SIGTERM, one or all.

use std::time::{Duration, Instant};

use farthing_proto::v1::{Role, WriteRecordStatus};

use crate::bank::Bank;
use crate::support::{
    Cluster, Node, PATIENCE, Refusal, account, eventually, fresh_id, fresh_ledger, pending, post,
    record, uuid,
};
use tonic::{Code, Status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_is_replaced_and_catches_up() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 30).await;
    let killed = cluster.leader().await;
    killed.kill();
    // The next acknowledgement comes from another leader, and nothing before it is gone.
    bank.pay(&cluster, 30).await;
    let leader = cluster.leader_other_than(killed.id).await;
    bank.check(&leader.client()).await;
    let term = leader.client().status().await.unwrap().term;

    killed.start();
    let index = cluster.converge().await;
    let returned = killed.client();
    let status = returned.status().await.unwrap();
    assert!(
        status.applied_index >= index && status.term >= term,
        "{status:?}"
    );
    bank.check(&returned).await;
    bank.check(&returned.stale()).await;
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
}

/// Whoever asks a node to end wants its clients to notice little: it hands over first, then goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_asked_to_end_hands_over_first() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 10).await;
    let leaving = cluster.leader().await;
    let (exit, took) = leaving.terminate().await;
    assert_eq!(exit.code, Some(0), "{}", exit.stderr);
    assert!(took < Duration::from_secs(5), "it took {took:?} to end");
    // No election has to time out now: somebody leads already.
    let mut leaders = Vec::new();
    for node in cluster.others(leaving.id) {
        let status = node.client().status().await.unwrap();
        leaders.extend((status.role() == Role::Leader).then_some(node.id));
    }
    assert_eq!(leaders.len(), 1, "nobody led when the old leader had ended");
    bank.pay(&cluster, 10).await;
    leaving.start();
    cluster.converge().await;
    bank.check(&leaving.client()).await;
}

/// A follower that ends takes nothing away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_comes_and_goes_unnoticed() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    let leader = cluster.leader().await.id;
    let term = cluster.node(leader).client().status().await.unwrap().term;
    let follower = cluster.others(leader).next().unwrap();
    for _ in 0..2 {
        follower.kill();
        bank.pay(&cluster, 10).await;
        follower.start();
        bank.pay(&cluster, 10).await;
    }
    cluster.converge().await;
    bank.check(&follower.client()).await;
    let status = cluster.node(leader).client().status().await.unwrap();
    assert_eq!(
        (status.role(), status.term),
        (Role::Leader, term),
        "a returning follower disturbed the leader"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_survives_the_end_of_all_nodes() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 20).await;
    let client = cluster.leader_client().await;
    let held = fresh_id();
    let hold = pending(held, bank.to, bank.from, "5", bank.ledger);
    client
        .create_transfers(std::slice::from_ref(&hold))
        .await
        .unwrap();
    let note = record(1, b"note", b"of all that was");
    client
        .write_records(std::slice::from_ref(&note))
        .await
        .unwrap();
    let refused = pending(fresh_id(), bank.from, fresh_id(), "1", bank.ledger);
    client
        .create_transfers(std::slice::from_ref(&refused))
        .await
        .unwrap();
    let before = client.status().await.unwrap();

    cluster.nodes().iter().for_each(Node::kill);
    cluster.nodes().iter().for_each(Node::start);

    let client = cluster.leader_client().await;
    let after = client.status().await.unwrap();
    assert!(
        after.term >= before.term && after.applied_index >= before.applied_index,
        "{before:?}\n{after:?}"
    );
    assert_eq!(
        (after.account_count, after.transfer_count),
        (before.account_count, before.transfer_count)
    );
    assert!(
        after.clock_timestamp >= before.clock_timestamp,
        "time went back"
    );
    let written = client.record(1, b"note").await.record.expect("the record");
    assert_eq!(
        (written.value, written.version, written.operation_id),
        (note.value, 1, note.operation_id)
    );
    // Retries of what was answered before the end are recognised after it.
    let results = client
        .create_transfers(&[hold, refused, post(held)])
        .await
        .unwrap();
    let statuses: Vec<&str> = results
        .iter()
        .map(|result| result.status().as_str_name())
        .collect();
    let expected = ["EXISTS", "ID_ALREADY_FAILED", "CREATED"]
        .map(|name| format!("CREATE_TRANSFER_STATUS_{name}"));
    assert_eq!(statuses, expected);
    assert_eq!(client.balances(bank.to).await, [0, 5, 0, 20]);
    cluster.converge().await;
}

/// Whoever led before all nodes ended may lead again at once; what it acknowledged before is what it answers after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_read_after_the_end_of_all_nodes_sees_everything() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    for round in 1..=4 {
        let leader = cluster.leader().await;
        bank.settle(&cluster, bank.transfer()).await;
        cluster.nodes().iter().for_each(Node::kill);
        cluster.others(leader.id).for_each(Node::start);
        leader.start();
        // From now on without a pause, so that nothing can be put in order before the first answer.
        let client = leader.client().with_deadline(Duration::from_secs(2));
        let [.., credits] = eventually("the first answer", || async {
            let rows = client.lookup_accounts(&[bank.to]).await.ok()?;
            Some(rows[0].map_or([0; 4], |row| [0, 0, 0, row.credits_posted]))
        })
        .await;
        assert_eq!(
            credits, round,
            "a stale read: the transfer was acknowledged before the nodes ended"
        );
    }
    cluster.leader().await;
    cluster.converge().await;
}

/// A cluster without one of its nodes is an everyday state: it must not burn a processor or fill a disk with complaints.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_not_hammered() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    let leader = cluster.leader().await;
    cluster.others(leader.id).next().unwrap().kill();
    bank.pay(&cluster, 5).await;
    let (lines, cpu) = (leader.log_lines(), leader.cpu_time());
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let took = began.elapsed();
    let (lines, cpu) = (leader.log_lines() - lines, leader.cpu_time() - cpu);
    assert!(
        lines < 200,
        "{lines} lines logged in {took:?} about one dead node"
    );
    assert!(
        cpu < took / 5,
        "{cpu:?} of processor time in {took:?} with nothing to do"
    );
}

/// Two of three come back without their disks. A majority of empty nodes is no new cluster as long as anybody remembers
/// the old one: they are told so and end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_somebody_remembers_is_not_founded_again() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 10).await;
    cluster.converge().await;
    let pause = Duration::from_secs(2); // what a node knows of the others is written within a second
    tokio::time::sleep(pause).await;
    cluster.nodes().iter().for_each(Node::kill);
    for emptied in [1, 2] {
        std::fs::remove_dir_all(&cluster.node(emptied).dir).unwrap();
    }
    cluster.nodes().iter().for_each(Node::start);
    for emptied in [1, 2] {
        let exit = cluster
            .node(emptied)
            .wait_exit(PATIENCE)
            .expect("it goes on");
        assert_eq!(exit.code, Some(6), "{exit:?}");
        assert!(exit.stderr.contains("node 3 knows better"), "{exit:?}");
    }
    let left = cluster.node(3).client().status().await.unwrap();
    assert_eq!(left.leader_id, 0, "a majority of nothing: {left:?}");
    assert!(left.last_log_index >= 10, "{left:?}");
}

/// A node that starts without its peers says so, serves what it may, and takes part once they come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_peers_waits_for_them() {
    let cluster = Cluster::prepare(3, &[]);
    let node = cluster.node(1);
    node.start();
    let client = node.client().with_deadline(Duration::from_secs(1));
    let status = client.status().await.unwrap();
    assert_eq!((status.node_id, status.leader_id), (1, 0));
    assert_eq!(status.cluster_id, uuid(cluster.cluster_id));
    let began = Instant::now();
    let refused = client
        .write_records(&[record(1, b"key", b"")])
        .await
        .unwrap_err();
    let refusal = Refusal::expect(&refused, Code::Unavailable, "NO_LEADER");
    assert!(
        refusal
            .retry_after
            .is_some_and(|wait| wait > Duration::ZERO),
        "{refusal:?}"
    );
    assert_eq!(refusal.leader, None);
    let refused = client.lookup_accounts(&[1]).await.unwrap_err();
    let refusal = Refusal::expect(&refused, Code::Unavailable, "NO_LEADER");
    assert!(
        refusal
            .retry_after
            .is_some_and(|wait| wait > Duration::ZERO),
        "{refusal:?}"
    );
    assert!(
        began.elapsed() < Duration::from_millis(2_500),
        "{:?}",
        began.elapsed()
    );
    // A new cluster begins when every member is there: before that, nobody can tell an empty node from a lost one.
    cluster.node(2).start();
    let refused = client
        .write_records(&[record(1, b"key", b"")])
        .await
        .unwrap_err();
    Refusal::expect(&refused, Code::Unavailable, "NO_LEADER");
    cluster.node(3).start();
    let results = cluster
        .leader_client()
        .await
        .write_records(&[record(1, b"key", b"")])
        .await
        .unwrap();
    assert_eq!(results[0].status(), WriteRecordStatus::Written);
    cluster.converge().await;
    // From then on a majority is enough.
    cluster.nodes().iter().for_each(Node::kill);
    cluster.node(1).start();
    let refused = client
        .write_records(&[record(1, b"key", b"")])
        .await
        .unwrap_err();
    is_not_served(&refused);
    cluster.node(2).start();
    let results = cluster
        .leader_client()
        .await
        .write_records(&[record(1, b"key", b"")])
        .await
        .unwrap();
    assert_eq!(results[0].status(), WriteRecordStatus::Written);
}

/// Without a majority: nobody leads, or whoever believes it does cannot know what becomes of a write.
fn is_not_served(status: &Status) {
    let refusal = Refusal::of(status);
    let known = ["NO_LEADER", "OUTCOME_UNKNOWN"].contains(&refusal.reason.as_str());
    assert!(known && refusal.code == Code::Unavailable, "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_file_that_takes_nothing_stops_nobody() {
    let cluster = Cluster::prepare(1, &[]);
    let node = cluster.node(1);
    // What goes to this device is answered "no space left", as by a full disk under the log file alone.
    let log = node.dir.with_extension("log");
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    node.spawn_with(&[]);
    // Read, the device has no end: nobody may look at what was "logged".
    std::fs::remove_file(&log).unwrap();
    let client = cluster.leader_client().await;
    let id = fresh_id();
    client
        .create_accounts(&[account(id, fresh_ledger())])
        .await
        .unwrap();
    assert_eq!(client.account(id).await.id.0, id);
    let (exit, _) = node.terminate().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
}
