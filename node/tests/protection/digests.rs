//! A state that differs from the others', planted by a failpoint.

use std::time::{Duration, Instant};

use tonic::Code;

use crate::bank::Bank;
use crate::support::{Cluster, Refusal, eventually};

/// Where a finding is written down.
const FINDING: &str = "finding.meta";
/// Found within five seconds; here with the time that a busy machine takes.
const FOUND_MAX: Duration = Duration::from_secs(5);

async fn alarmed(cluster: &Cluster, id: u64, words: &str) {
    eventually("an alarm", || async {
        let alarms = cluster.node(id).client().status().await.ok()?.alarms;
        alarms
            .iter()
            .any(|alarm| alarm.contains(words))
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_that_differs_makes_its_state_again() {
    let cluster = Cluster::prepare(3, &[]);
    cluster
        .node(2)
        .spawn_with(&[("--failpoint", "storage.push.diverge=5*off->1*return")]);
    [1, 3].into_iter().for_each(|id| cluster.node(id).start());
    let mut bank = Bank::open(&cluster).await;
    // The worst case: the one that is wrong leads.
    let leader = cluster.leader().await;
    if leader.id != 2 {
        leader.client().transfer_leader(2).await.unwrap();
    }
    bank.pay(&cluster, 10).await;
    let began = Instant::now();
    let wrong = cluster.node(2);
    eventually("the majority is against it", || async {
        wrong.log_text().contains("state.damaged.1").then_some(())
    })
    .await;
    assert!(began.elapsed() < FOUND_MAX, "{:?}", began.elapsed());
    bank.pay(&cluster, 5).await;
    cluster.converge().await;
    bank.check(&wrong.client()).await;
    assert!(wrong.log_text().contains("agrees on another state"));
    assert!(!wrong.dir.join(FINDING).exists());
}

/// What the majority has said outlives the process: the node does not vote or serve with that state again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_survives_a_restart() {
    let cluster = Cluster::prepare(3, &[]);
    cluster.node(2).spawn_with(&[
        ("--failpoint", "storage.push.diverge=5*off->1*return"),
        ("--failpoint", "repair.noted=panic"),
    ]);
    [1, 3].into_iter().for_each(|id| cluster.node(id).start());
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 10).await;
    let wrong = cluster.node(2);
    let exit = wrong.wait_exit(FOUND_MAX).expect("it dies at the point");
    assert_eq!(exit.code, None, "{exit:?}");
    assert!(wrong.dir.join(FINDING).exists());
    bank.pay(&cluster, 5).await;
    wrong.start();
    cluster.converge().await;
    bank.check(&wrong.client()).await;
    assert!(wrong.dir.join("state.damaged.1").exists());
    assert!(!wrong.dir.join(FINDING).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_of_equal_states_nobody_writes() {
    let cluster = Cluster::prepare(3, &[]);
    for (id, times) in [(1, 1), (2, 2), (3, 3)] {
        let action = format!("storage.push.diverge=5*off->{times}*return");
        cluster.node(id).spawn_with(&[("--failpoint", &action)]);
    }
    let bank = Bank::open(&cluster).await;
    let began = Instant::now();
    let refused = eventually("writes are refused", || async {
        let client = cluster.leader_client().await;
        let transfer = farthing_proto::packed::transfers_section(&[bank.transfer()]);
        client.submit(vec![transfer]).await.err()
    })
    .await;
    assert!(began.elapsed() < FOUND_MAX, "{:?}", began.elapsed());
    Refusal::expect(&refused, Code::Unavailable, "NODE_SUSPECT");
    cluster.leader_client().await.balances(bank.from).await;
    alarmed(&cluster, 1, "writes are refused").await;
}
