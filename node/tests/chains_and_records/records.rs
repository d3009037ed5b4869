//! Records: written if they are what the writer saw, once, and without losing what another has written.

use farthing_proto::v1::{self, RecordFlag, WriteRecordStatus as Status};

use crate::support::{delete_record, fresh_id, record, uuid};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_written_if_it_is_what_the_writer_saw() {
    let world = World::new().await;
    let at = |version, item: v1::RecordItem| v1::RecordItem {
        expected_version: Some(version),
        ..item
    };
    let puts = |value: &[u8]| record(world.namespace, b"key", value);
    assert_eq!(
        world.write(&at(1, puts(b"a"))).await.0,
        Status::VersionMismatch
    );
    assert_eq!(world.write(&at(0, puts(b"a"))).await.0, Status::Written);
    assert_eq!(
        world.write(&at(0, puts(b"b"))).await.0,
        Status::VersionMismatch
    );
    assert_eq!(world.write(&at(1, puts(b"b"))).await.0, Status::Written);
    assert_eq!(world.write(&puts(b"c")).await.0, Status::Written);
    assert_eq!(world.value(b"key").await, Some((b"c".to_vec(), 3)));
    let deletes = delete_record(world.namespace, b"key");
    assert_eq!(
        world.write(&at(2, deletes.clone())).await.0,
        Status::VersionMismatch
    );
    assert_eq!(world.write(&at(3, deletes)).await.0, Status::Written);
    let deleted = world.client.record(world.namespace, b"key").await;
    assert_eq!((deleted.record, deleted.deleted_version), (None, 4));
    // A deleted record is absent, and its versions go on where they were.
    assert_eq!(
        world.write(&at(4, puts(b"d"))).await.0,
        Status::VersionMismatch
    );
    assert_eq!(world.write(&at(0, puts(b"d"))).await.0, Status::Written);
    assert_eq!(world.value(b"key").await, Some((b"d".to_vec(), 5)));
    // Namespaces do not see each other.
    let other = world
        .client
        .record(world.namespace + 1_000_000, b"key")
        .await;
    assert_eq!((other.record, other.deleted_version), (None, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_retry_of_a_write_is_no_conflict() {
    let world = World::new().await;
    let item = v1::RecordItem {
        expected_version: Some(0),
        ..record(world.namespace, b"key", b"value")
    };
    let (written, at) = world.write(&item).await;
    assert_eq!(written, Status::Written);
    // The version has moved, the retry is still itself, at its first time.
    assert_eq!(world.write(&item).await, (Status::Exists, at));
    let other = v1::RecordItem {
        value: "other".into(),
        ..item.clone()
    };
    assert_eq!(
        world.write(&other).await.0,
        Status::ExistsWithDifferentContent
    );
    let deletes = v1::RecordItem {
        flags: vec![RecordFlag::Delete.into()],
        value: "".into(),
        ..item.clone()
    };
    assert_eq!(
        world.write(&deletes).await.0,
        Status::ExistsWithDifferentContent
    );
    assert_eq!(world.value(b"key").await, Some((b"value".to_vec(), 1)));
    // Once somebody else has written, the retry is late: a conflict, and the newer value stays.
    assert_eq!(
        world
            .write(&record(world.namespace, b"key", b"newer"))
            .await
            .0,
        Status::Written
    );
    assert_eq!(world.write(&item).await.0, Status::VersionMismatch);
    assert_eq!(world.value(b"key").await, Some((b"newer".to_vec(), 2)));
    // The same operation id on another key is another write.
    let elsewhere = v1::RecordItem {
        key: "elsewhere".into(),
        ..item
    };
    assert_eq!(world.write(&elsewhere).await.0, Status::Written);
}

/// Many read, add one and write with what they saw: every success counts once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_lose_no_update() {
    const WRITERS: u64 = 6;
    const ADDITIONS: u64 = 15;
    let world = World::new().await;
    let (client, namespace) = (&world.client, world.namespace);
    let adds = (0..WRITERS).map(|_| async move {
        let mut conflicts = 0_u64;
        let mut done = 0;
        while done < ADDITIONS {
            let found = client.record(namespace, b"counter").await.record;
            let (value, version) = found.map_or((0, 0), |record| {
                (
                    u64::from_le_bytes(record.value.as_ref().try_into().unwrap()),
                    record.version,
                )
            });
            let item = v1::RecordItem {
                expected_version: Some(version),
                operation_id: uuid(fresh_id()),
                ..record(namespace, b"counter", &(value + 1).to_le_bytes())
            };
            match client.write_records(&[item]).await.unwrap()[0].status() {
                Status::Written => done += 1,
                Status::VersionMismatch => conflicts += 1,
                other => panic!("{other:?}"),
            }
        }
        conflicts
    });
    let conflicts: u64 = futures::future::join_all(adds).await.into_iter().sum();
    let (value, version) = world.value(b"counter").await.unwrap();
    assert_eq!(
        u64::from_le_bytes(value.try_into().unwrap()),
        WRITERS * ADDITIONS
    );
    assert_eq!(version, WRITERS * ADDITIONS);
    assert!(conflicts > 0, "nobody raced: the test tested nothing");
}
