//! Family `current`: every mutable row, its key led by a tag. Tags are frozen; retired ones would stay listed.
//!
//! Rows of a run enter this family in one ingest together with the commit record (tag 1), so that what they say is
//! always the state after exactly the entry that the record names.

use farthing_ledger::{
    Account, AccountId, Ledger, NamespaceTotals, Pending, RecordKey, TransferId, packed,
};

/// The commit record; no further key.
pub(crate) const TAG_COMMIT: u8 = 1;
/// Ranges that hold every id of the committed runs; no further key. Not part of the logical state.
pub(crate) const TAG_ID_RANGES: u8 = 2;
/// Account id u128 BE -> account, packed.
pub(crate) const TAG_ACCOUNT: u8 = 16;
/// Transfer id u128 BE -> pending, packed.
pub(crate) const TAG_PENDING: u8 = 17;
/// expires_at u64 BE, timestamp u64 BE -> transfer id.
pub(crate) const TAG_DUE: u8 = 18;
/// Ledger number u32 BE -> ledger.
pub(crate) const TAG_LEDGER: u8 = 19;
/// Namespace u32 BE, key -> stored record.
pub(crate) const TAG_RECORD: u8 = 20;
/// Namespace u32 BE -> `rows u64, bytes u64`.
pub(crate) const TAG_NAMESPACE: u8 = 21;
/// Setting u32 BE -> value u64.
pub(crate) const TAG_SETTING: u8 = 22;

/// Key of a tag with a 128-bit id.
#[inline]
pub(crate) fn id_key(tag: u8, id: u128) -> [u8; 17] {
    let mut key = [tag; 17];
    super::put(&mut key, 1, id.to_be_bytes());
    key
}

/// Key of an account.
#[inline]
pub(crate) fn account_key(id: AccountId) -> [u8; 17] {
    id_key(TAG_ACCOUNT, id.0)
}

/// Key of a pending transfer.
#[inline]
pub(crate) fn pending_key(id: TransferId) -> [u8; 17] {
    id_key(TAG_PENDING, id.0)
}

/// Key of a place in the expiry queue.
pub(crate) fn due_key(expires_at: u64, timestamp: u64) -> [u8; 17] {
    let mut key = [TAG_DUE; 17];
    super::put(&mut key, 1, expires_at.to_be_bytes());
    super::put(&mut key, 9, timestamp.to_be_bytes());
    key
}

/// The place that a due key stands for.
pub(crate) fn split_due_key(key: &[u8]) -> Option<(u64, u64)> {
    let key: &[u8; 17] = key.try_into().ok()?;
    (key[0] == TAG_DUE).then_some(())?;
    Some((
        u64::from_be_bytes(*key[1..].first_chunk()?),
        u64::from_be_bytes(*key[9..].first_chunk()?),
    ))
}

/// Key of a tag with a 32-bit number.
pub(crate) fn number_key(tag: u8, number: u32) -> [u8; 5] {
    let mut key = [tag; 5];
    super::put(&mut key, 1, number.to_be_bytes());
    key
}

/// Key of a record.
pub(crate) fn record_key(key: &RecordKey) -> Vec<u8> {
    let mut bytes = number_key(TAG_RECORD, key.namespace()).to_vec();
    bytes.extend_from_slice(key.key());
    bytes
}

/// The record that a key stands for.
pub(crate) fn split_record_key(key: &[u8]) -> Option<RecordKey> {
    let (head, name) = key.split_first_chunk::<5>()?;
    (head[0] == TAG_RECORD).then_some(())?;
    RecordKey::new(u32::from_be_bytes(*head[1..].first_chunk()?), name)
}

/// Appends the value of an account; `bytes` is [`Account::to_bytes`].
#[inline]
pub(crate) fn write_account(bytes: &[u8; Account::BYTES], out: &mut Vec<u8>) {
    packed::pack(bytes, out);
}

/// The account in a value.
#[inline]
pub(crate) fn read_account(value: &[u8]) -> Option<Account> {
    Some(Account::from_bytes(&packed::unpack_all(value)?))
}

/// Appends the value of a pending.
pub(crate) fn write_pending(pending: &Pending, out: &mut Vec<u8>) {
    packed::pack(&pending.to_bytes(), out);
}

/// The pending in a value.
pub(crate) fn read_pending(value: &[u8]) -> Option<Pending> {
    Pending::from_bytes(&packed::unpack_all(value)?)
}

/// The ledger in a value.
pub(crate) fn read_ledger(value: &[u8]) -> Option<Ledger> {
    Some(Ledger::from_bytes(value.try_into().ok()?))
}

/// The value of a namespace's totals.
pub(crate) fn namespace_value(totals: &NamespaceTotals) -> [u8; 16] {
    let mut value = [0; 16];
    super::put(&mut value, 0, totals.rows.to_le_bytes());
    super::put(&mut value, 8, totals.bytes.to_le_bytes());
    value
}

/// The totals in a value.
pub(crate) fn read_namespace(value: &[u8]) -> Option<NamespaceTotals> {
    let value: &[u8; 16] = value.try_into().ok()?;
    Some(NamespaceTotals {
        rows: super::u64_at(value, 0)?,
        bytes: super::u64_at(value, 8)?,
    })
}

/// The setting in a value.
pub(crate) fn read_setting(value: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(value.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use farthing_ledger::{PendingStatus, Transfer};

    #[test]
    fn keys_sort_like_what_they_stand_for() {
        assert!(account_key(AccountId(1)) < account_key(AccountId(1 << 64)));
        assert!(account_key(AccountId(u128::MAX)) < pending_key(TransferId(0)));
        assert!(due_key(1, u64::MAX) < due_key(2, 0));
        assert_eq!(split_due_key(&due_key(5, 6)), Some((5, 6)));
        assert_eq!(split_due_key(&account_key(AccountId(1))), None);
        let key = RecordKey::new(7, b"a key").unwrap();
        assert_eq!(split_record_key(&record_key(&key)), Some(key));
        assert_eq!(split_record_key(&record_key(&key)[..4]), None);
    }

    #[test]
    fn values_come_back() {
        let account = Account {
            id: AccountId(1 << 127),
            credits_posted: 9,
            timestamp: 3,
            ..Account::default()
        };
        let mut value = vec![];
        write_account(&account.to_bytes(), &mut value);
        assert_eq!(read_account(&value), Some(account));
        assert!(value.len() < 48, "zeros take no room: {}", value.len());
        let transfer = Transfer {
            id: TransferId(5),
            amount: u128::MAX,
            ..Transfer::default()
        };
        let pending = Pending {
            transfer,
            status: PendingStatus::Expired,
            sequence: 8,
        };
        value.clear();
        write_pending(&pending, &mut value);
        assert_eq!(read_pending(&value), Some(pending));
        let totals = NamespaceTotals { rows: 1, bytes: 2 };
        assert_eq!(read_namespace(&namespace_value(&totals)), Some(totals));
    }
}
