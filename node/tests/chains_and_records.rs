//! Items that succeed or fail together, and the records that go along with money.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::{Mutex, Weak};

use farthing_ledger::{
    AccountFlags, AccountId, CreateAccountStatus, CreateTransferStatus, RecordFlags, RecordItem,
    Transfer, TransferFlags, VERSION_ABSENT, VERSION_ANY, WriteRecordStatus,
};
use farthing_proto::packed::{accounts_section, records_section, transfers_section};
use farthing_proto::v1::{self, RecordFlag, WriteRecordStatus as Status};
use support::{
    Client, Cluster, Shared, Slot, account, delete_record, fresh_id, fresh_ledger, packed_account,
    packed_transfer, record, uuid,
};

static SLOT: Slot = Mutex::new(Weak::new());

struct World {
    client: Client,
    ledger: u32,
    namespace: u32,
    a: u128,
    b: u128,
    _cluster: Shared,
}

impl World {
    async fn new() -> Self {
        let cluster = Shared::get(&SLOT, || Cluster::start(1));
        let client = cluster.leader_client().await;
        let (ledger, a, b) = (fresh_ledger(), fresh_id(), fresh_id());
        client
            .create_accounts(&[account(a, ledger), account(b, ledger)])
            .await
            .unwrap();
        // A number of its own serves as the namespace too.
        Self {
            client,
            ledger,
            namespace: ledger,
            a,
            b,
            _cluster: cluster,
        }
    }

    fn pays(&self, amount: u128) -> Transfer {
        packed_transfer(self.a, self.b, amount, self.ledger)
    }

    fn writes<'a>(&self, key: &'a [u8], value: &'a [u8]) -> RecordItem<'a> {
        RecordItem {
            operation_id: fresh_id(),
            expected_version: VERSION_ANY,
            namespace: self.namespace,
            flags: RecordFlags::default(),
            reserved: 0,
            key,
            value,
        }
    }

    /// The statuses of each section.
    async fn submit(&self, sections: Vec<v1::Section>) -> Vec<Vec<u32>> {
        let (results, _) = self.client.submit(sections).await.unwrap();
        results
            .iter()
            .map(|section| section.iter().map(|result| result.status).collect())
            .collect()
    }

    async fn write(&self, item: &v1::RecordItem) -> (Status, u64) {
        let results = self
            .client
            .write_records(std::slice::from_ref(item))
            .await
            .unwrap();
        (results[0].status(), results[0].timestamp)
    }

    async fn paid(&self) -> u128 {
        let [_, debits, ..] = self.client.balances(self.a).await;
        let [.., credits] = self.client.balances(self.b).await;
        assert_eq!(debits, credits);
        debits
    }

    async fn value(&self, key: &[u8]) -> Option<(Vec<u8>, u64)> {
        let found = self.client.record(self.namespace, key).await;
        found
            .record
            .map(|record| (record.value.to_vec(), record.version))
    }
}

fn linked(item: Transfer) -> Transfer {
    Transfer {
        flags: item.flags.with(TransferFlags::LINKED),
        ..item
    }
}

fn linked_record(item: RecordItem<'_>) -> RecordItem<'_> {
    RecordItem {
        flags: RecordFlags::LINKED,
        ..item
    }
}

const PAID: u32 = CreateTransferStatus::Created.code();
const WRITTEN: u32 = WriteRecordStatus::Written.code();
const CHAIN_FAILED: u32 = CreateTransferStatus::LinkedEventFailed.code();

/// One chain from the transfers into the records: both or neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_and_its_record_move_together() {
    let world = World::new().await;
    let key = b"cursor".as_slice();
    let at = |version, value| RecordItem {
        expected_version: version,
        ..world.writes(key, value)
    };
    let request = |transfer, item| {
        vec![
            transfers_section(&[linked(transfer)]),
            records_section(&[item]),
        ]
    };

    let first = request(world.pays(10), at(VERSION_ABSENT, b"one"));
    assert_eq!(world.submit(first).await, [[PAID], [WRITTEN]]);
    assert_eq!(
        (world.paid().await, world.value(key).await),
        (10, Some((b"one".to_vec(), 1)))
    );

    // The record is not as expected: no money moves.
    let transfer = world.pays(10);
    let stale = request(transfer, at(VERSION_ABSENT, b"two"));
    assert_eq!(
        world.submit(stale).await,
        [[CHAIN_FAILED], [WriteRecordStatus::VersionMismatch.code()]]
    );
    assert_eq!(
        (world.paid().await, world.value(key).await),
        (10, Some((b"one".to_vec(), 1)))
    );
    assert_eq!(
        world
            .client
            .lookup_transfers(&[transfer.id.0])
            .await
            .unwrap(),
        [None]
    );
    // The transfer itself was not refused, so its id is free.
    assert_eq!(
        world.submit(request(transfer, at(1, b"two"))).await,
        [[PAID], [WRITTEN]]
    );

    // The money does not move: nothing is recorded.
    let unknown = packed_transfer(fresh_id(), world.b, 1, world.ledger);
    let failed = request(unknown, at(2, b"three"));
    assert_eq!(
        world.submit(failed).await,
        [
            [CreateTransferStatus::DebitAccountNotFound.code()],
            [CHAIN_FAILED]
        ]
    );
    assert_eq!(
        (world.paid().await, world.value(key).await),
        (20, Some((b"two".to_vec(), 2)))
    );
    // It was refused for what may pass, so its id is used up although the chain was undone.
    assert!(world.client.is_refused(unknown.id.0).await);
}

/// Accounts, what they are paid and what is noted of it: a chain over three sections, undone as a whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_over_three_sections() {
    let world = World::new().await;
    let opens = |id| farthing_ledger::Account {
        flags: AccountFlags::LINKED,
        ..packed_account(id, world.ledger)
    };
    let request = |id: u128, item: RecordItem<'_>| {
        let pays = Transfer {
            credit_account_id: AccountId(id),
            ..world.pays(5)
        };
        vec![
            accounts_section(&[opens(id)]),
            transfers_section(&[linked(pays)]),
            records_section(&[item]),
        ]
    };
    let failed = fresh_id();
    let too_long = [7; 65];
    let results = world
        .submit(request(failed, world.writes(&too_long, b"")))
        .await;
    let expected = [
        [CHAIN_FAILED],
        [CHAIN_FAILED],
        [WriteRecordStatus::KeyLengthOutOfRange.code()],
    ];
    assert_eq!(results, expected);
    assert_eq!(
        world.client.lookup_accounts(&[failed]).await.unwrap(),
        [None]
    );
    assert_eq!(world.client.balances(world.a).await, [0; 4]);

    let results = world
        .submit(request(failed, world.writes(b"opened", b"")))
        .await;
    assert_eq!(
        results,
        [[CreateAccountStatus::Created.code()], [PAID], [WRITTEN]]
    );
    assert_eq!(world.client.balances(failed).await, [0, 0, 0, 5]);
    assert_eq!(world.client.balances(world.a).await, [0, 5, 0, 0]);
}

/// Chains next to each other fail alone, and one that is open at the end of its request fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_do_not_touch_their_neighbours() {
    let world = World::new().await;
    let broken = || Transfer {
        code: 0,
        ..world.pays(1_000)
    };
    let items = [
        world.pays(1),
        linked(world.pays(2)),
        linked(world.pays(4)),
        broken(),
        linked(world.pays(8)),
        world.pays(16),
        linked(broken()),
        world.pays(32),
        world.pays(64),
        linked(world.pays(128)),
    ];
    let code_zero = CreateTransferStatus::CodeMustNotBeZero.code();
    let open = CreateTransferStatus::LinkedEventChainOpen.code();
    let expected = [
        PAID,
        CHAIN_FAILED,
        CHAIN_FAILED,
        code_zero,
        PAID,
        PAID,
        code_zero,
        CHAIN_FAILED,
        PAID,
        open,
    ];
    assert_eq!(
        world.submit(vec![transfers_section(&items)]).await,
        [expected]
    );
    assert_eq!(world.paid().await, 1 + 8 + 16 + 64);
    // An open chain in the first section runs into the second; in the last it is open.
    let sections = vec![records_section(&[linked_record(
        world.writes(b"open", b""),
    )])];
    assert_eq!(world.submit(sections).await, [[open]]);
    assert_eq!(world.value(b"open").await, None);
}

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
