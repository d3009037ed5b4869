//! Two workers of one name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farthing_client::settlement::{Decision, SettlementWorker, settlement_id};
use farthing_client::{Error, PendingStatus, TransferId};
use tokio::runtime::Runtime;

use super::super::support::Cluster;
use super::{connect, initiate, prepare, settlements, until, until_all};

const PENDINGS: u64 = 1_000;

#[test]
fn the_newer_of_two_workers_goes_on_and_nothing_is_settled_twice() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    let asked = Arc::new(AtomicU64::new(0));
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        initiate(&client, 1..=PENDINGS).await;
        let worker = |client: &farthing_client::Client| {
            let asked = Arc::clone(&asked);
            SettlementWorker::builder(client, "cards")
                .concurrency(100)
                .save_interval(Duration::from_millis(300))
                .build(move |_| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    async {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        Ok(Decision::Post)
                    }
                })
                .unwrap()
        };
        // Each has a client of its own, as another process has.
        let (one, two) = (connect(&endpoints).await, connect(&endpoints).await);
        let older = worker(&one);
        let older_progress = older.progress();
        let older = tokio::spawn(older.run(std::future::pending()));
        until(&older_progress, "the older one works", |now| now.posted > 0).await;
        let newer = worker(&two);
        let progress = newer.progress();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let newer = tokio::spawn(newer.run(async {
            let _ = stopped.await;
        }));
        let fenced = older.await.unwrap().unwrap_err();
        assert!(
            matches!(&fenced, Error::Fenced { cursor } if cursor == "cards"),
            "{fenced}"
        );
        until_all(&client, 1..=PENDINGS, PendingStatus::Posted).await;
        // Both were asked about some, and the ledger took each once.
        let asked = asked.load(Ordering::SeqCst);
        assert!(asked > PENDINGS, "they never met: asked {asked} times");
        let settlements = settlements(&client).await;
        assert_eq!(settlements.len() as u64, PENDINGS);
        for (pending, settled) in settlements {
            let ids: Vec<TransferId> = settled.iter().map(|transfer| transfer.id).collect();
            assert_eq!(ids, [settlement_id(pending, 0)]);
        }
        let both = (older_progress.get(), progress.get());
        assert_eq!((both.0.contradicted, both.1.contradicted), (0, 0));
        stop.send(()).unwrap();
        let last = newer.await.unwrap().unwrap();
        assert!(last.settled <= PENDINGS && last.open == 0, "{last:?}");
    });
}
