//! Lists of changes on disk: whose history (`history`) or what carries a value (`by_user_data_*`).
//!
//! key = what the list is of, first sequence u64 BE; value = `log_index u64`, then items of `sequence - first u32,
//! side u8, offset u8`. One row holds what one entry added to one list (at most 64 items, then the next row begins): a
//! busy list costs one row an entry and not one a change. In a history the side is 0 for debit and 1 for credit, plus 2
//! for an expiry, whose event has the sequence; elsewhere it is 0. A transfer's block has the key `sequence - offset`;
//! the offset of an event is 0.

/// Items in a row, at most.
pub(crate) const ITEMS_MAX: usize = 64;
const ITEM_BYTES: usize = 6;
const SEQUENCE_BYTES: usize = 8;

/// One change in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Posting {
    /// Sequence of the transfer or of the event.
    pub(crate) sequence: u64,
    /// See the module.
    pub(crate) side: u8,
    /// Rows before the transfer in its block.
    pub(crate) offset: u8,
}

/// What the list is of, and the first sequence of a key.
pub(crate) fn split_key(key: &[u8]) -> Option<(&[u8], u64)> {
    let (list, sequence) = key.split_at_checked(key.len().checked_sub(SEQUENCE_BYTES)?)?;
    Some((list, super::u64_key(sequence)?))
}

/// Replaces `out` by the value of a row; `postings` are 1 to 64 of one list and entry, by sequence.
#[inline]
pub(crate) fn write_value(
    log_index: u64,
    postings: impl IntoIterator<Item = Posting>,
    out: &mut Vec<u8>,
) {
    out.clear();
    out.extend_from_slice(&log_index.to_le_bytes());
    let mut first = None;
    for posting in postings {
        let first = *first.get_or_insert(posting.sequence);
        let mut item = [0; ITEM_BYTES];
        super::put(
            &mut item,
            0,
            ((posting.sequence - first) as u32).to_le_bytes(),
        );
        item[4] = posting.side;
        item[5] = posting.offset;
        out.extend_from_slice(&item);
    }
}

/// The postings in a value: the first has the sequence of the key, and each comes after the one before.
pub(crate) fn read_value(first_sequence: u64, value: &[u8]) -> Option<Vec<Posting>> {
    let items = value.get(8..)?;
    if items.is_empty()
        || !items.len().is_multiple_of(ITEM_BYTES)
        || items.len() > ITEM_BYTES * ITEMS_MAX
    {
        return None;
    }
    let posting = |item: &[u8; ITEM_BYTES]| {
        let delta = u32::from_le_bytes(*item.first_chunk()?);
        let sequence = first_sequence.checked_add(u64::from(delta))?;
        (item[4] < 4).then_some(Posting {
            sequence,
            side: item[4],
            offset: item[5],
        })
    };
    let postings: Vec<Posting> = items
        .as_chunks::<ITEM_BYTES>()
        .0
        .iter()
        .map(posting)
        .collect::<Option<_>>()?;
    let in_order = postings
        .windows(2)
        .all(|pair| pair[0].sequence < pair[1].sequence);
    (in_order && postings[0].sequence == first_sequence).then_some(postings)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::storage::rows::history::EXPIRY;

    #[test]
    fn rows_come_back() {
        let posting = |sequence, side, offset| Posting {
            sequence,
            side,
            offset,
        };
        let postings = [
            posting(7, 0, 6),
            posting(9, 1, 8),
            posting(70_000, 1 + EXPIRY, 0),
        ];
        let mut value = vec![9];
        write_value(5, postings, &mut value);
        assert_eq!(value.len(), 8 + 3 * 6);
        assert_eq!(super::super::log_index(&value), Some(5));
        assert_eq!(read_value(7, &value).unwrap(), postings);
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
