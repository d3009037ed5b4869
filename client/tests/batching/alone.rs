//! Merged or not, the ledger's judgement is the same.

use farthing_client::*;
use farthing_ledger::{EntryBuilder, EntryReader, MemoryState, RequestBuilder, apply};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::common::at_once;
use crate::{ACCOUNTS, account, bank, transfer};

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
    let answers = at_once(calls.iter().cloned().map(|call| {
        let client = client.clone();
        async move { client.create_transfers(call).await.unwrap() }
    }))
    .await;
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
