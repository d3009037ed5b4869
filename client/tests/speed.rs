//! What the SDK itself costs, against a server in the same process. Prints figures; fails
//! only far below what a slow machine gives.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::time::{Duration, Instant};

use common::Cluster;
use farthing_client::*;

const ALICE: AccountId = AccountId(1);
const BOB: AccountId = AccountId(2);

fn transfer() -> Transfer {
    Transfer {
        id: TransferId(ids::new()),
        debit_account_id: ALICE,
        credit_account_id: BOB,
        amount: 1,
        ledger: 1,
        code: 1,
        ..Transfer::default()
    }
}

/// Calls of `items` transfers each from `callers` tasks for a while: transfers a second,
/// and the median latency of a call.
async fn run(client: &Client, callers: usize, items: usize) -> (f64, Duration) {
    let begun = Instant::now();
    let end = begun + Duration::from_millis(1_500);
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while Instant::now() < end {
                    let batch: Vec<Transfer> = (0..items).map(|_| transfer()).collect();
                    let sent = Instant::now();
                    let outcomes = client.create_transfers(batch).await.unwrap();
                    assert!(outcomes.iter().all(Outcome::is_success));
                    latencies.push(sent.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    let rate = (latencies.len() * items) as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (rate, latencies[latencies.len() / 2])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_is_not_what_takes_the_time() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client().await;
    let account = |id| Account {
        id,
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    client
        .create_accounts(vec![account(ALICE), account(BOB)])
        .await
        .unwrap();

    let (_, lone) = run(&client, 1, 1).await;
    let (many, median) = run(&client, 100, 1).await;
    let (bulk, _) = run(&client, 4, ITEMS_MAX).await;
    println!("a lone caller: {lone:?}; 100 callers: {many:.0}/s at {median:?}; bulk: {bulk:.0}/s");
    assert!(lone < Duration::from_millis(20), "{lone:?}");
    assert!(many > 2_000.0, "{many}");
    assert!(bulk > 20_000.0, "{bulk}");
}
