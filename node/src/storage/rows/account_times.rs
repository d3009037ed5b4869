//! Family `account_times`: key = timestamp, u64 BE; value = `log_index u64, account id u128`.
//!
//! Answers whether a timestamp is an account's, and lists accounts by age.

/// The value of a row.
pub(crate) fn value(log_index: u64, account: u128) -> [u8; 24] {
    let mut value = [0; 24];
    value[..8].copy_from_slice(&log_index.to_le_bytes());
    value[8..].copy_from_slice(&account.to_le_bytes());
    value
}

/// The account in a value.
pub(crate) fn read_value(value: &[u8]) -> Option<u128> {
    let value: &[u8; 24] = value.try_into().ok()?;
    Some(u128::from_le_bytes(*value[8..].first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back() {
        let row = value(9, 1 << 90);
        assert_eq!(super::super::log_index(&row), Some(9));
        assert_eq!(read_value(&row), Some(1 << 90));
        assert_eq!(read_value(&row[1..]), None);
    }
}
