//! Answers that are lost after the ledger did its work: what the retry makes of them, held
//! against what the ledger really did.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::Fault;
use common::bank::{BOB, LINKED, PLAIN, assert_unknown, bank, pay, record, transfer};
use farthing_client::*;
use farthing_proto::error::Refused;

#[tokio::test]
async fn a_lost_answer_is_a_success_once_the_retry_finds_its_own_doing() {
    let (cluster, client) = bank(3).await;
    cluster.fault(Fault::LoseReply);
    let outcomes = client
        .create_transfers(vec![
            transfer(10, PLAIN),
            transfer(0, PLAIN),
            transfer(11, PLAIN),
        ])
        .await
        .unwrap();
    assert_eq!(outcomes[0].status, CreateTransferStatus::Created);
    assert!(outcomes[0].by_earlier_attempt);
    assert_eq!(outcomes[1].status, CreateTransferStatus::IdMustNotBeZero);
    assert!(!outcomes[1].by_earlier_attempt);
    let stored = client
        .lookup_transfers(&[TransferId(10), TransferId(11)])
        .await
        .unwrap();
    assert_eq!(outcomes[0].timestamp, stored[0].unwrap().timestamp);
    assert_eq!(outcomes[2].timestamp, stored[1].unwrap().timestamp);
    assert_eq!(cluster.account(BOB).credits_posted, 20);
    // The ids that went out the second time were those of the first.
    let requests = cluster.lock().requests.clone();
    let [first, second] = &requests[1..] else {
        panic!("{} requests", requests.len())
    };
    assert_eq!(first.sections, second.sections);
}

#[tokio::test]
async fn exists_without_a_lost_answer_stays_exists() {
    let (cluster, client) = bank(1).await;
    pay(&client, 10).await.unwrap();
    // Refused before anything happened: the retry's `exists` is not our own doing.
    cluster.fault(Fault::Refuse(Refused::new(Reason::Overloaded, "busy")));
    let outcome = pay(&client, 10).await.unwrap();
    assert_eq!(outcome.status, CreateTransferStatus::Exists);
    assert!(!outcome.by_earlier_attempt);
}

#[tokio::test]
async fn a_chain_whose_answer_was_lost_is_a_success_as_a_whole() {
    let (cluster, client) = bank(1).await;
    cluster.fault(Fault::LoseReply);
    let chain = vec![
        transfer(10, LINKED),
        transfer(11, LINKED),
        transfer(12, PLAIN),
    ];
    let outcomes = client.create_transfers(chain).await.unwrap();
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.is_success() && outcome.by_earlier_attempt)
    );
    let ids = [TransferId(10), TransferId(11), TransferId(12)];
    let stored = client.lookup_transfers(&ids).await.unwrap();
    for (outcome, stored) in outcomes.iter().zip(stored) {
        assert_eq!(outcome.timestamp, stored.unwrap().timestamp);
    }
    assert_eq!(cluster.account(BOB).credits_posted, 30);
}

#[tokio::test]
async fn a_chain_that_was_never_applied_is_not_taken_for_one_that_was() {
    let (cluster, client) = bank(1).await;
    // The first item stands already, from another chain.
    client
        .create_transfers(vec![transfer(10, LINKED), transfer(11, PLAIN)])
        .await
        .unwrap();
    cluster.fault(Fault::LoseReply);
    let chain = vec![transfer(10, LINKED), transfer(12, PLAIN)];
    let outcomes = client.create_transfers(chain).await.unwrap();
    assert_eq!(outcomes[0].status, CreateTransferStatus::Exists);
    assert_eq!(outcomes[1].status, CreateTransferStatus::LinkedEventFailed);
    assert_eq!(cluster.account(BOB).credits_posted, 20);
}

#[tokio::test]
async fn a_chain_with_a_record_is_proven_by_both() {
    let (cluster, client) = bank(1).await;
    let request = |id, operation_id| {
        Request::new()
            .transfers(&[transfer(id, LINKED)])
            .records(&[record(operation_id, VERSION_ABSENT)])
    };
    cluster.fault(Fault::LoseReply);
    let response = client.submit(request(10, 20)).await.unwrap();
    assert!(response.all_succeeded());

    // Somebody else writes the record between the lost answer and the look at it.
    cluster.fault(Fault::LoseReply);
    let both = Request::new()
        .transfers(&[transfer(11, LINKED)])
        .records(&[record(21, 1)]);
    cluster.lock().delay = Duration::from_millis(100);
    let other = cluster.client().await;
    let overwrite = async {
        while cluster.request_count() < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cluster.lock().delay = Duration::ZERO;
        other.write_records(&[record(22, 2)]).await.unwrap()
    };
    let (response, overwritten) = tokio::join!(client.submit(both), overwrite);
    assert!(overwritten[0].is_success());
    let error = response.unwrap_err();
    assert_unknown(&error, &[11, 21]);
}

#[tokio::test]
async fn a_write_that_expects_any_version_is_not_sent_twice() {
    let (cluster, client) = bank(1).await;
    cluster.fault(Fault::LoseReply);
    let error = client
        .write_records(&[record(20, VERSION_ANY)])
        .await
        .unwrap_err();
    assert_unknown(&error, &[20]);
    assert_eq!(cluster.request_count(), 2);
    // Refused before anything happened, it may be sent again.
    cluster.fault(Fault::Refuse(Refused::new(Reason::Overloaded, "busy")));
    let outcomes = client
        .write_records(&[record(21, VERSION_ANY)])
        .await
        .unwrap();
    assert!(outcomes[0].is_success());
    // With an exact version the second time is harmless.
    cluster.fault(Fault::LoseReply);
    let outcomes = client.write_records(&[record(22, 2)]).await.unwrap();
    assert!(outcomes[0].is_success() && outcomes[0].by_earlier_attempt);
}

#[tokio::test]
async fn a_server_that_does_not_know_the_outcome_is_asked_again() {
    let (cluster, client) = bank(1).await;
    cluster.fault(Fault::ApplyAndRefuse(Refused::new(
        Reason::OutcomeUnknown,
        "leadership lost",
    )));
    let outcome = pay(&client, 10).await.unwrap();
    assert!(outcome.is_success() && outcome.by_earlier_attempt);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_never_guessed_at() {
    let (cluster, client) = bank(1).await;
    for (fault, id) in [(Fault::GarbleReply, 10), (Fault::NewerStatus, 20)] {
        cluster.fault(fault);
        let items = vec![transfer(id, PLAIN), transfer(id + 1, PLAIN)];
        let error = client.create_transfers(items).await.unwrap_err();
        assert_unknown(&error, &[id, id + 1]);
    }
}
