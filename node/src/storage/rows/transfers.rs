//! Family `transfers`: key = first sequence of the block, u64 BE; value = block.
//!
//! A block is `version u8 (1), reserved u8, count u16, reserved u32, log_index u64`, then `count` packed rows of 256
//! bytes (the transfer and both balances after it) of consecutive sequences. It never spans two entries. The ids and
//! history families hold a row's place in its block, so that finding it takes one point read.

use farthing_ledger::{TransferRow, packed};

/// Rows in a block, at most.
pub(crate) const BLOCK_ROWS_MAX: usize = 64;
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 16;

/// Where a block stands in the bytes that [`write_blocks`] appended to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BlockAt {
    /// Sequence of its first row: its key.
    pub(crate) first_sequence: u64,
    /// First byte.
    pub(crate) start: u32,
    /// Rows of the same entry before it.
    pub(crate) rows_before: u32,
}

/// Appends the blocks of one entry's transfers and their places; `each` sees every row's 256 bytes once.
pub(crate) fn write_blocks(
    log_index: u64,
    rows: &[TransferRow],
    out: &mut Vec<u8>,
    blocks: &mut Vec<BlockAt>,
    mut each: impl FnMut(&TransferRow, &[u8; 256]),
) {
    let mut next = 0;
    while next < rows.len() {
        let first = rows[next].sequence;
        let start = out.len();
        blocks.push(BlockAt {
            first_sequence: first,
            start: start as u32,
            rows_before: next as u32,
        });
        out.extend_from_slice(&[VERSION, 0, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(&log_index.to_le_bytes());
        let mut count = 0_usize;
        while let Some(row) = rows.get(next) {
            if count == BLOCK_ROWS_MAX || row.sequence != first + count as u64 {
                break;
            }
            let bytes = row.to_bytes();
            each(row, &bytes);
            packed::pack(&bytes, out);
            count += 1;
            next += 1;
        }
        super::put(out, start + 2, (count as u16).to_le_bytes());
    }
}

/// A block as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// The entry that made its rows.
    pub(crate) log_index: u64,
    /// Rows in it.
    pub(crate) count: usize,
    rows: &'a [u8],
}

impl<'a> Block<'a> {
    /// The block at the start of `bytes`; bytes behind its last row are not looked at.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, rows) = bytes.split_at_checked(HEADER_BYTES)?;
        let count = usize::from(u16::from_le_bytes([header[2], header[3]]));
        if header[0] != VERSION || count == 0 || count > BLOCK_ROWS_MAX {
            return None;
        }
        Some(Self {
            log_index: super::u64_at(header, 8)?,
            count,
            rows,
        })
    }

    /// The row at `offset` rows from the first.
    pub(crate) fn row(&self, offset: usize) -> Option<[u8; 256]> {
        if offset >= self.count {
            return None;
        }
        let mut rows = self.rows;
        for _ in 0..offset {
            rows = &rows[packed::length(rows)?..];
        }
        Some(packed::unpack(rows)?.0)
    }

    /// Every row as it is packed, in order, up to where the bytes are not a row.
    pub(crate) fn packed_rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.rows;
        (0..self.count).map_while(move |_| {
            let (row, later) = rest.split_at_checked(packed::length(rest)?)?;
            rest = later;
            Some(row)
        })
    }

    /// Every row, in order; an item is `None` where the bytes are not a row, and nothing follows it.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Option<[u8; 256]>> + use<'a> {
        let mut rest = Some(self.rows);
        (0..self.count).map_while(move |_| {
            let rows = rest?;
            let row = packed::unpack(rows);
            rest = row.map(|(_, used)| &rows[used..]);
            Some(row.map(|(row, _)| row))
        })
    }
}

/// The timestamp (ns) in the 256 bytes of a row, without decoding the rest.
#[inline]
pub(crate) fn row_time(row: &[u8; 256]) -> u64 {
    const TIMESTAMP: usize = 120;
    super::u64_at(row, TIMESTAMP).unwrap_or_default()
}

/// The id in the 256 bytes of a row, without decoding the rest.
#[inline]
pub(crate) fn row_id(row: &[u8; 256]) -> u128 {
    u128::from_le_bytes(*row.first_chunk().unwrap_or(&[0; 16]))
}

/// Debit and credit account ids in the 256 bytes of a row.
#[inline]
pub(crate) fn row_accounts(row: &[u8; 256]) -> (u128, u128) {
    let at = |at: usize| u128::from_le_bytes(*row[at..].first_chunk().unwrap_or(&[0; 16]));
    (at(16), at(32))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use farthing_ledger::{Transfer, TransferId};

    fn rows(sequences: impl IntoIterator<Item = u64>) -> Vec<TransferRow> {
        let row = |sequence: u64| TransferRow {
            sequence,
            transfer: Transfer {
                id: TransferId(u128::from(sequence) << 70 | 5),
                code: 7,
                ..Transfer::default()
            },
            debit_after: Default::default(),
            credit_after: Default::default(),
        };
        sequences.into_iter().map(row).collect()
    }

    #[test]
    fn blocks_are_cut_at_64_rows_and_at_every_gap() {
        let rows = rows((1..=130).chain(140..=141).chain(143..=143));
        let (mut bytes, mut blocks, mut seen) = (vec![], vec![], 0);
        write_blocks(9, &rows, &mut bytes, &mut blocks, |_, _| seen += 1);
        assert_eq!(seen, rows.len());
        let firsts: Vec<u64> = blocks.iter().map(|block| block.first_sequence).collect();
        assert_eq!(firsts, [1, 65, 129, 140, 143]);
        let mut read = vec![];
        for at in &blocks {
            let block = Block::read(&bytes[at.start as usize..]).unwrap();
            assert_eq!((block.log_index, at.rows_before as usize), (9, read.len()));
            for (offset, row) in block.rows().enumerate() {
                assert_eq!(block.row(offset), row);
                read.push(TransferRow::from_bytes(
                    at.first_sequence + offset as u64,
                    &row.unwrap(),
                ));
            }
            assert_eq!(block.row(block.count), None);
        }
        assert_eq!(read, rows);
        assert_eq!(row_id(&rows[1].to_bytes()), rows[1].transfer.id.0);
    }

    #[test]
    fn a_block_cut_short_is_no_panic() {
        let (mut bytes, mut blocks) = (vec![], vec![]);
        write_blocks(9, &rows(1..=3), &mut bytes, &mut blocks, |_, _| ());
        for end in 0..bytes.len() {
            if let Some(block) = Block::read(&bytes[..end]) {
                assert!(block.rows().any(|row| row.is_none()));
            }
        }
    }
}
