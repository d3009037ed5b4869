//! Items of requests in few words. Ids and ledger numbers are fresh in every call, so that tests can share a cluster.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use farthing_ledger::{Account, AccountId, Transfer, TransferFlags, TransferId};
use farthing_proto::convert::id::format_id;
use farthing_proto::v1;
use farthing_proto::v1::transfer::AmountChoice;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static NEXT_LEDGER: AtomicU32 = AtomicU32::new(1_000);

/// An id never used before: time in the high half, a counter in the low.
pub(crate) fn fresh_id() -> u128 {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    nanos << 64 | u128::from(NEXT_ID.fetch_add(1, Ordering::Relaxed))
}

/// A ledger number not given out before in this process.
pub(crate) fn fresh_ledger() -> u32 {
    NEXT_LEDGER.fetch_add(1, Ordering::Relaxed)
}

/// The canonical text of an id.
pub(crate) fn uuid(id: u128) -> String {
    format_id(id)
}

pub(crate) fn ledger(number: u32, currency: &str, scale: u32) -> v1::Ledger {
    v1::Ledger {
        number,
        currency: currency.into(),
        scale,
        ..Default::default()
    }
}

pub(crate) fn account(id: u128, ledger: u32) -> v1::Account {
    v1::Account {
        id: uuid(id),
        ledger,
        code: 1,
        ..Default::default()
    }
}

/// A posted transfer with a fresh id.
pub(crate) fn transfer(debit: u128, credit: u128, amount: &str, ledger: u32) -> v1::Transfer {
    v1::Transfer {
        id: uuid(fresh_id()),
        debit_account_id: uuid(debit),
        credit_account_id: uuid(credit),
        amount_choice: Some(AmountChoice::Amount(amount.into())),
        ledger,
        code: 1,
        ..Default::default()
    }
}

/// A pending transfer with this id.
pub(crate) fn pending(
    id: u128,
    debit: u128,
    credit: u128,
    amount: &str,
    ledger: u32,
) -> v1::Transfer {
    let flags = vec![v1::TransferFlag::Pending.into()];
    v1::Transfer {
        id: uuid(id),
        flags,
        ..transfer(debit, credit, amount, ledger)
    }
}

/// The post of all of a pending transfer, everything else inherited.
pub(crate) fn post(pending_id: u128) -> v1::Transfer {
    v1::Transfer {
        id: uuid(fresh_id()),
        pending_id: uuid(pending_id),
        amount_choice: Some(AmountChoice::All(true)),
        flags: vec![v1::TransferFlag::PostPendingTransfer.into()],
        ..Default::default()
    }
}

/// The void of a pending transfer, everything else inherited.
pub(crate) fn void(pending_id: u128) -> v1::Transfer {
    let flags = vec![v1::TransferFlag::VoidPendingTransfer.into()];
    v1::Transfer {
        amount_choice: None,
        flags,
        ..post(pending_id)
    }
}

pub(crate) fn packed_account(id: u128, ledger: u32) -> Account {
    Account {
        id: AccountId(id),
        ledger,
        code: 1,
        ..Account::default()
    }
}

/// A posted transfer with a fresh id, in the smallest unit.
pub(crate) fn packed_transfer(debit: u128, credit: u128, amount: u128, ledger: u32) -> Transfer {
    Transfer {
        id: TransferId(fresh_id()),
        debit_account_id: AccountId(debit),
        credit_account_id: AccountId(credit),
        amount,
        ledger,
        code: 1,
        flags: TransferFlags::default(),
        ..Transfer::default()
    }
}

/// A write of a record under any version, with a fresh operation id.
pub(crate) fn record(namespace: u32, key: &[u8], value: &[u8]) -> v1::RecordItem {
    v1::RecordItem {
        operation_id: uuid(fresh_id()),
        namespace,
        key: key.to_vec().into(),
        value: value.to_vec().into(),
        ..Default::default()
    }
}

/// The deletion of a record, with a fresh operation id.
pub(crate) fn delete_record(namespace: u32, key: &[u8]) -> v1::RecordItem {
    v1::RecordItem {
        flags: vec![v1::RecordFlag::Delete.into()],
        ..record(namespace, key, b"")
    }
}
