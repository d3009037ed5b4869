//! Decisions that are made again after a crash, the same or another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farthing_client::settlement::{Decision, Settlement, SettlementWorker, settlement_id};
use farthing_client::{
    AMOUNT_MAX, Amount, Client, PendingStatus, Transfer, TransferFlags, TransferId,
};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::super::support::Cluster;
use super::{connect, create, initiate, prepare, settlements, stand, until};

const FEW: u64 = 100;

#[test]
fn what_was_posted_before_a_crash_is_not_asked_about_again() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        initiate(&client, 1..=FEW).await;
        let never = Duration::from_secs(3_600);
        let first = SettlementWorker::builder(&client, "cards")
            .save_interval(never)
            .build(|_| async { Ok(Decision::Post) })
            .unwrap();
        let progress = first.progress();
        let first = tokio::spawn(first.run(std::future::pending()));
        until(&progress, "all are posted", |now| now.posted == FEW).await;
        // It dies here, and has saved nothing.
        first.abort();
        assert_eq!(progress.get().saved, 0);
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let second = SettlementWorker::builder(&client, "cards")
            .build(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                async { Ok(Decision::Void) }
            })
            .unwrap();
        let progress = second.progress();
        let (stop, stopped) = oneshot::channel::<()>();
        let second = tokio::spawn(second.run(async {
            let _ = stopped.await;
        }));
        until(&progress, "all are found", |now| now.found == FEW).await;
        stop.send(()).unwrap();
        let last = second.await.unwrap().unwrap();
        assert_eq!((last.settled, last.posted, last.voided), (FEW, FEW, 0));
        assert_eq!((last.contradicted, asked.load(Ordering::SeqCst)), (0, 0));
        assert!(last.saved >= last.low_water && last.saved > FEW, "{last:?}");
        assert_eq!(settlements(&client).await.len() as u64, FEW);
    });
}

/// What another incarnation of the worker, or somebody else, sends while a decision is on its way.
fn earlier(number: u64) -> Option<Transfer> {
    let pending = TransferId(number.into());
    let (post, void) = (
        TransferFlags::POST_PENDING_TRANSFER,
        TransferFlags::VOID_PENDING_TRANSFER,
    );
    let (id, flags, amount) = match number {
        1..=3 => (settlement_id(pending, 0), post, AMOUNT_MAX),
        4 | 5 => (settlement_id(pending, 0), void, 0),
        6 => (TransferId(1_000_006), post, AMOUNT_MAX),
        7 => (TransferId(1_000_007), void, 0),
        _ => return None,
    };
    Some(Transfer {
        id,
        pending_id: pending,
        amount,
        flags,
        ..Transfer::default()
    })
}

fn decision(number: u64) -> Decision {
    match number {
        2 | 5 => Decision::Void,
        3 => Decision::PostAmount(Amount::Units(1)),
        _ => Decision::Post,
    }
}

#[test]
fn a_decision_that_comes_too_late_is_told_what_stands() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        // The id of the eighth's settlement belongs to something else already.
        let taken = Transfer {
            id: settlement_id(TransferId(8), 0),
            pending_id: TransferId(99),
            amount: AMOUNT_MAX,
            flags: TransferFlags::POST_PENDING_TRANSFER,
            ..Transfer::default()
        };
        initiate(&client, std::iter::once(99)).await;
        create(&client, [taken]).await;
        initiate(&client, 1..=8).await;
        let told: Arc<Mutex<Vec<Settlement>>> = Arc::default();
        let (sender, tell) = (client.clone(), Arc::clone(&told));
        let worker = SettlementWorker::builder(&client, "cards")
            .on_settled(move |settlement| tell.lock().unwrap().push(*settlement))
            .build(move |pending| {
                let sender: Client = sender.clone();
                let number = pending.transfer.id.0 as u64;
                async move {
                    create(&sender, earlier(number)).await;
                    Ok(decision(number))
                }
            })
            .unwrap();
        let progress = worker.progress();
        let worker = tokio::spawn(worker.run(std::future::pending()));
        until(&progress, "nine ends", |now| now.settled == 9).await;
        worker.abort();
        let mut told = told.lock().unwrap().clone();
        told.retain(|settlement| settlement.decision.is_some());
        told.sort_by_key(|settlement| settlement.pending.transfer.id.0);
        let told: Vec<_> = told
            .iter()
            .map(|settlement| (settlement.end, settlement.contradicts()))
            .collect();
        let (posted, voided) = (PendingStatus::Posted, PendingStatus::Voided);
        let expected = [
            (posted, false), // decided twice, the same
            (posted, true),  // void after post
            (posted, true),  // a part after all
            (voided, true),  // post after void
            (voided, false), // void, twice
            (posted, true),  // posted by somebody else, perhaps with another amount
            (voided, true),  // voided by somebody else
            (posted, false), // under the next id
        ];
        assert_eq!(told, expected);
        assert_eq!(progress.get().contradicted, 5);
        let ends: Vec<_> = stand(&client, 1..=8).await;
        let ends: Vec<_> = ends.iter().map(|pending| pending.status).collect();
        assert_eq!(ends, expected.map(|(end, _)| end));
        let settlements = settlements(&client).await;
        assert!(settlements.values().all(|settled| settled.len() == 1));
        let eighth = TransferId(8);
        assert_eq!(settlements[&eighth][0].id, settlement_id(eighth, 1));
    });
}
