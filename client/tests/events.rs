//! Subscriptions whose nodes break them in every way, and cursors whose answers are lost.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::services::events::{EVENTS, Stream};
use common::{Cluster, Fault};
use farthing_client::events::{Cursor, EventsOptions, Subscription};
use farthing_client::{Client, Error, Reason};

const IMPATIENT: Duration = Duration::from_millis(200);

async fn subscribe(streams: &[Stream]) -> (Cluster, Subscription) {
    let cluster = Cluster::start(3).await;
    cluster.lock().event_streams.extend(streams.iter().cloned());
    let options = EventsOptions {
        until: Some(EVENTS),
        silence_max: IMPATIENT,
        ..EventsOptions::default()
    };
    let events = cluster.client().await.events(options);
    (cluster, events)
}

/// Every sequence up to the end.
async fn rest(events: &mut Subscription) -> Vec<u64> {
    let mut sequences = vec![];
    while let Some(event) = events.next_event().await.unwrap() {
        sequences.push(event.sequence);
    }
    sequences
}

#[tokio::test]
async fn a_subscription_outlives_its_streams() {
    let (cluster, mut events) = subscribe(&[
        Stream::Ends(10),
        Stream::Refused(Reason::ShuttingDown),
        Stream::Silent,
        Stream::Ends(1),
        Stream::Refused(Reason::Overloaded),
        Stream::Refused(Reason::NodeSuspect),
        Stream::Refused(Reason::Internal),
        Stream::Ends(20),
    ])
    .await;
    assert!(rest(&mut events).await.into_iter().eq(1..=EVENTS));
    assert_eq!(events.lag(), 0);
    let subscribed = cluster.lock().subscribed.clone();
    let from: Vec<u64> = subscribed.iter().map(|(_, from)| *from).collect();
    assert_eq!(from, [1, 11, 11, 11, 12, 12, 12, 12, 32]);
    // Another node each time.
    assert!(
        subscribed.windows(2).all(|pair| pair[0].0 != pair[1].0),
        "{subscribed:?}"
    );
}

#[tokio::test]
async fn what_is_left_out_or_repeated_is_an_error_and_is_not_given() {
    for broken in [Stream::Skips, Stream::Repeats] {
        let (_cluster, mut events) = subscribe(&[Stream::Ends(10), broken]).await;
        let first = events.next().await.unwrap().unwrap();
        assert_eq!((first.events.len(), first.last_sequence), (10, 10));
        let error = events.next().await.unwrap_err();
        assert!(matches!(error, Error::BrokenStream { .. }), "{error}");
        assert_eq!(events.last_sequence(), 10);
        assert!(rest(&mut events).await.into_iter().eq(11..=EVENTS));
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_loses_nothing() {
    let (_cluster, mut events) = subscribe(&[Stream::Ends(10), Stream::Silent]).await;
    let mut sequences = vec![];
    while sequences.last() != Some(&EVENTS) {
        let next = tokio::time::timeout(Duration::from_millis(60), events.next_event());
        if let Ok(event) = next.await {
            sequences.push(event.unwrap().unwrap().sequence);
        }
    }
    assert!(sequences.into_iter().eq(1..=EVENTS));
}

#[tokio::test]
async fn patience_ends_when_no_node_serves() {
    let mut cluster = Cluster::start(2).await;
    let client = cluster.client().await;
    cluster.kill(1).await;
    cluster.kill(2).await;
    let options = EventsOptions {
        patience: Some(IMPATIENT),
        ..EventsOptions::default()
    };
    let mut events = client.events(options);
    // Twice: an error is not the end.
    for _ in 0..2 {
        let error = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
        let error = error.unwrap().unwrap_err();
        assert!(matches!(error, Error::NotReachable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_save_whose_answer_is_lost_is_not_somebody_elses() {
    let cluster = Cluster::start(1).await;
    let client: Client = cluster
        .client()
        .await
        .with_deadline(Duration::from_millis(500));
    let mut cursor = Cursor::open(&client, "receipts").await.unwrap();
    assert!(!cursor.exists());
    for (save, fault) in [(5, Fault::HangAfterApply), (7, Fault::Hang)] {
        cluster.fault(fault);
        let error = cursor.save(save).await.unwrap_err();
        assert!(error.is_unknown_outcome(), "{error}");
        cursor.save(save + 1).await.unwrap();
        let again = Cursor::open(&client, "receipts").await.unwrap();
        assert!(again.exists());
        assert_eq!(again.sequence(), save + 1);
    }
    let mut other = Cursor::open(&client, "receipts").await.unwrap();
    other.save(20).await.unwrap();
    let error = cursor.save(21).await.unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }), "{error}");
    // To save what stands already says nothing to the other; a claim does.
    let mut third = Cursor::open(&client, "receipts").await.unwrap();
    third.save(20).await.unwrap();
    other.save(22).await.unwrap();
    let mut third = Cursor::open(&client, "receipts").await.unwrap();
    third.claim(22).await.unwrap();
    let error = other.save(23).await.unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }), "{error}");
}
