//! Answers of another cluster are noticed, and nothing is sent there.

use farthing_client::*;

use crate::common::bank::{bank, pay};
use crate::common::{CLUSTER_ID, Cluster};

#[tokio::test]
async fn another_cluster_is_noticed_before_anything_is_sent() {
    let (cluster, _) = bank(1).await;
    let before = cluster.request_count();
    let stranger = cluster
        .builder()
        .cluster_id(CLUSTER_ID + 1)
        .build()
        .unwrap();
    let error = pay(&stranger, 10).await.unwrap_err();
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
    let error = pay(&mixed, 10).await.unwrap_err();
    assert!(matches!(error, Error::ClusterMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn the_client_holds_answers_to_the_cluster_id_whatever_the_server_does() {
    let (cluster, client) = bank(2).await;
    cluster.lock().careless = true;
    let before = cluster.request_count();
    let stranger = cluster.builder().cluster_id(5).build().unwrap();
    let error = pay(&stranger, 10).await.unwrap_err();
    assert!(
        matches!(&error, Error::ClusterMismatch { expected, found, .. }
            if *expected == format_id(5) && *found == format_id(CLUSTER_ID)),
        "{error:?}"
    );
    assert_eq!(cluster.request_count(), before);

    // The id it learned itself counts as much, also when the leader has moved.
    cluster.lock().cluster_id = 6;
    cluster.set_leader(2);
    let error = pay(&client, 11).await.unwrap_err();
    assert!(matches!(error, Error::ClusterMismatch { .. }), "{error:?}");
    assert_eq!(cluster.request_count(), before);
}
