//! The rows on disk, one file per family: key, value, and how they are read back.
//!
//! Families but `current` are written once: their keys, values and cuts are functions of the log alone, so that a
//! replay under other run boundaries overwrites the leftovers of an unfinished run with identical bytes. Each of
//! their values begins with the log index that made it; above the commit record's index a row does not exist.
//! `docs/internals/disk.md` is the contract.

pub(crate) mod account_times;
pub(crate) mod commit;
pub(crate) mod current;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod merkle;
pub(crate) mod postings;
pub(crate) mod transfers;
pub(crate) mod user_data;

/// Column families by name.
pub(crate) mod family {
    /// Blocks of transfers by sequence.
    pub(crate) const TRANSFERS: &str = "transfers";
    /// Transfer id to its place.
    pub(crate) const IDS: &str = "ids";
    /// Account and sequence to what moved it.
    pub(crate) const HISTORY: &str = "history";
    /// Changes that are not transfers, by sequence.
    pub(crate) const EVENTS: &str = "events";
    /// Timestamps of accounts.
    pub(crate) const ACCOUNT_TIMES: &str = "account_times";
    /// Values of `user_data_128` to what carries them.
    pub(crate) const BY_USER_DATA_128: &str = "by_user_data_128";
    /// Values of `user_data_64` to what carries them.
    pub(crate) const BY_USER_DATA_64: &str = "by_user_data_64";
    /// Values of `user_data_32` to what carries them.
    pub(crate) const BY_USER_DATA_32: &str = "by_user_data_32";
    /// Roots of complete subtrees of the tree over all changes.
    pub(crate) const MERKLE: &str = "merkle";
    /// Every mutable row and the commit record.
    pub(crate) const CURRENT: &str = "current";
    /// All of them.
    pub(crate) const ALL: [&str; 10] = [
        TRANSFERS,
        IDS,
        HISTORY,
        EVENTS,
        ACCOUNT_TIMES,
        BY_USER_DATA_128,
        BY_USER_DATA_64,
        BY_USER_DATA_32,
        MERKLE,
        CURRENT,
    ];
}

/// The u64 at the start of `bytes`, little-endian: the log index of an immutable row.
#[inline]
pub(crate) fn log_index(value: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*value.first_chunk()?))
}

/// Puts an array at a place. Arrays and not slices: a few bytes by one store and not by a call.
#[inline(always)]
pub(crate) fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes[at..].first_chunk_mut() {
        *place = value;
    }
}

#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[inline]
pub(crate) fn u128_key(key: &[u8]) -> Option<u128> {
    Some(u128::from_be_bytes(key.try_into().ok()?))
}

#[inline]
pub(crate) fn u64_key(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.try_into().ok()?))
}
