//! Families `by_user_data_128`, `by_user_data_64`, `by_user_data_32`: which transfers and which accounts carry a value.
//!
//! key = `of u8` (0 transfers, 1 accounts), the value (16, 8 or 4 bytes, BE), first sequence u64 BE; value as in
//! [`super::postings`]. Zero means "none" to most users and is not indexed: a question for it scans.

use farthing_ledger::{Account, Transfer, packed};

use super::{family, put};

/// Longest key.
pub(crate) const KEY_BYTES_MAX: usize = 25;

/// Of what a value is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Of {
    /// A transfer's.
    Transfers = 0,
    /// An account's: its event of creation is listed.
    Accounts = 1,
}

/// Which of the three fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Field {
    /// `user_data_128`.
    Bits128,
    /// `user_data_64`.
    Bits64,
    /// `user_data_32`.
    Bits32,
}

impl Field {
    /// All three.
    pub(crate) const ALL: [Self; 3] = [Self::Bits128, Self::Bits64, Self::Bits32];

    /// Its family.
    pub(crate) fn family(self) -> &'static str {
        match self {
            Self::Bits128 => family::BY_USER_DATA_128,
            Self::Bits64 => family::BY_USER_DATA_64,
            Self::Bits32 => family::BY_USER_DATA_32,
        }
    }

    /// Bytes of a value.
    fn width(self) -> usize {
        match self {
            Self::Bits128 => 16,
            Self::Bits64 => 8,
            Self::Bits32 => 4,
        }
    }

    /// A transfer's value.
    pub(crate) fn of_transfer(self, transfer: &Transfer) -> u128 {
        match self {
            Self::Bits128 => transfer.user_data_128,
            Self::Bits64 => transfer.user_data_64.into(),
            Self::Bits32 => transfer.user_data_32.into(),
        }
    }

    /// An account's value.
    pub(crate) fn of_account(self, account: &Account) -> u128 {
        match self {
            Self::Bits128 => account.user_data_128,
            Self::Bits64 => account.user_data_64.into(),
            Self::Bits32 => account.user_data_32.into(),
        }
    }

    /// The value in the packed row of a transfer, without unpacking the rest.
    #[inline]
    pub(crate) fn of_packed_row(self, row: &[u8]) -> Option<u128> {
        // Words of 8 bytes: user_data_128 @80, user_data_64 @96, user_data_32 @104 with the timeout.
        let word = |index| packed::word(row, index);
        Some(match self {
            Self::Bits128 => u128::from(word(11)?) << 64 | u128::from(word(10)?),
            Self::Bits64 => word(12)?.into(),
            Self::Bits32 => (word(13)? as u32).into(),
        })
    }

    /// The part of a key before the sequence.
    pub(crate) fn list(self, of: Of, value: u128) -> Vec<u8> {
        let mut list = Vec::with_capacity(KEY_BYTES_MAX);
        list.push(of as u8);
        list.extend_from_slice(&value.to_be_bytes()[16 - self.width()..]);
        list
    }

    /// The key of a row, and its length.
    #[inline]
    pub(crate) fn key(
        self,
        of: Of,
        value: u128,
        first_sequence: u64,
    ) -> ([u8; KEY_BYTES_MAX], usize) {
        let mut key = [0; KEY_BYTES_MAX];
        key[0] = of as u8;
        let width = self.width();
        // The bytes before the value's width are zero; what comes after them is overwritten.
        let shifted = value << (128 - 8 * width);
        put(&mut key, 1, shifted.to_be_bytes());
        put(&mut key, 1 + width, first_sequence.to_be_bytes());
        (key, 1 + width + 8)
    }

    /// What a key says.
    pub(crate) fn split_key(self, key: &[u8]) -> Option<(Of, u128, u64)> {
        let (list, sequence) = super::postings::split_key(key)?;
        let (of, value) = list.split_first()?;
        let of = match of {
            0 => Of::Transfers,
            1 => Of::Accounts,
            _ => return None,
        };
        if value.len() != self.width() {
            return None;
        }
        let number = value
            .iter()
            .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        (number != 0).then_some((of, number, sequence))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use farthing_ledger::TransferRow;

    #[test]
    fn keys_come_back_and_sort_by_value() {
        for field in Field::ALL {
            let largest = u128::MAX >> (128 - 8 * field.width());
            for value in [1, 7, largest] {
                for of in [Of::Transfers, Of::Accounts] {
                    let (key, length) = field.key(of, value, 9);
                    assert_eq!(field.split_key(&key[..length]).unwrap(), (of, value, 9));
                    assert_eq!(key[..length - 8], field.list(of, value));
                    assert_eq!(field.split_key(&key[..length - 1]), None);
                }
            }
            let (low, _) = field.key(Of::Transfers, 7, u64::MAX);
            let (high, _) = field.key(Of::Transfers, 8, 0);
            assert!(low < high);
            let (none, length) = field.key(Of::Transfers, 0, 1);
            assert_eq!(field.split_key(&none[..length]), None);
        }
    }

    #[test]
    fn values_are_read_from_packed_rows() {
        for bits in 0..8_u32 {
            let transfer = Transfer {
                user_data_128: u128::from(bits & 1) << 90 | u128::from(bits & 1),
                user_data_64: u64::from(bits & 2) << 40,
                user_data_32: bits & 4,
                timeout: 77,
                amount: 5,
                ..Transfer::default()
            };
            let row = TransferRow {
                sequence: 1,
                transfer,
                debit_after: Default::default(),
                credit_after: Default::default(),
            };
            let mut packed = vec![];
            packed::pack(&row.to_bytes(), &mut packed);
            for field in Field::ALL {
                assert_eq!(
                    field.of_packed_row(&packed),
                    Some(field.of_transfer(&transfer))
                );
            }
        }
    }
}
