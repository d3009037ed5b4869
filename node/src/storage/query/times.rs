//! Time ranges become spans of sequences.

use rocksdb::DBRawIterator;

use super::Span;
use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::transfers::{Block, row_time};
use crate::storage::rows::{family, u64_key};

impl Reader {
    /// The sequences between the transfers around a time range, both its ends included: every transfer of the range is
    /// in it, and no other; events are where they stand.
    pub(super) fn transfer_span(&self, min: u64, max: Option<u64>) -> Result<Span, Error> {
        let last = self.applied().clock.sequence;
        let low = match min {
            0 => 1,
            min => self.after_transfers_before(min)?,
        };
        let behind = max.and_then(|max| max.checked_add(1));
        let high = match behind {
            None => last,
            Some(behind) => self.first_transfer_at(behind)?.map_or(last, |it| it - 1),
        };
        Ok(Span { low, high })
    }

    /// The sequence behind the last transfer before `time`.
    fn after_transfers_before(&self, time: u64) -> Result<u64, Error> {
        let Some(first) = self.first_transfer_at(time)? else {
            // None is as late: what comes behind the very last transfer.
            let last = self.applied().clock.sequence;
            return Ok(self.last_transfer_up_to(last)?.map_or(1, |it| it + 1));
        };
        Ok(self.last_transfer_up_to(first - 1)?.map_or(1, |it| it + 1))
    }

    /// Sequence of the first transfer at `time` or later.
    pub(super) fn first_transfer_at(&self, time: u64) -> Result<Option<u64>, Error> {
        let mut blocks = self.iterator(family::TRANSFERS, true)?;
        if let Some(sequence) = self.first_on_disk_at(&mut blocks, time)? {
            return Ok(Some(sequence));
        }
        for view in &self.lookup().windows {
            let Some(chunk) = view.chunk_at(time)? else {
                continue;
            };
            let mut rows = chunk.transfers();
            if let Some((sequence, ..)) = rows.find(|(_, _, row)| row_time(row) >= time) {
                return Ok(Some(sequence));
            }
        }
        Ok(None)
    }

    /// A binary search over the blocks, whose times rise with their keys.
    fn first_on_disk_at(
        &self,
        blocks: &mut DBRawIterator<'_>,
        time: u64,
    ) -> Result<Option<u64>, Error> {
        let malformed = || Error::damaged("transfers", "malformed block");
        // The block that is looked for, if it is not `found`, begins at a sequence from `low` on and before `high`.
        let (mut low, mut high) = (1, self.committed_sequence().saturating_add(1));
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            blocks.seek_for_prev(middle.to_be_bytes());
            blocks
                .status()
                .map_err(Error::database("search transfers"))?;
            let Some((key, value)) = blocks.item() else {
                low = middle + 1;
                continue;
            };
            let first = u64_key(key).ok_or_else(malformed)?;
            let block = Block::read(value).ok_or_else(malformed)?;
            let mut times = vec![];
            for row in block.rows() {
                times.push(row_time(&row.ok_or_else(malformed)?));
            }
            let at = times.partition_point(|&it| it < time);
            match at {
                0 => {
                    found = Some(first);
                    high = first.min(middle);
                }
                at if at < times.len() => return Ok(Some(first + at as u64)),
                _ => low = middle.max(first + block.count as u64 - 1) + 1,
            }
        }
        Ok(found)
    }

    /// Sequence of the last transfer up to a sequence.
    fn last_transfer_up_to(&self, sequence: u64) -> Result<Option<u64>, Error> {
        let committed = self.committed_sequence();
        if sequence > committed {
            for view in self.lookup().windows.iter().rev() {
                let end = (view.chunks_before(sequence)? + 1).min(view.chunk_count());
                for number in (0..end).rev() {
                    let Some(chunk) = view.window().chunk(number) else {
                        continue;
                    };
                    if chunk.log_index <= self.committed() {
                        break;
                    }
                    if let Some(found) = chunk.last_transfer_up_to(sequence) {
                        return Ok(Some(found));
                    }
                }
            }
        }
        let malformed = || Error::damaged("transfers", "malformed block");
        let from = sequence.min(committed);
        let mut blocks = self.iterator(family::TRANSFERS, true)?;
        blocks.seek_for_prev(from.to_be_bytes());
        blocks
            .status()
            .map_err(Error::database("search transfers"))?;
        let Some((key, value)) = blocks.item() else {
            return Ok(None);
        };
        let first = u64_key(key).ok_or_else(malformed)?;
        let block = Block::read(value).ok_or_else(malformed)?;
        Ok(Some(from.min(first + block.count as u64 - 1)))
    }
}
