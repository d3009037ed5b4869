//! Family `account_times`: key = timestamp, u64 BE; value = `log_index u64, account id u128`.
//!
//! Answers whether a timestamp is an account's, and lists accounts by age.

/// The value of a row.
pub(crate) fn value(log_index: u64, account: u128) -> [u8; 24] {
    let mut value = [0; 24];
    super::put(&mut value, 0, log_index.to_le_bytes());
    super::put(&mut value, 8, account.to_le_bytes());
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_log_index_and_the_account() {
        let row = value(9, 1 << 90);
        assert_eq!(super::super::log_index(&row), Some(9));
        assert_eq!(row[8..], (1_u128 << 90).to_le_bytes());
    }
}
