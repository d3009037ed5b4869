//! A worker that is killed at any moment loses none and repeats none.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use farthing_client::events::Cursor;
use farthing_client::settlement::{Decision, settlement_id};
use farthing_client::{AccountId, PendingStatus, TransferFlags, TransferId};
use rand::Rng;
use tokio::runtime::Runtime;

use super::super::support::Cluster;
use super::process::{Worker, rule};
use super::{
    PATIENCE, PAYER, RECEIVERS, connect, initiate, prepare, receiver, reserve, settlements, stand,
};

const PENDINGS: u64 = 6_000;
const KILLS: u64 = 8;

/// The end, and how much of it was posted.
fn expected(number: u64) -> (PendingStatus, u128) {
    let amount = reserve(number, 0).amount;
    match rule(number.into(), amount) {
        Decision::Void => (PendingStatus::Voided, 0),
        Decision::PostAmount(_) => (PendingStatus::Posted, amount / 2),
        _ => (PendingStatus::Posted, amount),
    }
}

#[test]
fn a_worker_that_is_killed_loses_none_and_repeats_none() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    let report = cluster.path().join("report");
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(connect(&endpoints));
    runtime.block_on(prepare(&client));
    // The initiator knows nothing of the worker.
    let initiator = {
        let client = client.clone();
        runtime.spawn(async move {
            for first in (1..=PENDINGS).step_by(20) {
                initiate(&client, first..first + 20).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    let mut random = rand::rng();
    let mut settled_at_kills = vec![];
    for kill in 1..=KILLS {
        let mut worker = Worker::start(&endpoints, &report);
        std::thread::sleep(Duration::from_millis(random.random_range(150..900)));
        if kill == KILLS / 2 {
            let leader = cluster.wait_for_leader().to_string();
            cluster.ok(["cluster", "kill", leader.as_str()]);
            std::thread::sleep(Duration::from_millis(random.random_range(0..1_500)));
            worker.kill();
            cluster.ok(["cluster", "restart", leader.as_str()]);
        } else {
            worker.kill();
        }
        let known = runtime.block_on(stand(&client, 1..=PENDINGS));
        let open = known
            .iter()
            .filter(|pending| pending.status == PendingStatus::Pending);
        settled_at_kills.push(known.len() - open.count());
    }
    // They did something, and they did not do all.
    let last = *settled_at_kills.last().unwrap() as u64;
    assert!(last > 0 && last < PENDINGS, "{settled_at_kills:?}");
    let worker = Worker::start(&endpoints, &report);
    runtime.block_on(async {
        initiator.await.unwrap();
        let begun = Instant::now();
        loop {
            let known = stand(&client, 1..=PENDINGS).await;
            assert_eq!(known.len() as u64, PENDINGS);
            let mut open = known
                .iter()
                .filter(|pending| pending.status == PendingStatus::Pending)
                .map(|pending| pending.transfer.id.0);
            let Some(first) = open.next() else { break };
            let more = open.count();
            assert!(
                begun.elapsed() < PATIENCE,
                "{first} is lost, and {more} more"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    worker.stop();
    runtime.block_on(async {
        let settlements = settlements(&client).await;
        let ends = stand(&client, 1..=PENDINGS).await;
        let mut credits: BTreeMap<AccountId, u128> = BTreeMap::new();
        for number in 1..=PENDINGS {
            let id = TransferId(number.into());
            let (end, amount) = expected(number);
            assert_eq!(ends[number as usize - 1].status, end, "{number}");
            let [settlement] = settlements[&id].as_slice() else {
                panic!("{number} is settled by {:?}", settlements[&id]);
            };
            assert_eq!(settlement.id, settlement_id(id, 0), "{number}");
            if end == PendingStatus::Posted {
                assert!(
                    settlement
                        .flags
                        .contains(TransferFlags::POST_PENDING_TRANSFER)
                );
                assert_eq!(settlement.amount, amount, "{number}");
            }
            *credits.entry(receiver(number)).or_default() += amount;
        }
        assert_eq!(settlements.len() as u64, PENDINGS);
        let ids: Vec<AccountId> = (0..RECEIVERS).map(receiver).collect();
        for account in client.lookup_accounts(&ids).await.unwrap() {
            let account = account.unwrap();
            assert_eq!(account.credits_posted, credits[&account.id]);
            assert_eq!((account.credits_pending, account.debits_posted), (0, 0));
        }
        let payer = client.lookup_accounts(&[PAYER]).await.unwrap()[0].unwrap();
        assert_eq!(payer.debits_posted, credits.values().sum::<u128>());
        assert_eq!(payer.debits_pending, 0);
        // What it said at last is what it left behind.
        let said = std::fs::read_to_string(&report).unwrap();
        let said: Vec<u64> = said.split(' ').map(|word| word.parse().unwrap()).collect();
        let cursor = Cursor::open(&client, "cards").await.unwrap();
        assert_eq!(said[1..], [0, cursor.sequence()]);
        assert!(said[0] >= PENDINGS - last, "{said:?} {settled_at_kills:?}");
    });
    cluster.ok(["verify"]);
}
