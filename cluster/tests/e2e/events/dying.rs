//! Every event once, while nodes die.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farthing_client::events::{EventBody, EventsOptions, Subscription};
use farthing_client::{Client, TransferId};
use tokio::runtime::Runtime;

use super::super::support::{Cluster, leader, nodes};
use super::{PATIENCE, eventually, pay, prepare};

/// What a subscriber has seen, for those who do harm meanwhile.
#[derive(Default)]
struct Seen {
    transfers: AtomicU64,
    endpoint: Mutex<String>,
}

/// Takes events until all payments are there, and holds every one to the order of the ledger. The last sequence.
async fn subscribe(mut events: Subscription, payments: u64, seen: Arc<Seen>) -> u64 {
    let (mut sequence, mut paid) = (0, 0);
    while paid < payments {
        let event = events.next_event().await.unwrap().unwrap();
        assert_eq!(event.sequence, sequence + 1, "dense");
        sequence = event.sequence;
        if let EventBody::TransferCreated(created) = event.body {
            paid += 1;
            // One writer: the order of the ledger is his.
            assert_eq!(created.transfer.id, TransferId(u128::from(paid)));
            assert_eq!(created.transfer.amount, u128::from(paid));
        }
        seen.transfers.store(paid, Ordering::SeqCst);
        let endpoint = events.endpoint().unwrap_or_default();
        let mut told = seen.endpoint.lock().unwrap();
        if *told != endpoint {
            endpoint.clone_into(&mut told);
        }
    }
    sequence
}

#[test]
fn every_event_comes_once_while_nodes_die() {
    const PAYMENTS: u64 = 24_000;
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    let runtime = Runtime::new().unwrap();
    let seen = Arc::new(Seen::default());
    let (subscriber, writer) = runtime.block_on(async {
        let client = Client::builder().deadline(PATIENCE).endpoints(&endpoints);
        let client = client.connect().await.unwrap();
        prepare(&client, 10).await;
        let options = EventsOptions {
            silence_max: Duration::from_secs(2),
            ..EventsOptions::default()
        };
        let events = client.events(options);
        let subscriber = tokio::spawn(subscribe(events, PAYMENTS, Arc::clone(&seen)));
        let writer = tokio::spawn(async move {
            for first in (1..=PAYMENTS).step_by(20) {
                pay(&client, first..first + 20).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        (subscriber, writer)
    });
    let reached = |count| {
        eventually("the subscriber goes on", || {
            assert!(!subscriber.is_finished() || seen.transfers.load(Ordering::SeqCst) >= count);
            seen.transfers.load(Ordering::SeqCst) >= count
        });
    };
    // Whichever node serves it, and the one that leads, in turn; then one that does not die but says nothing.
    for (round, harm) in ["serving", "leader", "serving", "silent"]
        .iter()
        .enumerate()
    {
        reached(PAYMENTS / 5 * (round as u64 + 1));
        let status = cluster.status();
        let served_by = seen.endpoint.lock().unwrap().clone();
        let serving = nodes(&status).find(|node| node["client_address"] == served_by.as_str());
        let serving = serving.unwrap()["id"].as_u64().unwrap();
        let id = match *harm {
            "leader" => cluster.wait_for_leader(),
            _ => serving,
        };
        let id = id.to_string();
        let (harm_command, heal_command) = match *harm {
            "silent" => ("pause", "resume"),
            _ => ("kill", "restart"),
        };
        cluster.ok(["cluster", harm_command, id.as_str()]);
        if id == serving.to_string() {
            eventually("another node serves", || {
                assert!(!subscriber.is_finished(), "it gave up");
                *seen.endpoint.lock().unwrap() != served_by
            });
        }
        reached(seen.transfers.load(Ordering::SeqCst) + 20);
        cluster.ok(["cluster", heal_command, id.as_str()]);
    }
    let last = runtime.block_on(async {
        writer.await.unwrap();
        subscriber.await.unwrap()
    });
    // The same from the beginning, as bytes, and no more.
    runtime.block_on(async {
        let client = Client::connect(&endpoints).await.unwrap();
        let options = EventsOptions {
            until: Some(last),
            ..EventsOptions::default()
        };
        let mut events = client.packed_events(options);
        let mut sequence = 0;
        while let Some(batch) = events.next().await.unwrap() {
            for bytes in batch.iter() {
                sequence += 1;
                assert_eq!(bytes[..8], u64::to_le_bytes(sequence));
            }
        }
        assert_eq!(sequence, last);
    });
    assert!(leader(&cluster.status()).is_some());
}
