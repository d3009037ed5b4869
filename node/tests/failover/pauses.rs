//! Processes that stop without ending: connected, silent, and later back as if no time had passed.

use std::time::{Duration, Instant};

use farthing_proto::packed::transfers_section;
use tonic::Code;

use crate::bank::Bank;
use crate::support::{Cluster, Refusal, record};

/// How late an answer may be.
const GRACE: Duration = Duration::from_millis(250);

/// With the majority silent nothing can be known, but every call returns by its deadline and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_hold_when_the_majority_is_silent() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 5).await;
    let leader = cluster.leader().await;
    cluster.others(leader.id).for_each(|node| node.pause());

    let mut open = Vec::new();
    for deadline in [200, 500, 1_000].map(Duration::from_millis) {
        let in_time = |began: Instant| {
            let took = began.elapsed();
            assert!(
                took <= deadline + GRACE,
                "{took:?} with a deadline of {deadline:?}"
            );
        };
        let client = leader.client().with_message_deadline(deadline);
        let transfer = bank.transfer();
        open.push(transfer);
        let began = Instant::now();
        let status = client
            .submit(vec![transfers_section(&[transfer])])
            .await
            .unwrap_err();
        in_time(began);
        // The caller must not take it for "did not happen".
        Refusal::expect(&status, Code::Unavailable, "OUTCOME_UNKNOWN");
        let began = Instant::now();
        let status = client.lookup_accounts(&[bank.from]).await.unwrap_err();
        in_time(began);
        // Whichever was noticed first: the silence of the majority, or the end of the time.
        let reason = Refusal::of(&status).reason;
        assert!(reason == "NO_LEADER" || reason == "DEADLINE", "{status:?}");
        // What needs no majority goes on.
        assert_eq!(client.clone().stale().balances(bank.to).await[3], 5);
        client.status().await.unwrap();

        // With the deadline of the call the caller's own clock may be the first to say it, which says as little.
        let client = leader.client().with_deadline(deadline);
        let began = Instant::now();
        let status = client
            .write_records(&[record(1, b"key", b"")])
            .await
            .unwrap_err();
        in_time(began);
        let reason = Refusal::of(&status).reason;
        assert!(
            reason == "OUTCOME_UNKNOWN" || status.code() == Code::Cancelled,
            "{status:?}"
        );
    }

    cluster.others(leader.id).for_each(|node| node.resume());
    // The same ids again settle what was open, and nothing is done twice.
    for transfer in open {
        bank.settle(&cluster, transfer).await;
    }
    bank.check(&cluster.leader_client().await).await;
    cluster.converge().await;
}

/// A leader that was stopped believes, when it goes on, that it leads still; it must not answer from what it knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_slept_does_not_answer_from_its_dreams() {
    let cluster = Cluster::start(3);
    let mut bank = Bank::open(&cluster).await;
    bank.pay(&cluster, 3).await;
    let sleeper = cluster.leader().await;
    // Connected before it sleeps, so that the calls wait inside it.
    let client = sleeper.client().with_deadline(Duration::from_secs(20));
    bank.check(&client).await;
    sleeper.pause();
    let leader = cluster.leader_other_than(sleeper.id).await;
    let awake = leader.client();
    for _ in 0..20 {
        let transfer = bank.transfer();
        awake
            .submit(vec![transfers_section(&[transfer])])
            .await
            .unwrap();
        bank.acknowledged.push(transfer.id.0);
    }
    let (from, to) = (bank.from, bank.to);
    let reads: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.lookup_accounts(&[from, to]).await })
        })
        .collect();
    let transfer = bank.transfer();
    let write = {
        let client = client.clone();
        tokio::spawn(async move { client.submit(vec![transfers_section(&[transfer])]).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    sleeper.resume();
    for read in reads {
        // Refused is right too: what it may not do is answer with less than what was acknowledged.
        match read.await.unwrap() {
            Ok(rows) => assert!(
                rows[1].unwrap().credits_posted >= 23,
                "a stale read: {rows:?}"
            ),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
        }
    }
    // Whatever became of the write, the retry settles it and it counts once.
    let _ = write.await.unwrap();
    bank.settle(&cluster, transfer).await;
    cluster.converge().await;
    for node in cluster.nodes() {
        bank.check(&node.client()).await;
    }
}
