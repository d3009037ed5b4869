//! Family `history`: key = account id u128 BE, first sequence u64 BE; value as in [`super::postings`].

/// Added to a side: the change was an expiry.
pub(crate) const EXPIRY: u8 = 2;
/// Length of a key.
pub(crate) const KEY_BYTES: usize = 24;

/// The key of a row.
#[inline]
pub(crate) fn key(account: u128, first_sequence: u64) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    super::put(&mut key, 0, account.to_be_bytes());
    super::put(&mut key, 16, first_sequence.to_be_bytes());
    key
}

/// Account and first sequence of a key.
pub(crate) fn split_key(key: &[u8]) -> Option<(u128, u64)> {
    let (account, sequence) = super::postings::split_key(key)?;
    Some((super::u128_key(account)?, sequence))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_sort_by_account_then_sequence() {
        assert_eq!(split_key(&key(4 << 100, 7)).unwrap(), (4 << 100, 7));
        assert!(key(4, u64::MAX) < key(5, 0));
        assert_eq!(split_key(&key(4, 7)[..23]), None);
    }
}
