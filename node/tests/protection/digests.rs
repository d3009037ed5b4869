//! A state that differs from the others', planted by a failpoint.

use std::time::{Duration, Instant};

use tonic::Code;

use crate::bank::Bank;
use crate::support::{Cluster, Refusal, eventually};

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
async fn the_one_that_differs_serves_nothing_and_the_others_go_on() {
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
    alarmed(&cluster, 2, "serves neither reads nor votes").await;
    assert!(began.elapsed() < FOUND_MAX, "{:?}", began.elapsed());

    let wrong = cluster.node(2).client();
    for client in [wrong.clone(), wrong.clone().stale()] {
        let status = client.lookup_accounts(&[bank.from]).await.unwrap_err();
        Refusal::expect(&status, Code::Unavailable, "NODE_SUSPECT");
    }
    let next = cluster.leader_other_than(2).await;
    bank.pay(&cluster, 5).await;
    bank.check(&next.client()).await;
    alarmed(&cluster, next.id, "node 2 at log index").await;
    // It has no vote either: when the leader dies there is no majority, rather than one with a wrong state.
    next.kill();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let other = cluster.others(2).find(|node| node.is_running()).unwrap();
    let client = other.client().with_deadline(Duration::from_secs(1));
    assert!(client.lookup_accounts(&[bank.from]).await.is_err());
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
