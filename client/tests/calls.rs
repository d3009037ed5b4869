//! Every call of the SDK against a true ledger behind a true gRPC server.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{CLUSTER_ID, Cluster};
use farthing_client::*;
use futures::StreamExt;

const USD: u32 = 840;

/// A cluster with a ledger of cents and two accounts.
async fn bank() -> (Cluster, Client, AccountId, AccountId) {
    let cluster = Cluster::start(3).await;
    let client = cluster.client().await;
    let outcomes = client
        .create_ledgers(&[Ledger::new(USD, "USD", 2)])
        .await
        .unwrap();
    assert!(outcomes[0].is_success());
    let (alice, bob) = (AccountId(ids::new()), AccountId(ids::new()));
    let account = |id| Account {
        id,
        ledger: USD,
        code: 1,
        ..Account::default()
    };
    let outcomes = client
        .create_accounts(vec![account(alice), account(bob)])
        .await
        .unwrap();
    assert!(outcomes.iter().all(Outcome::is_success));
    (cluster, client, alice, bob)
}

#[tokio::test]
async fn money_moves_and_is_read_back() {
    let (cluster, client, alice, bob) = bank().await;
    let payment = client
        .transfer()
        .debit(alice)
        .credit(bob)
        .amount(Decimal::new(12_50, 2))
        .ledger(USD)
        .code(7)
        .user_data_128(1)
        .user_data_64(2)
        .user_data_32(3);
    let outcome = payment.send().await.unwrap();
    assert_eq!(outcome.status, CreateTransferStatus::Created);
    assert!(!outcome.by_earlier_attempt);
    assert_eq!(outcome.log_index, cluster.lock().log_index);

    // Sent again, it is the same payment.
    let again = payment.send().await.unwrap();
    assert_eq!(again.status, CreateTransferStatus::Exists);
    assert_eq!(again.timestamp, outcome.timestamp);
    assert!(!again.by_earlier_attempt);

    let missing = AccountId(ids::new());
    let found = client
        .lookup_accounts(&[bob, missing, alice])
        .await
        .unwrap();
    assert_eq!(found[0].unwrap().credits_posted, 1_250);
    assert_eq!(found[1], None);
    assert_eq!(found[2].unwrap().debits_posted, 1_250);
    let stored = client
        .lookup_transfers(&[payment.transfer_id()])
        .await
        .unwrap()[0]
        .unwrap();
    assert_eq!(
        (stored.amount, stored.timestamp),
        (1_250, outcome.timestamp)
    );
    assert_eq!(
        (
            stored.user_data_128,
            stored.user_data_64,
            stored.user_data_32,
            stored.code
        ),
        (1, 2, 3, 7)
    );
}

#[tokio::test]
async fn a_refused_item_is_an_outcome_and_its_id_is_spent() {
    let (_cluster, client, alice, _) = bank().await;
    let nobody = AccountId(ids::new());
    let payment = client
        .transfer()
        .debit(alice)
        .credit(nobody)
        .amount(1_u32)
        .ledger(USD)
        .code(1);
    assert_eq!(
        payment.send().await.unwrap().status,
        CreateTransferStatus::CreditAccountNotFound
    );
    assert_eq!(
        payment.send().await.unwrap().status,
        CreateTransferStatus::IdAlreadyFailed
    );
    let ids = [payment.transfer_id(), TransferId(ids::new())];
    let known = client
        .look_up_transfer_ids_at(&ids, Consistency::Linearizable)
        .await
        .unwrap();
    assert_eq!(
        known,
        [LookedUpTransfer::Refused, LookedUpTransfer::Unknown]
    );
    assert_eq!(client.lookup_transfers(&ids).await.unwrap(), [None, None]);
}

#[tokio::test]
async fn pending_transfers_are_posted_and_voided() {
    let (cluster, client, alice, bob) = bank().await;
    let hold = |amount: u32| {
        client
            .transfer()
            .debit(alice)
            .credit(bob)
            .amount(amount)
            .ledger(USD)
            .code(1)
            .pending(60)
    };
    let (first, second, third) = (hold(100), hold(200), hold(300));
    for hold in [&first, &second, &third] {
        assert!(hold.send().await.unwrap().is_success());
    }
    let all = client.transfer().post(first.transfer_id()).all();
    let part = client
        .transfer()
        .post(second.transfer_id())
        .amount(Decimal::new(5, 1))
        .ledger(USD);
    let void = client.transfer().void(third.transfer_id());
    for end in [&all, &part, &void] {
        assert_eq!(
            end.send().await.unwrap().status,
            CreateTransferStatus::Created
        );
    }
    assert_eq!(cluster.account(bob).credits_posted, 150);
    assert_eq!(cluster.account(bob).credits_pending, 0);
    let ids = [first.transfer_id(), third.transfer_id(), all.transfer_id()];
    let pendings = client.lookup_pendings(&ids).await.unwrap();
    assert_eq!(pendings[0].unwrap().status, PendingStatus::Posted);
    assert_eq!(pendings[1].unwrap().status, PendingStatus::Voided);
    assert_eq!(pendings[2], None);
}

#[tokio::test]
async fn amounts_that_cannot_be_meant_are_never_sent() {
    let (cluster, client, alice, bob) = bank().await;
    let before = cluster.request_count();
    let base = || {
        client
            .transfer()
            .debit(alice)
            .credit(bob)
            .ledger(USD)
            .code(1)
    };
    let failed = |builder: TransferBuilder| async move {
        match builder.send().await {
            Err(Error::Amount(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(failed(base()).await, AmountError::Missing);
    assert!(matches!(
        failed(base().amount(Decimal::new(1, 3))).await,
        AmountError::TooManyDecimals { .. }
    ));
    assert!(matches!(
        failed(base().amount(Decimal::NEGATIVE_ONE)).await,
        AmountError::Negative(_)
    ));
    assert!(matches!(
        failed(base().all()).await,
        AmountError::WrongKind(_)
    ));
    assert!(matches!(
        failed(base().as_much_as_possible()).await,
        AmountError::WrongKind(_)
    ));
    assert_eq!(
        failed(base().ledger(0).amount(Decimal::ONE)).await,
        AmountError::LedgerMissing
    );
    assert_eq!(cluster.request_count(), before);
}

#[tokio::test]
async fn a_balancing_transfer_moves_what_there_is() {
    let (_cluster, client, alice, bob) = bank().await;
    let limited = AccountId(ids::new());
    let account = Account {
        id: limited,
        ledger: USD,
        code: 1,
        flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        ..Account::default()
    };
    client.create_accounts(vec![account]).await.unwrap();
    let fund = client
        .transfer()
        .debit(alice)
        .credit(limited)
        .amount(70_u8)
        .ledger(USD)
        .code(1);
    assert!(fund.send().await.unwrap().is_success());
    let sweep = client
        .transfer()
        .debit(limited)
        .credit(bob)
        .balancing_debit()
        .as_much_as_possible()
        .ledger(USD)
        .code(1);
    assert!(sweep.send().await.unwrap().is_success());
    let stored = client
        .lookup_transfers(&[sweep.transfer_id()])
        .await
        .unwrap()[0]
        .unwrap();
    assert_eq!(stored.amount, 70);
}

#[tokio::test]
async fn money_and_a_record_change_together_or_not_at_all() {
    let (cluster, client, alice, bob) = bank().await;
    let payment = |id: u128| Transfer {
        id: TransferId(id),
        debit_account_id: alice,
        credit_account_id: bob,
        amount: 5,
        ledger: USD,
        code: 1,
        flags: TransferFlags::LINKED,
        ..Transfer::default()
    };
    let receipt = |expected_version, value: &'static [u8]| RecordItem {
        operation_id: ids::new(),
        expected_version,
        namespace: 7,
        flags: RecordFlags::default(),
        reserved: 0,
        key: b"order",
        value,
    };
    let paid = Request::new()
        .transfers(&[payment(ids::new())])
        .records(&[receipt(VERSION_ABSENT, b"paid")]);
    let response = client.submit(paid).await.unwrap();
    assert!(response.all_succeeded());
    assert_eq!(response.sections.len(), 2);

    let twice = Request::new()
        .transfers(&[payment(ids::new())])
        .records(&[receipt(VERSION_ABSENT, b"again")]);
    let response = client.submit(twice).await.unwrap();
    let SectionOutcomes::Transfers(transfers) = &response.sections[0] else {
        panic!()
    };
    assert_eq!(transfers[0].status, CreateTransferStatus::LinkedEventFailed);
    let SectionOutcomes::Records(records) = &response.sections[1] else {
        panic!()
    };
    assert_eq!(records[0].status, WriteRecordStatus::VersionMismatch);

    assert_eq!(cluster.account(bob).credits_posted, 5);
    let key = RecordKey::new(7, b"order").unwrap();
    let other = RecordKey::new(7, b"other").unwrap();
    let found = client.lookup_records(&[other, key]).await.unwrap();
    assert_eq!(found[0], None);
    let record = found[1].clone().unwrap();
    assert_eq!((&record.value[..], record.version), (b"paid".as_slice(), 1));
    let update = receipt(record.version, b"sent");
    assert!(client.write_records(&[update]).await.unwrap()[0].is_success());
}

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
async fn nothing_to_do_is_done_without_asking_anybody() {
    let client = Client::builder().endpoint("127.0.0.1:1").build().unwrap();
    assert_eq!(client.create_accounts(Vec::new()).await.unwrap(), []);
    assert_eq!(client.create_transfers(Vec::new()).await.unwrap(), []);
    assert_eq!(client.create_ledgers(&[]).await.unwrap(), []);
    assert_eq!(client.write_records(&[]).await.unwrap(), []);
    assert_eq!(client.lookup_accounts(&[]).await.unwrap(), []);
    assert_eq!(client.lookup_records(&[]).await.unwrap(), []);
    let response = client.submit(Request::new().transfers(&[])).await.unwrap();
    assert_eq!(response.sections, [SectionOutcomes::Transfers(Vec::new())]);
}

#[tokio::test]
async fn one_request_carries_8189_items_and_not_one_more() {
    let (_cluster, client, alice, bob) = bank().await;
    let transfers = |count: usize| {
        let ids = ids::many(count).into_iter();
        let transfer = |id| Transfer {
            id: TransferId(id),
            debit_account_id: alice,
            credit_account_id: bob,
            amount: 1,
            ledger: USD,
            code: 1,
            ..Transfer::default()
        };
        ids.map(transfer).collect::<Vec<_>>()
    };
    let outcomes = client.create_transfers(transfers(ITEMS_MAX)).await.unwrap();
    assert_eq!(outcomes.len(), ITEMS_MAX);
    assert!(outcomes.iter().all(Outcome::is_success));
    let error = client
        .create_transfers(transfers(ITEMS_MAX + 1))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::TooLarge {
            found: 8_190,
            most: ITEMS_MAX,
            ..
        }
    ));
    let found = client
        .lookup_accounts(&vec![alice; ITEMS_MAX])
        .await
        .unwrap();
    assert_eq!(found.len(), ITEMS_MAX);
    assert_eq!(
        found[ITEMS_MAX - 1].unwrap().debits_posted,
        ITEMS_MAX as u128
    );
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
