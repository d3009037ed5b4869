//! Calls that wait: who gave up is not sent, the queue is bounded, connections share the load.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use farthing_client::*;

use crate::common::bank::assert_unknown;
use crate::common::{Fault, at_once};
use crate::{bank, bank_with, ids_of, payment, transfer};

#[tokio::test]
async fn who_gave_up_before_being_sent_is_not_sent() {
    let (cluster, client) = bank().await;
    // Two requests hang and keep the third call waiting.
    for id in [10, 11] {
        cluster.fault(Fault::Hang);
        let client = client.clone();
        tokio::spawn(async move { client.create_transfers(vec![payment(id)]).await });
        while cluster.request_count() < id as usize - 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let impatient = client.with_deadline(Duration::from_millis(50));
    let begun = Instant::now();
    let error = impatient
        .create_transfers(vec![payment(12)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    let waited = begun.elapsed();
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    let dropped = client.create_transfers(vec![payment(13)]);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), dropped)
            .await
            .is_err()
    );
    // Room again: the attempts' timeout frees it, and only the living call goes out.
    let outcomes = client.create_transfers(vec![payment(14)]).await.unwrap();
    assert!(outcomes[0].is_success());
    let sent: HashSet<u128> = cluster.lock().requests.iter().flat_map(ids_of).collect();
    assert!(sent.contains(&14) && !sent.contains(&12) && !sent.contains(&13));
}

#[tokio::test]
async fn a_deadline_is_kept_in_company_with_a_longer_one() {
    let (cluster, client) =
        bank_with(|builder| builder.attempt_timeout(Duration::from_secs(3))).await;
    cluster.lock().delay = Duration::from_millis(500);
    let pay = |client: &Client, id| {
        let client = client.clone();
        tokio::spawn(async move { client.create_transfers(vec![payment(id)]).await })
    };
    // Two requests are on their way, so the next two calls gather; theirs is never answered.
    let mut first = Vec::new();
    for id in [10, 11] {
        first.push(pay(&client, id));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let begun = Instant::now();
    let patient = pay(&client, 20);
    let hurried = pay(&client.with_deadline(Duration::from_millis(1_500)), 21);
    for call in first {
        assert!(call.await.unwrap().unwrap()[0].is_success());
    }
    cluster.fault(Fault::Hang);
    let error = hurried.await.unwrap().unwrap_err();
    let waited = begun.elapsed();
    assert_unknown(&error, &[21]);
    assert!(waited < Duration::from_millis(2_500), "{waited:?}");
    assert_eq!(ids_of(cluster.lock().requests.last().unwrap()), [20, 21]);
    // The other goes on, and alone.
    assert!(patient.await.unwrap().unwrap()[0].is_success());
    assert_eq!(ids_of(cluster.lock().requests.last().unwrap()), [20]);
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes() {
    let (cluster, client) = bank_with(|builder| builder.queue_bytes_max(0)).await;
    cluster.lock().delay = Duration::from_millis(500);
    let bulk = |first: u128| (first..first + 8_000).map(payment).collect::<Vec<_>>();
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
    let (cluster, client) = bank_with(|builder| builder.connections(3)).await;
    cluster.lock().delay = Duration::from_millis(20);
    let calls = at_once((0..60_u128).map(|number| {
        let client = client.clone();
        async move {
            let linked = transfer(1_000 + number, 1, 3, 1, TransferFlags::LINKED);
            let chain = vec![linked, payment(2_000 + number)];
            client.create_transfers(chain).await
        }
    }));
    for outcomes in calls.await {
        assert!(outcomes.unwrap().iter().all(Outcome::is_success));
    }
    assert_eq!(cluster.streams(), 3);
}
