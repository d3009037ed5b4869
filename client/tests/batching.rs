//! Calls that travel together must not notice it.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use common::{Cluster, Fault};
use farthing_client::*;
use farthing_ledger::{EntryBuilder, EntryReader, MemoryState, RequestBuilder, apply};
use farthing_proto::v1::SubmitRequest;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const ACCOUNTS: u128 = 8;

fn account(id: u128) -> Account {
    // Half of them cannot go below zero, so that statuses depend on what came before.
    let flags = match id % 2 {
        0 => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        _ => AccountFlags::default(),
    };
    Account {
        id: AccountId(id),
        ledger: 1,
        code: 1,
        flags,
        ..Account::default()
    }
}

fn transfer(id: u128, debit: u128, credit: u128, amount: u128, flags: TransferFlags) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(debit),
        credit_account_id: AccountId(credit),
        amount,
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

async fn bank() -> (Cluster, Client) {
    let cluster = Cluster::start(1).await;
    let client = cluster.client().await;
    client
        .create_accounts((1..=ACCOUNTS).map(account).collect())
        .await
        .unwrap();
    (cluster, client)
}

fn ids_of(request: &SubmitRequest) -> Vec<u128> {
    let items = request
        .sections
        .iter()
        .flat_map(|section| section.items.chunks(128));
    items
        .map(|item| u128::from_le_bytes(item[..16].try_into().unwrap()))
        .collect()
}

#[tokio::test]
async fn many_callers_travel_in_few_requests_and_each_gets_its_own_answer() {
    let (cluster, client) = bank().await;
    cluster.lock().delay = Duration::from_millis(5);
    let before = cluster.request_count();
    let callers = (0..500_u128).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            // Every third is refused, each for a reason of its own.
            let (debit, expected) = match number % 3 {
                0 => (99, CreateTransferStatus::DebitAccountNotFound),
                1 => (3, CreateTransferStatus::AccountsMustBeDifferent),
                _ => (1, CreateTransferStatus::Created),
            };
            let item = transfer(1_000 + number, debit, 3, number, TransferFlags::default());
            let outcomes = client.create_transfers(vec![item]).await.unwrap();
            assert_eq!(outcomes.len(), 1);
            assert_eq!(outcomes[0].status, expected);
            (number, outcomes[0])
        })
    });
    let mut outcomes = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        outcomes.push(caller.await.unwrap());
    }
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
    let callers = (0..500_u128).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let asked = [AccountId(number % 12), AccountId(1)];
            let found = client.lookup_accounts(&asked).await.unwrap();
            let there = (1..=ACCOUNTS).contains(&asked[0].0);
            assert_eq!(
                found[0].map(|account| account.id),
                there.then_some(asked[0])
            );
            assert_eq!(found[1].unwrap().id, AccountId(1));
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let lookups = cluster.lock().lookups.len();
    assert!(lookups < 250, "{lookups} lookups for 500 callers");
}

#[tokio::test]
async fn a_lone_caller_waits_for_nobody() {
    let (cluster, client) = bank().await;
    let begun = Instant::now();
    for number in 0..100 {
        let item = transfer(1_000 + number, 1, 3, 1, TransferFlags::default());
        client.create_transfers(vec![item]).await.unwrap();
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
    let callers = (0..300_u128).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let id = 10_000 + number * 10;
            let plain = |id| transfer(id, 1, 3, 1, TransferFlags::default());
            let linked = |id, debit| transfer(id, debit, 3, 1, TransferFlags::LINKED);
            match number % 4 {
                0 => {
                    let chain = vec![linked(id, 1), plain(id + 1)];
                    let outcomes = client.create_transfers(chain).await.unwrap();
                    assert!(outcomes.iter().all(Outcome::is_success), "{outcomes:?}");
                }
                1 => {
                    let chain = vec![
                        plain(id),
                        linked(id + 1, 1),
                        transfer(id + 2, 99, 3, 1, TransferFlags::default()),
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
                    let lone = client.create_transfers(vec![plain(id)]).await.unwrap();
                    assert!(lone[0].is_success(), "{lone:?}");
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    for request in &cluster.lock().requests[1..] {
        let callers: HashSet<u128> = ids_of(request).iter().map(|id| id / 10).collect();
        let linked = request
            .sections
            .iter()
            .flat_map(|section| section.items.chunks(128))
            .any(|item| item[118] & 1 == 1);
        assert!(!linked || callers.len() == 1, "a chain shares its request");
    }

    let imported = Transfer {
        timestamp: 1,
        ..transfer(90_000, 1, 3, 1, TransferFlags::IMPORTED)
    };
    let (plain, imported) = tokio::join!(
        client.create_transfers(vec![transfer(90_001, 1, 3, 1, TransferFlags::default())]),
        client.create_transfers(vec![imported]),
    );
    assert!(plain.unwrap()[0].is_success());
    assert_ne!(
        imported.unwrap()[0].status,
        CreateTransferStatus::ImportedEventNotExpected
    );
}

/// Whatever was merged, replaying the callers' calls one by one, in the order in which the
/// ledger took them, gives the same statuses, the same balances.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merged_calls_are_judged_as_if_each_had_come_alone() {
    let (cluster, client) = bank().await;
    let mut rng = StdRng::seed_from_u64(41);
    let mut calls: Vec<Vec<Transfer>> = Vec::new();
    for call in 0..400_u128 {
        let count = rng.random_range(1..=4);
        let items = (0..count).map(|number| {
            // Some ids occur twice, in calls of different callers.
            let id = 1_000 + (call * 10 + number) % 3_500;
            let (debit, credit) = (
                rng.random_range(1..=ACCOUNTS + 1),
                rng.random_range(1..=ACCOUNTS),
            );
            let flags = match rng.random_range(0..6) {
                0 => TransferFlags::LINKED,
                1 => TransferFlags::PENDING,
                2 => TransferFlags::BALANCING_DEBIT,
                _ => TransferFlags::default(),
            };
            transfer(id, debit, credit, rng.random_range(0..50), flags)
        });
        calls.push(items.collect());
    }
    let running: Vec<_> = calls
        .iter()
        .cloned()
        .map(|call| {
            let client = client.clone();
            tokio::spawn(async move { client.create_transfers(call).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await.unwrap());
    }
    assert!(cluster.request_count() < 400, "nothing was merged");

    // Timestamps tell the order, refused items have theirs too; `exists` tells another's.
    let place = |number: usize| {
        let outcome = answers[number]
            .iter()
            .position(|outcome| outcome.status != CreateTransferStatus::Exists);
        let position = outcome.unwrap_or(0);
        answers[number][position].timestamp - position as u64
    };
    let exists_only = |number: &usize| {
        answers[*number]
            .iter()
            .all(|outcome| outcome.status == CreateTransferStatus::Exists)
    };
    let mut order: Vec<usize> = (0..calls.len())
        .filter(|number| !exists_only(number))
        .collect();
    order.sort_by_key(|number| place(*number));
    let mut alone = MemoryState::new();
    let mut submit = |request: RequestBuilder| {
        let mut entry = EntryBuilder::new(1);
        entry.push(&request.finish().unwrap()).unwrap();
        let bytes = entry.finish();
        let applied = apply(&alone, &EntryReader::new(&bytes).unwrap()).unwrap();
        alone.absorb(&applied.changes);
        applied.results[0].sections[0].clone()
    };
    let accounts: Vec<Account> = (1..=ACCOUNTS).map(account).collect();
    submit(RequestBuilder::new(b"").accounts(&accounts));
    for number in order {
        let results = submit(RequestBuilder::new(b"").transfers(&calls[number]));
        let expected: Vec<u32> = results.iter().map(|result| result.status).collect();
        let given: Vec<u32> = answers[number]
            .iter()
            .map(|outcome| outcome.status.code())
            .collect();
        assert_eq!(given, expected, "call {number}: {:?}", calls[number]);
    }
    let balances = |state: &MemoryState| {
        state
            .accounts()
            .iter()
            .map(Account::balances)
            .collect::<Vec<_>>()
    };
    assert_eq!(balances(&cluster.lock().state), balances(&alone));
}

#[tokio::test]
async fn who_gave_up_before_being_sent_is_not_sent() {
    let (cluster, client) = bank().await;
    // Two requests hang and keep the third call waiting.
    for id in [10, 11] {
        cluster.fault(Fault::Hang);
        let client = client.clone();
        tokio::spawn(async move {
            client
                .create_transfers(vec![transfer(id, 1, 3, 1, TransferFlags::default())])
                .await
        });
        while cluster.request_count() < id as usize - 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let impatient = client.with_deadline(Duration::from_millis(50));
    let error = impatient
        .create_transfers(vec![transfer(12, 1, 3, 1, TransferFlags::default())])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    let dropped = client.create_transfers(vec![transfer(13, 1, 3, 1, TransferFlags::default())]);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), dropped)
            .await
            .is_err()
    );
    // Room again: the attempts' timeout frees it, and only the living call goes out.
    let outcomes = client
        .create_transfers(vec![transfer(14, 1, 3, 1, TransferFlags::default())])
        .await
        .unwrap();
    assert!(outcomes[0].is_success());
    let sent: HashSet<u128> = cluster.lock().requests.iter().flat_map(ids_of).collect();
    assert!(sent.contains(&14) && !sent.contains(&12) && !sent.contains(&13));
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes() {
    let cluster = Cluster::start(1).await;
    let client = cluster
        .builder()
        .queue_bytes_max(0)
        .connect()
        .await
        .unwrap();
    client
        .create_accounts((1..=ACCOUNTS).map(account).collect())
        .await
        .unwrap();
    cluster.lock().delay = Duration::from_millis(500);
    let bulk = |first: u128| {
        (first..first + 8_000)
            .map(|id| transfer(id, 1, 3, 1, TransferFlags::default()))
            .collect::<Vec<_>>()
    };
    // Eight of a megabyte each fill the least queue there is.
    let full: Vec<_> = (1..=8_u128)
        .map(|number| {
            let (client, items) = (client.clone(), bulk(number * 10_000));
            tokio::spawn(async move { client.create_transfers(items).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let impatient = client.with_deadline(Duration::from_millis(50));
    let error = impatient.create_transfers(bulk(900_000)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Deadline { cause } if cause.contains("queue")),
        "{error:?}"
    );
    for call in full {
        assert!(call.await.unwrap().unwrap().iter().all(Outcome::is_success));
    }
    assert!(
        impatient
            .with_deadline(Duration::from_secs(5))
            .create_transfers(bulk(900_000))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn several_connections_share_the_load() {
    let cluster = Cluster::start(1).await;
    let client = cluster.builder().connections(3).connect().await.unwrap();
    client
        .create_accounts((1..=ACCOUNTS).map(account).collect())
        .await
        .unwrap();
    cluster.lock().delay = Duration::from_millis(20);
    let callers: Vec<_> = (0..60_u128)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let item = transfer(1_000 + number, 1, 3, 1, TransferFlags::LINKED);
                client
                    .create_transfers(vec![
                        item,
                        transfer(2_000 + number, 1, 3, 1, TransferFlags::default()),
                    ])
                    .await
            })
        })
        .collect();
    for caller in callers {
        assert!(
            caller
                .await
                .unwrap()
                .unwrap()
                .iter()
                .all(Outcome::is_success)
        );
    }
    assert_eq!(cluster.streams(), 3);
}
