//! Calls that are about nodes: reads of ledgers, reads without a leader, the administrator's.

use std::time::Duration;

use farthing_client::*;
use futures::StreamExt;

use crate::common::{CLUSTER_ID, Cluster};
use crate::{USD, bank};

#[tokio::test]
async fn all_ledgers_are_read_page_by_page() {
    let (_cluster, client, ..) = bank().await;
    let more: Vec<Ledger> = (1..=6).map(|number| Ledger::new(number, "X", 0)).collect();
    client.create_ledgers(&more).await.unwrap();
    let numbers: Vec<u32> = client
        .ledgers()
        .await
        .unwrap()
        .iter()
        .map(|row| row.ledger)
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, USD]);
    let found = client.lookup_ledgers(&[USD, 99]).await.unwrap();
    assert_eq!(
        (found[0].unwrap().currency(), found[0].unwrap().scale),
        (Some("USD"), 2)
    );
    assert_eq!(found[1], None);
}

#[tokio::test]
async fn one_endpoint_is_enough_even_that_of_a_follower() {
    let cluster = Cluster::start(3).await;
    let client = Client::connect([format!("http://{}/", cluster.address(3))])
        .await
        .unwrap();
    client
        .create_ledgers(&[Ledger::new(1, "X", 0)])
        .await
        .unwrap();
    assert_eq!(client.cluster_id(), Some(CLUSTER_ID));
    let mut endpoints = client.endpoints();
    endpoints.sort();
    let mut addresses = cluster.lock().addresses.clone();
    addresses.sort();
    assert_eq!(endpoints, addresses);
}

#[tokio::test]
async fn the_administrators_calls_work() {
    let (cluster, client, ..) = bank().await;
    let status = client.status(&cluster.address(2)).await.unwrap();
    assert_eq!((status.node_id, status.role()), (2, Role::Follower));
    assert_eq!(client.statuses().await.len(), 3);
    let digest = client.digest(&cluster.address(1), 0).await.unwrap();
    assert_eq!(digest.digest, 77);
    let error = client.digest(&cluster.address(1), 9).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::DigestNotKept));
    let moved = client.transfer_leader(Some(3)).await.unwrap();
    assert_eq!(moved.leader_id, 3);
    assert_eq!(client.ledgers().await.unwrap().len(), 1);
    let mut steps = std::pin::pin!(client.verify(&cluster.address(1)).await.unwrap());
    assert!(matches!(
        steps.next().await,
        Some(Ok(VerifyStep::Progress(_)))
    ));
    assert!(matches!(steps.next().await, Some(Ok(VerifyStep::Report(report))) if report.ok));
    assert!(steps.next().await.is_none());
}

#[tokio::test]
async fn a_node_that_is_down_is_an_error_beside_its_address() {
    let (mut cluster, client, ..) = bank().await;
    cluster.kill(2).await;
    let address = cluster.address(2);
    let statuses = client.statuses().await;
    assert_eq!(statuses.len(), 3);
    for (endpoint, status) in statuses {
        assert_eq!(status.is_err(), endpoint == address, "{endpoint}");
    }
}

#[tokio::test]
async fn reads_that_need_no_leader_do_without() {
    let (cluster, client, alice, _) = bank().await;
    cluster.set_leader(0);
    for consistency in [Consistency::Stale, Consistency::MinLogIndex(2)] {
        let found = client
            .lookup_accounts_at(&[alice], consistency)
            .await
            .unwrap();
        assert!(found[0].is_some());
        let key = RecordKey::new(7, b"order").unwrap();
        assert_eq!(
            client.lookup_records_at(&[key], consistency).await.unwrap(),
            [None]
        );
    }
    let impatient = client.with_deadline(Duration::from_millis(100));
    let error = impatient.lookup_accounts(&[alice]).await.unwrap_err();
    assert!(matches!(error, Error::NotReachable { .. }), "{error:?}");
}
