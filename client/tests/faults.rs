//! Silence, refusals, lost leaders: what the SDK makes of them, held against what the
//! ledger really did.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::bank::{ALICE, BOB, PLAIN, bank, transfer};
use common::{CLUSTER_ID, Cluster, Fault};
use farthing_client::*;
use farthing_proto::error::Refused;

#[tokio::test]
async fn silence_until_the_deadline_is_an_unknown_outcome_with_the_ids_to_keep() {
    let (cluster, client) = bank(1).await;
    let client = client.with_deadline(Duration::from_millis(150));
    for (fault, id) in [(Fault::HangAfterApply, 10), (Fault::Hang, 11)] {
        cluster.fault(fault);
        let begun = Instant::now();
        let error = client
            .create_transfers(vec![transfer(id, PLAIN)])
            .await
            .unwrap_err();
        assert!(
            matches!(&error, Error::UnknownOutcome { ids, .. } if *ids == [id]),
            "{error:?}"
        );
        assert!(error.is_unknown_outcome());
        let waited = begun.elapsed();
        assert!(
            waited >= Duration::from_millis(150) && waited < Duration::from_secs(2),
            "{waited:?}"
        );
    }
    // The same ids again settle it.
    let outcomes = client
        .create_transfers(vec![transfer(10, PLAIN), transfer(11, PLAIN)])
        .await
        .unwrap();
    assert_eq!(outcomes[0].status, CreateTransferStatus::Exists);
    assert_eq!(outcomes[1].status, CreateTransferStatus::Created);
}

#[tokio::test]
async fn a_silent_leader_is_left_after_the_attempts_timeout() {
    let cluster = Cluster::start(2).await;
    let client = cluster
        .builder()
        .attempt_timeout(Duration::from_millis(100))
        .connect()
        .await
        .unwrap();
    let account = |id| Account {
        id,
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    cluster.fault(Fault::HangAfterApply);
    let creating = tokio::spawn({
        let client = client.clone();
        async move { client.create_accounts(vec![account(ALICE)]).await }
    });
    while cluster.request_count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cluster.set_leader(2);
    let outcomes = creating.await.unwrap().unwrap();
    assert!(outcomes[0].is_success() && outcomes[0].by_earlier_attempt);
}

#[tokio::test]
async fn what_was_never_sent_has_no_unknown_outcome() {
    let (cluster, client) = bank(2).await;
    cluster.set_leader(0);
    let before = cluster.request_count();
    let client = client.with_deadline(Duration::from_millis(100));
    let error = client
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotReachable { .. }), "{error:?}");
    assert_eq!(cluster.request_count(), before);

    let nobody = Client::builder().endpoint("127.0.0.1:1").build().unwrap();
    let nobody = nobody.with_deadline(Duration::from_millis(100));
    let error = nobody
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotReachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_follower_names_the_leader_and_the_client_goes_there() {
    let (cluster, client) = bank(3).await;
    cluster.set_leader(3);
    let outcomes = client
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap();
    assert!(outcomes[0].is_success());
    assert!(!outcomes[0].by_earlier_attempt);
    assert_eq!(
        client.lookup_accounts(&[BOB]).await.unwrap()[0]
            .unwrap()
            .credits_posted,
        10
    );
}

#[tokio::test]
async fn an_overloaded_leader_is_given_the_time_it_asks_for() {
    let (cluster, client) = bank(1).await;
    let busy =
        Refused::new(Reason::Overloaded, "busy").with_retry_after(Duration::from_millis(120));
    cluster.fault(Fault::Refuse(busy.clone()));
    let begun = Instant::now();
    client
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(120));
    // The stream was good all the time.
    assert_eq!(cluster.streams(), 1);

    // A hint beyond the deadline is no reason to wait for the deadline.
    let busy = Refused::new(Reason::Overloaded, "busy").with_retry_after(Duration::from_secs(60));
    cluster.fault(Fault::Refuse(busy));
    let begun = Instant::now();
    let error = client
        .create_transfers(vec![transfer(11, PLAIN)])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Overloaded {
                retry_after: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_refusal_for_good_is_told_at_once_and_alone() {
    let (cluster, client) = bank(1).await;
    cluster.fault(Fault::Refuse(Refused::invalid(vec![FieldError::new(
        "sections[0]",
        "words",
    )])));
    let error = client
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::InvalidRequest { violations } if violations[0].field == "sections[0]")
    );
    cluster.fault(Fault::Refuse(Refused::new(Reason::PermissionDenied, "no")));
    let error = client
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PermissionDenied));
    assert_eq!(error.code(), "PERMISSION_DENIED");
    assert_eq!(cluster.request_count(), 3);
    assert!(
        client
            .create_transfers(vec![transfer(10, PLAIN)])
            .await
            .unwrap()[0]
            .is_success()
    );
}

#[tokio::test]
async fn another_cluster_is_noticed_before_anything_is_sent() {
    let (cluster, _) = bank(1).await;
    let before = cluster.request_count();
    let stranger = cluster
        .builder()
        .cluster_id(CLUSTER_ID + 1)
        .build()
        .unwrap();
    let error = stranger
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::ClusterMismatch { found, .. } if *found == format_id(CLUSTER_ID)),
        "{error:?}"
    );
    assert_eq!(cluster.request_count(), before);
    assert!(
        cluster
            .builder()
            .cluster_id(CLUSTER_ID)
            .connect()
            .await
            .is_ok()
    );

    // Endpoints of two clusters are a mistake even when nobody said which one is meant.
    let other = Cluster::start(1).await;
    other.lock().cluster_id = 5;
    let mixed = cluster
        .builder()
        .endpoint(other.address(1))
        .build()
        .unwrap();
    let error = mixed
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ClusterMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn a_read_is_repeated_until_it_is_answered() {
    let (cluster, client) = bank(2).await;
    for reason in [Reason::Overloaded, Reason::Starting, Reason::NoLeader] {
        cluster
            .lock()
            .refuse_lookups
            .push_back(Refused::new(reason, "not now"));
    }
    assert!(client.lookup_accounts(&[BOB]).await.unwrap()[0].is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_dies_under_load_and_every_payment_is_made_once() {
    let (mut cluster, client) = bank(3).await;
    cluster.lock().delay = Duration::from_millis(2);
    let payers: Vec<_> = (0..20_u128)
        .map(|payer| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in 0..50 {
                    let id = 1_000 * (payer + 1) + number;
                    let outcomes = client
                        .create_transfers(vec![transfer(id, PLAIN)])
                        .await
                        .unwrap();
                    assert!(outcomes[0].is_success(), "{:?}", outcomes[0]);
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(60)).await;
    for fault in [
        Fault::LoseReply,
        Fault::ApplyAndRefuse(Refused::new(Reason::OutcomeUnknown, "?")),
    ] {
        cluster.fault(fault);
    }
    cluster.set_leader(2);
    cluster.kill(1).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    cluster.set_leader(0);
    tokio::time::sleep(Duration::from_millis(60)).await;
    cluster.set_leader(3);
    for payer in payers {
        payer.await.unwrap();
    }
    assert_eq!(cluster.account(BOB).credits_posted, 20 * 50 * 10);
    assert_eq!(cluster.lock().state.transfers().len(), 20 * 50);
}

#[tokio::test]
async fn a_node_that_answers_nobody_holds_nobody_up() {
    let (cluster, _) = bank(1).await;
    // It accepts connections and never says a word, as a stopped process does.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let begun = Instant::now();
    let client = cluster
        .builder()
        .endpoint(address)
        .cluster_id(CLUSTER_ID)
        .connect()
        .await
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        client
            .create_transfers(vec![transfer(10, PLAIN)])
            .await
            .unwrap()[0]
            .is_success()
    );
}

#[tokio::test]
async fn the_client_holds_answers_to_the_cluster_id_whatever_the_server_does() {
    let (cluster, client) = bank(2).await;
    cluster.lock().careless = true;
    let before = cluster.request_count();
    let stranger = cluster.builder().cluster_id(5).build().unwrap();
    let error = stranger
        .create_transfers(vec![transfer(10, PLAIN)])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::ClusterMismatch { expected, found, .. }
            if *expected == format_id(5) && *found == format_id(CLUSTER_ID)),
        "{error:?}"
    );
    assert_eq!(cluster.request_count(), before);

    // The id it learned itself counts as much, also when the leader has moved.
    cluster.lock().cluster_id = 6;
    cluster.set_leader(2);
    let error = client
        .create_transfers(vec![transfer(11, PLAIN)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ClusterMismatch { .. }), "{error:?}");
    assert_eq!(cluster.request_count(), before);
}
