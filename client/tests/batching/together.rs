//! Who travels together, who never does, and that each gets its own answer.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use farthing_client::*;

use crate::common::at_once;
use crate::common::bank::PLAIN;
use crate::{ACCOUNTS, bank, ids_of, items_of, payment, transfer};

#[tokio::test]
async fn many_callers_travel_in_few_requests_and_each_gets_its_own_answer() {
    let (cluster, client) = bank().await;
    cluster.lock().delay = Duration::from_millis(5);
    let before = cluster.request_count();
    let outcomes = at_once((0..500_u128).map(|number| {
        let client = client.clone();
        async move {
            // Every third is refused, each for a reason of its own.
            let (debit, expected) = match number % 3 {
                0 => (99, CreateTransferStatus::DebitAccountNotFound),
                1 => (3, CreateTransferStatus::AccountsMustBeDifferent),
                _ => (1, CreateTransferStatus::Created),
            };
            let item = transfer(1_000 + number, debit, 3, number, PLAIN);
            let outcomes = client.create_transfers(vec![item]).await.unwrap();
            assert_eq!(outcomes.len(), 1);
            assert_eq!(outcomes[0].status, expected);
            (number, outcomes[0])
        }
    }))
    .await;
    let requests = cluster.request_count() - before;
    assert!(requests <= 12, "{requests} requests for 500 callers");
    for (number, outcome) in outcomes.iter().filter(|(_, outcome)| outcome.is_success()) {
        let id = TransferId(1_000 + number);
        let stored = client.lookup_transfers(&[id]).await.unwrap()[0].unwrap();
        assert_eq!(
            (stored.amount, stored.timestamp),
            (*number, outcome.timestamp)
        );
    }
    assert_eq!(cluster.streams(), 1);
}

#[tokio::test]
async fn lookups_travel_together_and_each_gets_its_own_answer() {
    let (cluster, client) = bank().await;
    at_once((0..500_u128).map(|number| {
        let client = client.clone();
        async move {
            let asked = [AccountId(number % 12), AccountId(1)];
            let found = client.lookup_accounts(&asked).await.unwrap();
            let there = (1..=ACCOUNTS).contains(&asked[0].0);
            assert_eq!(
                found[0].map(|account| account.id),
                there.then_some(asked[0])
            );
            assert_eq!(found[1].unwrap().id, AccountId(1));
        }
    }))
    .await;
    let lookups = cluster.lock().lookups.len();
    assert!(lookups < 250, "{lookups} lookups for 500 callers");
}

#[tokio::test]
async fn a_lone_caller_waits_for_nobody() {
    let (cluster, client) = bank().await;
    let begun = Instant::now();
    for number in 0..100 {
        let items = vec![payment(1_000 + number)];
        client.create_transfers(items).await.unwrap();
    }
    // A gathering timer of one millisecond would already show.
    let each = begun.elapsed() / 100;
    assert_eq!(cluster.request_count(), 101);
    assert!(each < Duration::from_millis(5), "{each:?} each");
}

#[tokio::test]
async fn chains_and_imported_items_never_share_a_request() {
    let (cluster, client) = bank().await;
    cluster.lock().delay = Duration::from_millis(2);
    at_once((0..300_u128).map(|number| {
        let client = client.clone();
        async move {
            let id = 10_000 + number * 10;
            let linked = |id, debit| transfer(id, debit, 3, 1, TransferFlags::LINKED);
            match number % 4 {
                0 => {
                    let chain = vec![linked(id, 1), payment(id + 1)];
                    let outcomes = client.create_transfers(chain).await.unwrap();
                    assert!(outcomes.iter().all(Outcome::is_success), "{outcomes:?}");
                }
                1 => {
                    let chain = vec![
                        payment(id),
                        linked(id + 1, 1),
                        transfer(id + 2, 99, 3, 1, PLAIN),
                    ];
                    let statuses = client.create_transfers(chain).await.unwrap();
                    assert_eq!(statuses[0].status, CreateTransferStatus::Created);
                    assert_eq!(statuses[1].status, CreateTransferStatus::LinkedEventFailed);
                    assert_eq!(
                        statuses[2].status,
                        CreateTransferStatus::DebitAccountNotFound
                    );
                }
                2 => {
                    // Open at the end: it must not swallow the item of another caller.
                    let open = client.create_transfers(vec![linked(id, 1)]).await.unwrap();
                    assert_eq!(open[0].status, CreateTransferStatus::LinkedEventChainOpen);
                }
                _ => {
                    let lone = client.create_transfers(vec![payment(id)]).await.unwrap();
                    assert!(lone[0].is_success(), "{lone:?}");
                }
            }
        }
    }))
    .await;
    for request in &cluster.lock().requests[1..] {
        let callers: HashSet<u128> = ids_of(request).iter().map(|id| id / 10).collect();
        let linked = items_of(request).any(|item| item[118] & 1 == 1);
        assert!(!linked || callers.len() == 1, "a chain shares its request");
    }

    let imported = Transfer {
        timestamp: 1,
        ..transfer(90_000, 1, 3, 1, TransferFlags::IMPORTED)
    };
    let (plain, imported) = tokio::join!(
        client.create_transfers(vec![payment(90_001)]),
        client.create_transfers(vec![imported]),
    );
    assert!(plain.unwrap()[0].is_success());
    assert_ne!(
        imported.unwrap()[0].status,
        CreateTransferStatus::ImportedEventNotExpected
    );
}
