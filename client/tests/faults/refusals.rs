//! Refusals: those that are waited out, and those that are told at once.

use std::time::{Duration, Instant};

use farthing_client::*;
use farthing_proto::error::Refused;

use crate::common::Fault;
use crate::common::bank::{assert_unknown, bank, pay};

#[tokio::test]
async fn an_overloaded_leader_is_given_the_time_it_asks_for() {
    let (cluster, client) = bank(1).await;
    let busy =
        Refused::new(Reason::Overloaded, "busy").with_retry_after(Duration::from_millis(120));
    cluster.fault(Fault::Refuse(busy.clone()));
    let begun = Instant::now();
    pay(&client, 10).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(120));
    // The stream was good all the time.
    assert_eq!(cluster.streams(), 1);

    // A hint beyond the deadline is no reason to wait for the deadline.
    let busy = Refused::new(Reason::Overloaded, "busy").with_retry_after(Duration::from_secs(60));
    cluster.fault(Fault::Refuse(busy));
    let begun = Instant::now();
    let error = pay(&client, 11).await.unwrap_err();
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
async fn a_cluster_without_room_is_asked_again_until_the_deadline() {
    let (cluster, client) = bank(1).await;
    let full = |hint| Refused::new(Reason::DiskFull, "full").with_retry_after(hint);
    cluster.fault(Fault::Refuse(full(Duration::from_millis(120))));
    let begun = Instant::now();
    pay(&client, 10).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(120));
    assert_eq!(cluster.streams(), 1, "the leader still leads");

    let before = cluster.request_count();
    cluster.fault(Fault::Refuse(full(Duration::from_secs(60))));
    let error = pay(&client, 11).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::DiskFull), "{error:?}");
    assert_eq!(cluster.request_count(), before + 1);
}

#[tokio::test]
async fn a_refusal_for_good_is_told_at_once_and_alone() {
    let (cluster, client) = bank(1).await;
    cluster.fault(Fault::Refuse(Refused::invalid(vec![FieldError::new(
        "sections[0]",
        "words",
    )])));
    let error = pay(&client, 10).await.unwrap_err();
    assert!(
        matches!(&error, Error::InvalidRequest { violations } if violations[0].field == "sections[0]")
    );
    cluster.fault(Fault::Refuse(Refused::new(Reason::PermissionDenied, "no")));
    let error = pay(&client, 10).await.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::PermissionDenied));
    assert_eq!(error.code(), "PERMISSION_DENIED");
    assert_eq!(cluster.request_count(), 3);
    assert!(pay(&client, 10).await.unwrap().is_success());
}

#[tokio::test]
async fn a_client_that_may_not_retry_sends_once() {
    let (cluster, _) = bank(1).await;
    let client = cluster.builder().attempts_max(1).connect().await.unwrap();
    let before = cluster.request_count();
    cluster.fault(Fault::LoseReply);
    assert_unknown(&pay(&client, 10).await.unwrap_err(), &[10]);
    cluster.fault(Fault::Refuse(Refused::new(Reason::Overloaded, "busy")));
    let error = pay(&client, 11).await.unwrap_err();
    assert!(matches!(error, Error::Overloaded { .. }), "{error:?}");
    assert_eq!(cluster.request_count(), before + 2);
}
