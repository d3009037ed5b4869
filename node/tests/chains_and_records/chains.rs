//! Chains: all of their items happen or none.

use farthing_ledger::{
    AccountFlags, AccountId, CreateAccountStatus, CreateTransferStatus, RecordFlags, RecordItem,
    Transfer, TransferFlags, VERSION_ABSENT, WriteRecordStatus,
};
use farthing_proto::packed::{accounts_section, records_section, transfers_section};

use crate::support::{fresh_id, packed_account, packed_transfer};
use crate::world::World;

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
