//! What one request carries: several kinds, nothing at all, as much as there may be.

use farthing_client::*;

use crate::{bank, cent};

#[tokio::test]
async fn money_and_a_record_change_together_or_not_at_all() {
    let (cluster, client, alice, bob) = bank().await;
    let payment = |id: u128| Transfer {
        amount: 5,
        flags: TransferFlags::LINKED,
        ..cent(id, alice, bob)
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
        ids.map(|id| cent(id, alice, bob)).collect::<Vec<_>>()
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
