//! Silence and deadlines: what is said of a call that was not answered in time.

use std::time::{Duration, Instant};

use farthing_client::*;

use crate::common::bank::{ALICE, BOB, PLAIN, account, assert_unknown, bank, pay, transfer};
use crate::common::{CLUSTER_ID, Cluster, Fault};

#[tokio::test]
async fn silence_until_the_deadline_is_an_unknown_outcome_with_the_ids_to_keep() {
    let (cluster, client) = bank(1).await;
    let client = client.with_deadline(Duration::from_millis(150));
    for (fault, id) in [(Fault::HangAfterApply, 10), (Fault::Hang, 11)] {
        cluster.fault(fault);
        let begun = Instant::now();
        let error = pay(&client, id).await.unwrap_err();
        assert_unknown(&error, &[id]);
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
    let error = pay(&client, 10).await.unwrap_err();
    assert!(matches!(error, Error::NotReachable { .. }), "{error:?}");
    assert_eq!(cluster.request_count(), before);

    let nobody = Client::builder().endpoint("127.0.0.1:1").build().unwrap();
    let nobody = nobody.with_deadline(Duration::from_millis(100));
    let error = pay(&nobody, 10).await.unwrap_err();
    assert!(matches!(error, Error::NotReachable { .. }), "{error:?}");
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
    assert!(pay(&client, 10).await.unwrap().is_success());
}

#[tokio::test]
async fn the_server_is_told_how_much_time_is_left() {
    let (cluster, client) = bank(1).await;
    let client = client.with_deadline(Duration::from_secs(3));
    pay(&client, 10).await.unwrap();
    client.lookup_accounts(&[BOB]).await.unwrap();
    // Connecting has said something of the kind already.
    cluster.lock().unary_timeout = None;
    client.ledgers().await.unwrap();
    let shared = cluster.lock();
    let submit = shared.requests.last().unwrap().deadline_ms;
    let lookup = shared.lookups.last().unwrap().deadline_ms;
    for told in [submit, lookup] {
        assert!((1_000..=3_000).contains(&told), "{told} ms");
    }
    assert!(shared.unary_timeout.is_some());
}
