//! The digest of the state: equal applied index means equal digest, on every node, by replay or by snapshot.
//!
//! It is the sum modulo 2^128 of one hash for each logical row, so it is updated by what changed and does not depend
//! on order, run boundaries or the layout of files. Comparing nodes also mixes in the applied log id.

use xxhash_rust::xxh3::xxh3_128;

use super::LogId;
use farthing_ledger::{Account, Ledger, NamespaceTotals, Pending, Record, RecordKey, TransferRow};

/// Tags of logical rows; frozen. Those of mutable rows are their tags in `current`.
mod tag {
    pub(super) const LOG_ID: u8 = 1;
    pub(super) const TRANSFER: u8 = 32;
    pub(super) const REFUSED: u8 = 33;
}

/// The digest of a state: a sum over its rows. Nodes compare it together with the applied log id, see
/// [`super::AppliedState::comparable_digest`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Digest(u128);

impl Digest {
    /// Continues from a sum.
    pub fn from_sum(sum: u128) -> Self {
        Self(sum)
    }

    /// The sum over the rows, without the log id.
    pub fn sum(self) -> u128 {
        self.0
    }

    /// What nodes compare: the sum with the applied log id mixed in.
    pub(crate) fn at(self, log_id: LogId) -> u128 {
        let mut key = [0; 24];
        key[..8].copy_from_slice(&log_id.term.to_le_bytes());
        key[8..16].copy_from_slice(&log_id.node.to_le_bytes());
        key[16..].copy_from_slice(&log_id.index.to_le_bytes());
        self.0
            .wrapping_add(hash::<25, _, _>(tag::LOG_ID, &key, &[]))
    }

    /// A row that was one value, or absent, became another.
    pub(crate) fn replace(&mut self, before: Option<u128>, after: u128) {
        self.0 = self.0.wrapping_add(after).wrapping_sub(before.unwrap_or(0));
    }

    /// A row that is there for ever.
    pub(crate) fn add(&mut self, row: u128) {
        self.0 = self.0.wrapping_add(row);
    }
}

/// Hash of `tag, key, value`, which together are `N` bytes; arrays, so that they are copied without calls.
#[inline]
fn hash<const N: usize, const K: usize, const V: usize>(
    tag: u8,
    key: &[u8; K],
    value: &[u8; V],
) -> u128 {
    const { assert!(1 + K + V == N) };
    let mut row = [0; N];
    row[0] = tag;
    if let Some(place) = row[1..].first_chunk_mut() {
        *place = *key;
    }
    if let Some(place) = row[1 + K..].first_chunk_mut() {
        *place = *value;
    }
    xxh3_128(&row)
}

/// Hash of an account's row.
#[inline]
pub(crate) fn account(account: &Account) -> u128 {
    account_bytes(&account.to_bytes())
}

/// Hash of an account's row; `bytes` is [`Account::to_bytes`], which begins with the id.
#[inline]
pub(crate) fn account_bytes(bytes: &[u8; Account::BYTES]) -> u128 {
    hash::<145, 16, _>(
        super::rows::current::TAG_ACCOUNT,
        bytes.first_chunk().unwrap_or(&[0; 16]),
        bytes,
    )
}

/// Hash of a pending transfer's row.
pub(crate) fn pending(pending: &Pending) -> u128 {
    hash::<161, _, _>(
        super::rows::current::TAG_PENDING,
        &pending.transfer.id.0.to_le_bytes(),
        &pending.to_bytes(),
    )
}

/// Hash of a ledger's row.
pub(crate) fn ledger(ledger: &Ledger) -> u128 {
    hash::<69, _, _>(
        super::rows::current::TAG_LEDGER,
        &ledger.ledger.to_le_bytes(),
        &ledger.to_bytes(),
    )
}

/// Hash of a record's row; its key is `namespace u32, length u8, key`.
pub(crate) fn record(key: &RecordKey, record: &Record) -> u128 {
    let mut row = vec![super::rows::current::TAG_RECORD];
    row.extend_from_slice(&key.namespace().to_le_bytes());
    row.push(key.key().len() as u8);
    row.extend_from_slice(key.key());
    record.write_to(&mut row);
    xxh3_128(&row)
}

/// Hash of a namespace's totals.
pub(crate) fn namespace(namespace: u32, totals: &NamespaceTotals) -> u128 {
    let value = super::rows::current::namespace_value(totals);
    hash::<21, _, _>(
        super::rows::current::TAG_NAMESPACE,
        &namespace.to_le_bytes(),
        &value,
    )
}

/// Hash of a setting.
pub(crate) fn setting(setting: u32, value: u64) -> u128 {
    hash::<13, _, _>(
        super::rows::current::TAG_SETTING,
        &setting.to_le_bytes(),
        &value.to_le_bytes(),
    )
}

/// Hash of a transfer with the balances after it; `row` is [`TransferRow::to_bytes`].
#[inline]
pub(crate) fn transfer(sequence: u64, row: &[u8; TransferRow::BYTES]) -> u128 {
    hash::<265, _, _>(tag::TRANSFER, &sequence.to_le_bytes(), row)
}

/// Hash of a refused id.
pub(crate) fn refused(id: u128) -> u128 {
    hash::<17, _, _>(tag::REFUSED, &id.to_le_bytes(), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_but_every_row_does() {
        let (mut one, mut two) = (Digest::default(), Digest::default());
        one.add(refused(1));
        one.replace(None, setting(1, 1));
        one.replace(Some(setting(1, 1)), setting(1, 2));
        two.replace(None, setting(1, 2));
        two.add(refused(1));
        assert_eq!(one, two);
        two.add(refused(2));
        assert_ne!(one, two);
        let (here, there) = (
            LogId {
                term: 1,
                node: 2,
                index: 3,
            },
            LogId {
                term: 2,
                node: 2,
                index: 3,
            },
        );
        assert_ne!(
            one.at(here),
            one.at(there),
            "the same rows at another log id are another state"
        );
    }

    #[test]
    fn the_hash_is_frozen() {
        let hashes =
            [refused(1), setting(1, 2), transfer(7, &[3; 256])].map(|hash| format!("{hash:032x}"));
        assert_eq!(
            hashes,
            [
                "57dc971cf42362dfd33628e47223de61",
                "c746a7fda6a32e6ac6e4c4be66c780b2",
                "fec3fadf47abd93c88d4b2e5360b786d",
            ]
        );
    }
}
