//! Transfers and what becomes of them.

use farthing_client::*;

use crate::{USD, account, bank};

/// A transfer that lacks its amount.
fn between(client: &Client, debit: AccountId, credit: AccountId) -> TransferBuilder {
    let builder = client.transfer().debit(debit).credit(credit);
    builder.ledger(USD).code(1)
}

#[tokio::test]
async fn money_moves_and_is_read_back() {
    let (cluster, client, alice, bob) = bank().await;
    let payment = between(&client, alice, bob)
        .amount(Decimal::new(12_50, 2))
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
    let payment = between(&client, alice, nobody).amount(1_u32);
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
    let hold = |amount: u32| between(&client, alice, bob).amount(amount).pending(60);
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
    let base = || between(&client, alice, bob);
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
    let limit = Account {
        flags: AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        ..account(limited)
    };
    client.create_accounts(vec![limit]).await.unwrap();
    let fund = between(&client, alice, limited).amount(70_u8);
    assert!(fund.send().await.unwrap().is_success());
    let sweep = between(&client, limited, bob)
        .balancing_debit()
        .as_much_as_possible();
    assert!(sweep.send().await.unwrap().is_success());
    let stored = client
        .lookup_transfers(&[sweep.transfer_id()])
        .await
        .unwrap()[0]
        .unwrap();
    assert_eq!(stored.amount, 70);
}
