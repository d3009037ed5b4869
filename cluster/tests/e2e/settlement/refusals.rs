//! What the ledger refuses is told, and done as it is answered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use farthing_client::events::{Cursor, EventFilter, EventKind};
use farthing_client::settlement::{
    AfterRefusal, Decision, RefusalCause, SettlementWorker, StartFrom, settlement_id,
};
use farthing_client::{
    Amount, CreateTransferStatus, Error, PendingStatus, Transfer, TransferFlags, TransferId,
};
use tokio::runtime::Runtime;

use super::super::support::Cluster;
use super::{
    CODE, LEDGER, PAYER, connect, create, prepare, receiver, reserve, settlements, stand, until,
};

/// Closes the account of receiver 1, and is undone by its void.
fn closing() -> Transfer {
    Transfer {
        id: TransferId(500),
        debit_account_id: PAYER,
        credit_account_id: receiver(1),
        ledger: LEDGER,
        code: CODE + 1,
        flags: TransferFlags::PENDING.with(TransferFlags::CLOSING_CREDIT),
        ..Transfer::default()
    }
}

#[test]
fn a_refusal_is_told_and_answered() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        create(&client, [reserve(400, 0)]).await;
        let before = stand(&client, 400..=400).await[0].sequence;
        create(&client, [1, 11, 21, 3, 4].map(|number| reserve(number, 0))).await;
        create(&client, [closing()]).await;
        let told: Arc<Mutex<Vec<(u128, String)>>> = Arc::default();
        let tell = Arc::clone(&told);
        let worker = SettlementWorker::builder(&client, "cards")
            .filter(EventFilter {
                code: Some(CODE),
                ..EventFilter::default()
            })
            .start_from(StartFrom::Sequence(before + 1))
            .save_interval(Duration::from_millis(50))
            .failures_max(3)
            .retry(Duration::from_millis(5), Duration::from_millis(50))
            .on_refused(move |refusal| {
                let number = refusal.pending.transfer.id.0;
                let words = match refusal.cause {
                    RefusalCause::Status(status) => status.to_string(),
                    other => other.to_string(),
                };
                tell.lock().unwrap().push((number, words));
                async move {
                    match number {
                        1 => AfterRefusal::Again(Duration::from_millis(50)),
                        11 | 3 => AfterRefusal::Void,
                        _ => AfterRefusal::Leave,
                    }
                }
            })
            .build(|pending| async move {
                match pending.transfer.id.0 {
                    3 => Ok(Decision::PostAmount(Amount::Units(1_000_000))),
                    4 => Err("the rail is gone".into()),
                    _ => Ok(Decision::Post),
                }
            })
            .unwrap();
        let progress = worker.progress();
        let worker = tokio::spawn(worker.run(std::future::pending()));
        let now = until(&progress, "all are refused", |now| {
            now.refused >= 8 && now.voided == 2 && now.left == 2
        })
        .await;
        assert_eq!((now.open, now.posted, now.retries), (1, 0, 2));
        // It is opened again, and what was asked for again goes through under an id that is not used up.
        let reopen = Transfer {
            id: TransferId(501),
            pending_id: TransferId(500),
            flags: TransferFlags::VOID_PENDING_TRANSFER,
            ..Transfer::default()
        };
        create(&client, [reopen]).await;
        let now = until(&progress, "it is posted", |now| now.posted == 1).await;
        assert_eq!((now.settled, now.contradicted), (5, 0));
        until(&progress, "the cursor passes all", |now| {
            now.open == 0 && now.saved >= before + 5
        })
        .await;
        worker.abort();
        let told = told.lock().unwrap().clone();
        let words = |of: u128| -> Vec<&str> {
            let told = told.iter().filter(|(number, _)| *number == of);
            told.map(|(_, words)| words.as_str()).collect()
        };
        let closed = CreateTransferStatus::CreditAccountAlreadyClosed.name();
        assert!(words(1).len() >= 4 && words(1).iter().all(|word| *word == closed));
        assert_eq!((words(11), words(21)), (vec![closed], vec![closed]));
        assert_eq!(words(3), ["exceeds_pending_transfer_amount"]);
        assert_eq!(words(4), ["nothing was decided: the rail is gone"]);
        let settlements = settlements(&client).await;
        let under = |number: u128| settlements[&TransferId(number)][0].id;
        let id = |number, attempt| settlement_id(TransferId(number), attempt);
        let attempts = words(1).len() as u32;
        assert_eq!(under(1), id(1, attempts), "each refusal has used up one");
        assert_eq!((under(11), under(3)), (id(11, 1), id(3, 0)));
        for number in [4, 21, 400] {
            let known = stand(&client, number..=number).await;
            assert_eq!(known[0].status, PendingStatus::Pending);
        }
    });
}

#[test]
fn now_is_the_first_start_and_settings_are_checked() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    Runtime::new().unwrap().block_on(async {
        let client = connect(&endpoints).await;
        prepare(&client).await;
        create(&client, [reserve(1, 0)]).await;
        let worker = || {
            SettlementWorker::builder(&client, "late")
                .start_from(StartFrom::Now)
                .build(|_| async { Ok(Decision::Post) })
                .unwrap()
        };
        let first = tokio::spawn(worker().run(std::future::pending()));
        let begun = std::time::Instant::now();
        while Cursor::open(&client, "late").await.unwrap().sequence() == 0 {
            assert!(begun.elapsed() < super::PATIENCE, "it does not begin");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It dies at once; what comes while none runs is the next one's.
        first.abort();
        let _ = first.await;
        create(&client, [reserve(2, 0)]).await;
        let second = worker();
        let progress = second.progress();
        let second = tokio::spawn(second.run(std::future::pending()));
        create(&client, [reserve(3, 0)]).await;
        until(&progress, "both are posted", |now| now.settled == 2).await;
        second.abort();
        let ends: Vec<_> = stand(&client, 1..=3).await;
        let ends: Vec<_> = ends.iter().map(|pending| pending.status).collect();
        let (pending, posted) = (PendingStatus::Pending, PendingStatus::Posted);
        assert_eq!(ends, [pending, posted, posted]);

        let kinds = EventFilter {
            kinds: vec![EventKind::AccountCreated],
            ..EventFilter::default()
        };
        let long = "x".repeat(58);
        for (name, filter) in [("", None), (long.as_str(), None), ("cards", Some(kinds))] {
            let refused = SettlementWorker::builder(&client, name)
                .filter(filter.unwrap_or_default())
                .build(|_| async { Ok(Decision::Post) });
            let refused = refused.unwrap_err();
            assert!(matches!(refused, Error::InvalidRequest { .. }), "{refused}");
        }
    });
}
