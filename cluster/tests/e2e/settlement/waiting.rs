//! Pending transfers that are put off: those that expire meanwhile, those that nearly fill the worker, and a cursor that
//! waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use farthing_client::PendingStatus;
use farthing_client::settlement::{Decision, SettlementWorker, StartFrom};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::super::support::Cluster;
use super::{connect, create, initiate, prepare, reserve, settlements, stand, until, until_all};

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn what_expires_while_it_is_put_off_is_done_with() {
    const PUT_OFF: u64 = 200;
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    let asked = Arc::new(AtomicU64::new(0));
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        let count = Arc::clone(&asked);
        let worker = SettlementWorker::builder(&client, "cards")
            .save_interval(Duration::from_millis(100))
            .build(move |pending| {
                count.fetch_add(1, Ordering::SeqCst);
                async move {
                    if pending.transfer.timeout == 2 {
                        return Ok(Decision::Later(HOUR));
                    }
                    // A rail that says yes, too late.
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    Ok(Decision::Post)
                }
            })
            .unwrap();
        let progress = worker.progress();
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(worker.run(async {
            let _ = stopped.await;
        }));
        create(&client, (1..=PUT_OFF).map(|number| reserve(number, 2))).await;
        create(&client, (1_001..=1_010).map(|number| reserve(number, 3))).await;
        until(&progress, "they are put off", |now| now.waiting == PUT_OFF).await;
        let now = until(&progress, "all expire", |now| now.expired == PUT_OFF + 10).await;
        assert_eq!(
            (now.settled, now.posted, now.found),
            (PUT_OFF + 10, 0, PUT_OFF)
        );
        assert_eq!(now.contradicted, 10, "the outside was told otherwise");
        assert_eq!(asked.load(Ordering::SeqCst), PUT_OFF + 10, "once each");
        stop.send(()).unwrap();
        let last = worker.await.unwrap().unwrap();
        assert_eq!(
            (last.open, last.waiting, last.saved),
            (0, 0, last.low_water)
        );
        assert!(last.saved > 2 * PUT_OFF);
        assert!(settlements(&client).await.is_empty());
    });
}

/// Put off until they are let go.
fn worker(
    client: &farthing_client::Client,
    open_max: usize,
    let_go: &Arc<AtomicBool>,
) -> SettlementWorker {
    let let_go = Arc::clone(let_go);
    SettlementWorker::builder(client, "cards")
        .open_max(open_max)
        .start_from(StartFrom::Beginning)
        .save_interval(Duration::from_millis(50))
        .build(move |pending| {
            let wait = pending.transfer.id.0 <= 40 && !let_go.load(Ordering::SeqCst);
            async move {
                Ok(match wait {
                    true => Decision::Later(Duration::from_millis(100)),
                    false => Decision::Post,
                })
            }
        })
        .unwrap()
}

#[test]
fn those_put_off_hold_the_cursor_and_not_the_others() {
    const OTHERS: u64 = 3_000;
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        initiate(&client, 1..=40).await;
        initiate(&client, 1_001..=1_000 + OTHERS).await;
        let first_sequence = stand(&client, 1..=1).await[0].sequence;
        let let_go = Arc::new(AtomicBool::new(false));

        // Full of those: it stops reading, and says so.
        let full = worker(&client, 40, &let_go);
        let progress = full.progress();
        let full = tokio::spawn(full.run(std::future::pending()));
        until(&progress, "it is full", |now| now.waiting == 40).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let now = progress.get();
        assert_eq!((now.open, now.open_most, now.settled), (40, 40, 0));
        assert!(now.saved <= now.low_water);
        assert_eq!(now.low_water, first_sequence - 1);
        full.abort();
        let _ = full.await;

        // With room for ten more all others are settled, and the cursor stays where it is.
        let roomy = worker(&client, 50, &let_go);
        let progress = roomy.progress();
        let roomy = tokio::spawn(roomy.run(std::future::pending()));
        until_all(&client, 1_001..=1_000 + OTHERS, PendingStatus::Posted).await;
        let now = until(&progress, "it knows", |now| now.posted == OTHERS).await;
        assert!(now.open == 40 && now.open_most <= 50, "{now:?}");
        assert_eq!(now.low_water, first_sequence - 1);
        assert!(now.lag() > OTHERS, "{now:?}");
        roomy.abort();
        let _ = roomy.await;

        // A worker that is started now reads all again, asks about nothing that is settled, and ends what is left.
        let last = worker(&client, 50, &let_go);
        let progress = last.progress();
        let (stop, stopped) = oneshot::channel::<()>();
        let last = tokio::spawn(last.run(async {
            let _ = stopped.await;
        }));
        until(&progress, "it finds them", |now| now.found == OTHERS).await;
        assert_eq!(progress.get().open, 40);
        let_go.store(true, Ordering::SeqCst);
        until(&progress, "all are settled", |now| {
            now.posted == OTHERS + 40
        })
        .await;
        let now = until(&progress, "the cursor follows", |now| now.saved > OTHERS).await;
        assert_eq!((now.open, now.contradicted), (0, 0));
        assert!(now.open_most <= 50);
        stop.send(()).unwrap();
        last.await.unwrap().unwrap();
        let settlements = settlements(&client).await;
        assert_eq!(settlements.len() as u64, OTHERS + 40);
        assert!(settlements.values().all(|settled| settled.len() == 1));
    });
}
