//! The settlement worker while answers are lost, nodes refuse, and streams end.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::bank::{ALICE, BOB, bank, transfer};
use common::services::events::Stream;
use common::{Cluster, Fault};
use farthing_client::events::Cursor;
use farthing_client::settlement::{Decision, SettlementProgress, SettlementWorker, settlement_id};
use farthing_client::{Client, Reason, Refused, TransferFlags, TransferId};
use tokio::sync::oneshot;

const PENDINGS: u128 = 60;

async fn reserved() -> (Cluster, Client) {
    let (cluster, client) = bank(2).await;
    cluster.lock().true_events = true;
    let pendings = (1..=PENDINGS).map(|id| transfer(id, TransferFlags::PENDING));
    let outcomes = client.create_transfers(pendings.collect()).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.is_success()));
    (cluster, client)
}

/// Every pending transfer is posted once, under its own id.
fn assert_posted_once(cluster: &Cluster) {
    let shared = cluster.lock();
    let mut posted: BTreeMap<TransferId, Vec<TransferId>> = BTreeMap::new();
    for row in shared.state.transfers() {
        if row.transfer.pending_id != TransferId(0) {
            let same = posted.entry(row.transfer.pending_id).or_default();
            same.push(row.transfer.id);
        }
    }
    assert_eq!(posted.len() as u128, PENDINGS);
    for (pending, ids) in posted {
        assert_eq!(ids, [settlement_id(pending, 0)]);
    }
    drop(shared);
    let (alice, bob) = (cluster.account(ALICE), cluster.account(BOB));
    assert_eq!(
        (alice.debits_posted, alice.debits_pending),
        (10 * PENDINGS, 0)
    );
    assert_eq!(
        (bob.credits_posted, bob.credits_pending),
        (10 * PENDINGS, 0)
    );
}

fn posted(cluster: &Cluster) -> u128 {
    cluster.account(BOB).credits_posted / 10
}

/// Runs a worker until everything is settled, and shuts it down. `trouble` is made with each decision.
async fn settle(
    cluster: &Cluster,
    client: &Client,
    trouble: impl Fn(u128) -> Option<Fault> + Send + Sync + 'static,
) -> SettlementProgress {
    let shared = Arc::clone(&cluster.shared);
    let worker = SettlementWorker::builder(client, "cards")
        .concurrency(3)
        .save_interval(Duration::from_millis(5))
        .retry(Duration::from_millis(1), Duration::from_millis(10))
        .build(move |pending| {
            let fault = trouble(pending.transfer.id.0);
            shared.lock().unwrap().faults.extend(fault);
            async { Ok(Decision::Post) }
        })
        .unwrap();
    let progress = worker.progress();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = tokio::spawn(worker.run(async {
        let _ = stopped.await;
    }));
    for _ in 0..6_000 {
        let now = progress.get();
        if posted(cluster) == PENDINGS && now.open == 0 && now.low_water > PENDINGS as u64 {
            stop.send(()).unwrap();
            return worker.await.unwrap().unwrap();
        }
        assert!(!worker.is_finished(), "{:?}", worker.await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} are posted: {:?}", posted(cluster), progress.get());
}

#[tokio::test]
async fn lost_answers_and_refusals_of_nodes_settle_nothing_twice() {
    let (cluster, client) = reserved().await;
    let client = client.with_deadline(Duration::from_millis(300));
    let ends = [3, 1, 2].map(Stream::True);
    let refused = [Reason::ShuttingDown, Reason::NodeSuspect].map(Stream::Refused);
    let streams = ends.into_iter().chain(refused);
    cluster.lock().event_streams.extend(streams);
    let refused = |reason| Refused::new(reason, "no");
    let trouble = move |number| {
        Some(match number % 9 {
            0 => Fault::HangAfterApply,
            1 => Fault::LoseReply,
            2 => Fault::Refuse(refused(Reason::Overloaded)),
            3 => Fault::Hang,
            4 => Fault::ApplyAndRefuse(refused(Reason::Internal)),
            5 => Fault::GarbleReply,
            _ => return None,
        })
    };
    let last = settle(&cluster, &client, trouble).await;
    assert_eq!(
        (last.posted as u128, last.open, last.left),
        (PENDINGS, 0, 0)
    );
    // What an attempt without an answer had done is not somebody else's.
    assert_eq!((last.contradicted, last.refused), (0, 0), "{last:?}");
    assert!(last.retries > 0, "{last:?}");
    assert_posted_once(&cluster);
    let cursor = Cursor::open(&client, "cards").await.unwrap();
    assert_eq!(cursor.sequence(), last.saved);
}

#[tokio::test]
async fn a_worker_that_is_given_up_anywhere_loses_none() {
    let (cluster, client) = reserved().await;
    let asked = Arc::new(AtomicU64::new(0));
    for pause in 0..40 {
        let count = Arc::clone(&asked);
        let worker = SettlementWorker::builder(&client, "cards")
            .concurrency(3)
            .save_interval(Duration::from_millis(1))
            .build(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                async {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    Ok(Decision::Post)
                }
            })
            .unwrap();
        let run = worker.run(std::future::pending());
        let given_up = tokio::time::timeout(Duration::from_millis(pause), run).await;
        assert!(given_up.is_err(), "{given_up:?}");
    }
    settle(&cluster, &client, |_| None).await;
    assert_posted_once(&cluster);
    let asked = asked.load(Ordering::SeqCst);
    assert!(asked > 20, "it never came to anything");
}
