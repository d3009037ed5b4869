#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use farthing_ledger::{AccountId, RecordFlags, TransferId, VERSION_ABSENT};

use super::*;
use crate::records::StoredRecord;

fn transfer(flags: TransferFlags) -> Transfer {
    Transfer {
        id: TransferId(1),
        debit_account_id: AccountId(2),
        credit_account_id: AccountId(3),
        amount: 100,
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

fn record(expected_version: u64) -> RecordItem<'static> {
    RecordItem {
        operation_id: 9,
        expected_version,
        namespace: 1,
        flags: RecordFlags::default(),
        reserved: 0,
        key: b"key",
        value: b"value",
    }
}

fn doubt_of(items: &[Item<'_>], statuses: &[u32]) -> Doubt {
    let mut results: Vec<SettledItem> = statuses
        .iter()
        .map(|status| {
            as_answered(ItemResult {
                timestamp: 5,
                status: *status,
            })
        })
        .collect();
    doubt(items, &results.iter_mut().collect::<Vec<_>>())
}

#[test]
fn only_exists_is_our_own_doing() {
    let item = [Item::Transfer(transfer(TransferFlags::default()))];
    for status in CreateTransferStatus::all() {
        let expected = match status {
            CreateTransferStatus::Exists => Doubt::OwnDoing,
            _ => Doubt::None,
        };
        assert_eq!(doubt_of(&item, &[status.code()]), expected, "{status}");
    }
}

#[test]
fn a_record_that_moved_on_is_looked_at() {
    let item = [Item::Record(record(3))];
    for (status, expected) in [
        (WriteRecordStatus::Written, Doubt::None),
        (WriteRecordStatus::Exists, Doubt::OwnDoing),
        (WriteRecordStatus::ExistsWithDifferentContent, Doubt::None),
        (WriteRecordStatus::VersionMismatch, Doubt::Standing),
        (WriteRecordStatus::NotFound, Doubt::Standing),
        (WriteRecordStatus::NamespaceFull, Doubt::Standing),
    ] {
        assert_eq!(doubt_of(&item, &[status.code()]), expected, "{status}");
    }
}

#[test]
fn a_chain_is_in_doubt_when_what_failed_it_may_be_our_own_doing() {
    let linked = Item::Transfer(transfer(TransferFlags::LINKED));
    let last = Item::Transfer(transfer(TransferFlags::default()));
    let chain = [linked, linked, last];
    let failed = CreateTransferStatus::LinkedEventFailed.code();
    let exists = CreateTransferStatus::Exists.code();
    let exceeds = CreateTransferStatus::ExceedsCredits.code();
    assert_eq!(doubt_of(&chain, &[0, 0, 0]), Doubt::None);
    assert_eq!(doubt_of(&chain, &[exists, failed, failed]), Doubt::Standing);
    assert_eq!(doubt_of(&chain, &[failed, exists, failed]), Doubt::Standing);
    assert_eq!(doubt_of(&chain, &[failed, exceeds, failed]), Doubt::None);
    let mixed = [Item::Record(record(3)), last];
    let mismatch = WriteRecordStatus::VersionMismatch.code();
    assert_eq!(doubt_of(&mixed, &[mismatch, failed]), Doubt::Standing);
}

#[test]
fn chains_end_behind_the_first_item_that_is_not_linked() {
    let linked = Item::Transfer(transfer(TransferFlags::LINKED));
    let last = Item::Transfer(transfer(TransferFlags::default()));
    let items = [last, linked, linked, last, last, linked];
    let mut ends = Vec::new();
    let mut start = 0;
    while start < items.len() {
        start = chain_end(&items, start);
        ends.push(start);
    }
    assert_eq!(ends, [1, 4, 5, 6]);
}

#[test]
fn a_transfer_stands_only_as_it_was_sent() {
    let sent = transfer(TransferFlags::LINKED);
    let stored = Transfer {
        timestamp: 77,
        ..sent
    };
    assert_eq!(transfer_stands(&sent, Some(&stored)), Standing::AsSent(77));
    assert_eq!(transfer_stands(&sent, None), Standing::Otherwise);
    for other in [
        Transfer {
            amount: 101,
            ..stored
        },
        Transfer {
            credit_account_id: AccountId(4),
            ..stored
        },
        Transfer {
            flags: TransferFlags::default(),
            ..stored
        },
        Transfer {
            user_data_64: 1,
            ..stored
        },
        Transfer { code: 2, ..stored },
    ] {
        assert_eq!(transfer_stands(&sent, Some(&other)), Standing::Otherwise);
    }

    let post = Transfer {
        id: TransferId(5),
        pending_id: TransferId(1),
        amount: AMOUNT_MAX,
        flags: TransferFlags::POST_PENDING_TRANSFER,
        ..Transfer::default()
    };
    let stored = Transfer {
        id: post.id,
        pending_id: post.pending_id,
        flags: post.flags,
        ..stored
    };
    assert_eq!(transfer_stands(&post, Some(&stored)), Standing::AsSent(77));

    let balancing = transfer(TransferFlags::BALANCING_DEBIT);
    let less = Transfer {
        amount: 40,
        timestamp: 78,
        ..balancing
    };
    assert_eq!(
        transfer_stands(&balancing, Some(&less)),
        Standing::AsSent(78)
    );
    let more = Transfer {
        amount: 140,
        ..less
    };
    assert_eq!(
        transfer_stands(&balancing, Some(&more)),
        Standing::Otherwise
    );
}

#[test]
fn a_record_that_was_overwritten_says_nothing() {
    let row = |version, operation_id| {
        Row::Written(StoredRecord {
            value: Bytes::new(),
            version,
            operation_id,
            timestamp: 5,
        })
    };
    assert_eq!(record_stands(&record(3), &row(4, 9)), Standing::AsSent(5));
    assert_eq!(record_stands(&record(3), &Row::Never), Standing::Otherwise);
    // Still at the version we expected: ours was never written.
    assert_eq!(record_stands(&record(3), &row(3, 1)), Standing::Otherwise);
    // Others made just the version we would have made.
    assert_eq!(record_stands(&record(3), &row(4, 1)), Standing::Otherwise);
    // It went on: ours may have been in between.
    assert_eq!(record_stands(&record(3), &row(5, 1)), Standing::CannotTell);
    assert_eq!(
        record_stands(&record(VERSION_ABSENT), &row(1, 1)),
        Standing::CannotTell
    );
    assert_eq!(
        record_stands(&record(VERSION_ANY), &row(7, 1)),
        Standing::CannotTell
    );

    let deletion = RecordItem {
        flags: RecordFlags::DELETE,
        value: b"",
        ..record(3)
    };
    let deleted = |version, operation_id| Row::Deleted {
        version,
        operation_id,
    };
    assert_eq!(
        record_stands(&deletion, &deleted(4, 9)),
        Standing::AsSent(0)
    );
    assert_eq!(
        record_stands(&deletion, &deleted(4, 1)),
        Standing::Otherwise
    );
    assert_eq!(
        record_stands(&deletion, &deleted(6, 1)),
        Standing::CannotTell
    );
}
