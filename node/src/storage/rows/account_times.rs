//! Family `account_times`: key = timestamp, u64 BE; value = `log_index u64, account id u128, sequence u64`.
//!
//! Answers whether a timestamp is an account's, and lists accounts by age.

const VALUE_BYTES: usize = 32;

/// The value of a row: the account whose creation has this sequence.
pub(crate) fn value(log_index: u64, account: u128, sequence: u64) -> [u8; VALUE_BYTES] {
    let mut value = [0; VALUE_BYTES];
    super::put(&mut value, 0, log_index.to_le_bytes());
    super::put(&mut value, 8, account.to_le_bytes());
    super::put(&mut value, 24, sequence.to_le_bytes());
    value
}

/// Account and sequence in a value.
pub(crate) fn read_value(value: &[u8]) -> Option<(u128, u64)> {
    let value: &[u8; VALUE_BYTES] = value.try_into().ok()?;
    let account = u128::from_le_bytes(*value[8..].first_chunk()?);
    Some((account, super::u64_at(value, 24)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back() {
        let row = value(9, 1 << 90, 70);
        assert_eq!(super::super::log_index(&row), Some(9));
        assert_eq!(read_value(&row), Some((1 << 90, 70)));
        assert_eq!(read_value(&row[..31]), None);
    }
}
