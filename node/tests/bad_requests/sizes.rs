//! Batches of nothing, one, the most, one more, and a million.

use bytes::Bytes;
use farthing_ledger::CreateTransferStatus;
use farthing_proto::limits::{ITEMS_MAX, MESSAGE_BYTES_MAX, REQUEST_BYTES_MAX};
use farthing_proto::packed::{section, transfers_section};
use farthing_proto::v1::{LookupAccountsRequest, LookupLedgersRequest, SectionKind, Transfer};
use tonic::Code;

use crate::support::{Refusal, account, fresh_id, ledger, packed_transfer, record, uuid};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_no_request() {
    let world = World::start().await;
    let client = &world.client;
    Refusal::expect_fields(
        &client.create_transfers(&[]).await.unwrap_err(),
        &["transfers"],
    );
    Refusal::expect_fields(
        &client.create_accounts(&[]).await.unwrap_err(),
        &["accounts"],
    );
    Refusal::expect_fields(&client.create_ledgers(&[]).await.unwrap_err(), &["ledgers"]);
    Refusal::expect_fields(&client.write_records(&[]).await.unwrap_err(), &["records"]);
    let request = client.request(LookupAccountsRequest::default());
    Refusal::expect_fields(
        &client
            .accounts()
            .lookup_accounts(request)
            .await
            .unwrap_err(),
        &["ids"],
    );
    Refusal::expect_fields(&client.lookup_records(&[]).await.unwrap_err(), &["keys"]);
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_more_than_the_most() {
    let world = World::start().await;
    let client = &world.client;
    let most = ITEMS_MAX + 1;
    let too_large = |status: tonic::Status| {
        Refusal::expect(&status, Code::InvalidArgument, "TOO_LARGE");
    };
    too_large(
        client
            .create_transfers(&vec![world.good(); most])
            .await
            .unwrap_err(),
    );
    too_large(
        client
            .create_accounts(&vec![account(1, world.usd); most])
            .await
            .unwrap_err(),
    );
    too_large(
        client
            .create_ledgers(&vec![ledger(1, "USD", 2); most])
            .await
            .unwrap_err(),
    );
    too_large(
        client
            .write_records(&vec![record(1, b"key", b""); most])
            .await
            .unwrap_err(),
    );
    let request = LookupAccountsRequest {
        ids: vec![uuid(1); most],
        consistency: None,
    };
    too_large(
        client
            .accounts()
            .lookup_accounts(client.request(request))
            .await
            .unwrap_err(),
    );
    let request = LookupLedgersRequest {
        numbers: vec![1; most],
        ..Default::default()
    };
    too_large(
        client
            .ledgers()
            .lookup_ledgers(client.request(request))
            .await
            .unwrap_err(),
    );
    too_large(
        client
            .lookup_records(&vec![(1, b"key".as_slice()); most])
            .await
            .unwrap_err(),
    );
    let packed = vec![packed_transfer(world.a, world.b, 1, world.usd); ITEMS_MAX];
    // Over all sections together, not for each.
    let sections = vec![transfers_section(&packed), transfers_section(&packed[..1])];
    too_large(client.submit(sections).await.unwrap_err());
    // Few items, many bytes: the message fits, the request does not.
    let value = vec![7; 4_096];
    let count = REQUEST_BYTES_MAX / 4_096;
    assert!(count < ITEMS_MAX && count * 4_200 < MESSAGE_BYTES_MAX);
    too_large(
        client
            .write_records(&vec![record(1, b"key", &value); count])
            .await
            .unwrap_err(),
    );
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_most_is_carried_out() {
    let world = World::start().await;
    let items: Vec<Transfer> = (0..ITEMS_MAX).map(|_| world.good()).collect();
    let results = world.client.create_transfers(&items).await.unwrap();
    assert!(results.iter().all(|result| result.status == 0));
    let most = u128::try_from(ITEMS_MAX).unwrap();
    assert_eq!(
        world.client.balances(world.a).await,
        [0, 1_234 + most, 0, 0]
    );
    let packed: Vec<_> = (0..ITEMS_MAX)
        .map(|_| packed_transfer(world.a, world.b, 1, world.usd))
        .collect();
    let (front, back) = packed.split_at(5_000);
    let (results, _) = world
        .client
        .submit(vec![transfers_section(front), transfers_section(back)])
        .await
        .unwrap();
    let created = CreateTransferStatus::Created.code();
    assert!(
        results
            .iter()
            .flatten()
            .all(|result| result.status == created)
    );
    assert_eq!(
        world.client.balances(world.a).await,
        [0, 1_234 + 2 * most, 0, 0]
    );
    let ids: Vec<u128> = packed.iter().map(|transfer| transfer.id.0).collect();
    assert!(
        world
            .client
            .lookup_transfers(&ids)
            .await
            .unwrap()
            .iter()
            .all(Option::is_some)
    );
}

/// A million items are more than a message may hold: refused by its length, before any of it is decoded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_items() {
    let world = World::start().await;
    let items = Bytes::from(vec![7; 128 * 1_000_000]);
    let status = world
        .client
        .submit(vec![section(SectionKind::Transfers, 1_000_000, items)])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    let tiny = Transfer {
        id: uuid(fresh_id()),
        ..Transfer::default()
    };
    let status = world
        .client
        .create_transfers(&vec![tiny; 1_000_000])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    world.is_unchanged().await;
}
