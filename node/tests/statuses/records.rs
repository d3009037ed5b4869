//! `write_records`.

use farthing_ledger::{NAMESPACE_ROWS_MAX, RecordFlags, VERSION_ANY, WriteRecordStatus as S};
use farthing_proto::limits::ITEMS_MAX;
use farthing_proto::packed::records_section;
use farthing_proto::v1::{RecordFlag, RecordItem};
use futures::StreamExt as _;

use crate::coverage::Coverage;
use crate::numbers;
use crate::support::{Client, Cluster, delete_record, fresh_id, record, uuid};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_of_write_records() {
    let cluster = Cluster::start(1);
    let client = cluster.leader_client().await;
    let mut coverage = Coverage::default();

    let written = record(1, b"key", b"value");
    let version = |item: RecordItem, version| RecordItem {
        expected_version: Some(version),
        ..item
    };
    let linked = |item: RecordItem| RecordItem {
        flags: vec![RecordFlag::Linked.into()],
        ..item
    };
    let fresh = || record(1, &fresh_id().to_le_bytes(), b"value");
    let deletes = delete_record(1, b"key");
    let rows: Vec<(Vec<RecordItem>, Vec<S>)> = vec![
        (vec![written.clone()], vec![S::Written]),
        (vec![written.clone()], vec![S::Exists]),
        (
            vec![RecordItem {
                value: "other".into(),
                ..written.clone()
            }],
            vec![S::ExistsWithDifferentContent],
        ),
        (
            vec![version(record(1, b"key", b"new"), 0)],
            vec![S::VersionMismatch],
        ),
        (
            vec![version(record(1, b"key", b"new"), 2)],
            vec![S::VersionMismatch],
        ),
        (
            vec![version(record(1, b"key", b"new"), 1)],
            vec![S::Written],
        ),
        (vec![delete_record(1, b"never written")], vec![S::NotFound]),
        (
            vec![RecordItem {
                value: "x".into(),
                ..delete_record(1, b"key")
            }],
            vec![S::DeleteWithValue],
        ),
        (vec![deletes.clone()], vec![S::Written]),
        (vec![deletes], vec![S::Exists]),
        (vec![delete_record(1, b"key")], vec![S::NotFound]),
        (
            vec![RecordItem {
                operation_id: uuid(0),
                ..fresh()
            }],
            vec![S::OperationIdMustNotBeZero],
        ),
        (
            vec![RecordItem {
                operation_id: uuid(u128::MAX),
                ..fresh()
            }],
            vec![S::OperationIdMustNotBeIntMax],
        ),
        (
            vec![record(0, b"key", b"value")],
            vec![S::NamespaceMustNotBeZero],
        ),
        (vec![record(1, b"", b"value")], vec![S::KeyLengthOutOfRange]),
        (
            vec![record(1, &[7; 65], b"value")],
            vec![S::KeyLengthOutOfRange],
        ),
        (vec![record(1, &[7; 64], &[7; 4_096])], vec![S::Written]),
        (
            vec![record(1, &[8; 64], &[7; 4_097])],
            vec![S::ValueTooLarge],
        ),
        (vec![linked(fresh())], vec![S::LinkedEventChainOpen]),
        (
            vec![linked(fresh()), delete_record(1, b"never written"), fresh()],
            vec![S::LinkedEventFailed, S::NotFound, S::Written],
        ),
    ];
    for (items, expected) in rows {
        let results = client.write_records(&items).await.unwrap();
        coverage.check(numbers!(results), &expected, &items);
    }

    // The typed form has no words for reserved bits and fields.
    let item = farthing_ledger::RecordItem {
        operation_id: fresh_id(),
        expected_version: VERSION_ANY,
        namespace: 1,
        flags: RecordFlags::default(),
        reserved: 0,
        key: b"packed",
        value: b"value",
    };
    let rows = [
        (
            farthing_ledger::RecordItem {
                flags: RecordFlags(1 << 15),
                ..item
            },
            S::ReservedFlag,
        ),
        (
            farthing_ledger::RecordItem {
                reserved: 1,
                ..item
            },
            S::ReservedField,
        ),
        (item, S::Written),
    ];
    for (item, expected) in rows {
        let (results, _) = client.submit(vec![records_section(&[item])]).await.unwrap();
        coverage.check(
            results[0].iter().map(|result| result.status),
            &[expected],
            &item,
        );
    }

    a_namespace_is_full_at_its_limit(&client, &mut coverage).await;
    coverage.is_complete::<S>();
}

/// A million rows of the shortest kind: the only way to the limit, which is a constant of the log format.
async fn a_namespace_is_full_at_its_limit(client: &Client, coverage: &mut Coverage) {
    const NAMESPACE: u32 = 2;
    let rows = u32::try_from(NAMESPACE_ROWS_MAX).unwrap();
    let numbers: Vec<u32> = (0..rows).collect();
    let mut requests = futures::stream::iter(numbers.chunks(ITEMS_MAX))
        .map(|chunk| async move {
            let keys: Vec<[u8; 4]> = chunk.iter().map(|number| number.to_be_bytes()).collect();
            let items: Vec<farthing_ledger::RecordItem<'_>> = keys
                .iter()
                .map(|key| farthing_ledger::RecordItem {
                    operation_id: fresh_id(),
                    expected_version: VERSION_ANY,
                    namespace: NAMESPACE,
                    flags: RecordFlags::default(),
                    reserved: 0,
                    key,
                    value: b"",
                })
                .collect();
            client
                .submit(vec![records_section(&items)])
                .await
                .unwrap()
                .0
        })
        .buffered(4);
    while let Some(results) = requests.next().await {
        assert!(
            results[0]
                .iter()
                .all(|result| result.status == S::Written.code())
        );
    }
    let first = 0_u32.to_be_bytes();
    let rows = [
        (record(NAMESPACE, b"one more", b""), S::NamespaceFull),
        // What does not grow is let through, and a deleted row still counts.
        (record(NAMESPACE, &first, b"value"), S::Written),
        (delete_record(NAMESPACE, &first), S::Written),
        (record(NAMESPACE, b"one more", b""), S::NamespaceFull),
        // The limit is the namespace's own.
        (record(NAMESPACE + 1, b"one more", b""), S::Written),
    ];
    for (item, expected) in rows {
        let results = client
            .write_records(std::slice::from_ref(&item))
            .await
            .unwrap();
        coverage.check(numbers!(results), &[expected], &item);
    }
    assert_eq!(client.record(NAMESPACE, b"one more").await.record, None);
}
