//! Family `history`: key = account id u128 BE, first sequence u64 BE; value = `log_index u64`, then items of
//! `sequence - first u32, side u8, offset u8`.
//!
//! One row holds what one entry did to one account (at most 64 items, then the next row begins): a busy account
//! costs one row an entry and not one a transfer. Side is 0 for debit and 1 for credit, plus 2 for an expiry, whose
//! event has the sequence; otherwise the transfer's block has the key `sequence - offset`.

/// Items in a row, at most.
pub(crate) const ITEMS_MAX: usize = 64;
/// Length of a key.
pub(crate) const KEY_BYTES: usize = 24;
/// Added to a side: the change was an expiry.
pub(crate) const EXPIRY: u8 = 2;
const ITEM_BYTES: usize = 6;

/// One change of an account's balances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Touch {
    /// Sequence of the transfer or of the expiry.
    pub(crate) sequence: u64,
    /// 0 debit, 1 credit, plus [`EXPIRY`].
    pub(crate) side: u8,
    /// Rows before the transfer in its block.
    pub(crate) offset: u8,
}

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
    let (account, sequence) = key.split_at_checked(16)?;
    Some((super::u128_key(account)?, super::u64_key(sequence)?))
}

/// Replaces `out` by the value of a row; `touches` are 1 to 64 of one account and entry, by sequence.
#[inline]
pub(crate) fn write_value(
    log_index: u64,
    touches: impl IntoIterator<Item = Touch>,
    out: &mut Vec<u8>,
) {
    out.clear();
    out.extend_from_slice(&log_index.to_le_bytes());
    let mut first = None;
    for touch in touches {
        let first = *first.get_or_insert(touch.sequence);
        let mut item = [0; ITEM_BYTES];
        super::put(
            &mut item,
            0,
            ((touch.sequence - first) as u32).to_le_bytes(),
        );
        item[4] = touch.side;
        item[5] = touch.offset;
        out.extend_from_slice(&item);
    }
}

/// The touches in a value: the first has the sequence of the key, and each comes after the one before.
pub(crate) fn read_value(first_sequence: u64, value: &[u8]) -> Option<Vec<Touch>> {
    let items = value.get(8..)?;
    if items.is_empty()
        || !items.len().is_multiple_of(ITEM_BYTES)
        || items.len() > ITEM_BYTES * ITEMS_MAX
    {
        return None;
    }
    let touch = |item: &[u8; ITEM_BYTES]| {
        let delta = u32::from_le_bytes(*item.first_chunk()?);
        let sequence = first_sequence.checked_add(u64::from(delta))?;
        (item[4] < 4).then_some(Touch {
            sequence,
            side: item[4],
            offset: item[5],
        })
    };
    let touches: Vec<Touch> = items
        .as_chunks::<ITEM_BYTES>()
        .0
        .iter()
        .map(touch)
        .collect::<Option<_>>()?;
    let in_order = touches
        .windows(2)
        .all(|pair| pair[0].sequence < pair[1].sequence);
    (in_order && touches[0].sequence == first_sequence).then_some(touches)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_come_back() {
        let touches = [
            Touch {
                sequence: 7,
                side: 0,
                offset: 6,
            },
            Touch {
                sequence: 9,
                side: 1,
                offset: 8,
            },
            Touch {
                sequence: 70_000,
                side: 1 + EXPIRY,
                offset: 0,
            },
        ];
        let mut value = vec![9];
        write_value(5, touches, &mut value);
        assert_eq!(value.len(), 8 + 3 * 6);
        assert_eq!(super::super::log_index(&value), Some(5));
        assert_eq!(read_value(7, &value).unwrap(), touches);
        assert_eq!(split_key(&key(4 << 100, 7)), Some((4 << 100, 7)));
        assert!(
            key(4, u64::MAX) < key(5, 0),
            "keys sort by account, then sequence"
        );
        assert_eq!(read_value(7, &value[..13]), None);
        assert_eq!(read_value(7, &value[..8]), None);
        // Another key's value, and one whose second change is as early as its first.
        let mut shifted = value.clone();
        shifted[8] = 1;
        assert_eq!(read_value(7, &shifted), None);
        let mut still = value.clone();
        still[14] = 0;
        assert_eq!(read_value(7, &still), None);
    }
}
