//! Transfers of a span in either direction, block by block, without any list.

use farthing_ledger::{Order, TransferRow};
use rocksdb::DBRawIterator;

use super::{Span, before};
use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::transfers::Block;
use crate::storage::rows::{family, u64_key};
use crate::storage::window::chunk::Chunk;

/// See the module.
pub(super) struct Scan<'a> {
    reader: &'a Reader,
    disk: DBRawIterator<'a>,
    order: Order,
    /// What is still to be read.
    span: Span,
    /// Whether the iterator stands where the reading goes on.
    placed: bool,
    /// Chunks of the windows within the span, in order; taken when the reading reaches them.
    recent: Option<std::vec::IntoIter<&'a Chunk>>,
}

impl<'a> Scan<'a> {
    pub(super) fn open(reader: &'a Reader, order: Order, span: Span) -> Result<Self, Error> {
        Ok(Self {
            reader,
            disk: reader.iterator(family::TRANSFERS, true)?,
            order,
            span,
            placed: false,
            recent: None,
        })
    }

    /// The next rows, in order; they may be none. `None` at the end.
    pub(super) fn next_rows(&mut self) -> Result<Option<Vec<TransferRow>>, Error> {
        if self.span.is_empty() {
            return Ok(None);
        }
        let committed = self.reader.committed_sequence();
        let begin = self.span.begin(self.order);
        let rows = match self.order {
            Order::Forward if begin <= committed => match self.next_block()? {
                Some(rows) => rows,
                None => {
                    self.span.low = committed + 1;
                    vec![]
                }
            },
            Order::Reversed if begin > committed => match self.next_chunk()? {
                Some(rows) => rows,
                None => {
                    self.span.high = committed;
                    vec![]
                }
            },
            Order::Forward => match self.next_chunk()? {
                Some(rows) => rows,
                None => return Ok(None),
            },
            Order::Reversed => match self.next_block()? {
                Some(rows) => rows,
                None => return Ok(None),
            },
        };
        let span = self.span;
        if let Some(last) = rows.last() {
            self.span = span.past(self.order, last.sequence);
        }
        Ok(Some(
            rows.into_iter()
                .filter(|row| span.holds(row.sequence))
                .collect(),
        ))
    }

    /// The last sequence that was passed, when there is more to read.
    pub(super) fn passed(&self) -> Option<u64> {
        let begin = self.span.begin(self.order);
        (!self.span.is_empty()).then(|| before(self.order, begin))
    }

    /// Rows of a block on disk, in order.
    fn next_block(&mut self) -> Result<Option<Vec<TransferRow>>, Error> {
        let malformed = || Error::damaged("transfers", "malformed block");
        let begin = self.span.begin(self.order);
        match (self.placed, self.order) {
            (true, Order::Forward) => self.disk.next(),
            (true, Order::Reversed) => self.disk.prev(),
            (false, order) => {
                self.disk.seek_for_prev(begin.to_be_bytes());
                if order == Order::Forward && !self.disk.valid() {
                    self.check()?;
                    self.disk.seek_to_first();
                }
                self.placed = true;
            }
        }
        loop {
            self.check()?;
            let Some((key, value)) = self.disk.item() else {
                return Ok(None);
            };
            let first = u64_key(key).ok_or_else(malformed)?;
            if self.order == Order::Forward
                && first > self.reader.committed_sequence().min(self.span.high)
            {
                return Ok(None);
            }
            if first > self.reader.committed_sequence() {
                // What an unfinished run left behind.
                self.disk.prev();
                continue;
            }
            let block = Block::read(value).ok_or_else(malformed)?;
            let rows = block.rows().enumerate().map(|(offset, row)| {
                row.map(|row| TransferRow::from_bytes(first + offset as u64, &row))
                    .ok_or_else(malformed)
            });
            let mut rows: Vec<TransferRow> = rows.collect::<Result<_, _>>()?;
            if self.order == Order::Reversed {
                rows.reverse();
            }
            return Ok(Some(rows));
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.disk
            .status()
            .map_err(Error::database("scan transfers"))
    }

    /// Rows of a chunk in the windows, in order.
    fn next_chunk(&mut self) -> Result<Option<Vec<TransferRow>>, Error> {
        if self.recent.is_none() {
            self.recent = Some(self.chunks()?.into_iter());
        }
        let chunk = self.recent.as_mut().and_then(Iterator::next);
        Ok(chunk.map(|chunk| {
            let rows = chunk
                .transfers()
                .map(|(sequence, _, row)| TransferRow::from_bytes(sequence, &row));
            let mut rows: Vec<TransferRow> = rows.collect();
            if self.order == Order::Reversed {
                rows.reverse();
            }
            rows
        }))
    }

    fn chunks(&self) -> Result<Vec<&'a Chunk>, Error> {
        let committed = self.reader.committed();
        let low = self.span.low.max(self.reader.committed_sequence() + 1);
        let mut chunks = vec![];
        for view in &self.reader.lookup().windows {
            let numbers = view.chunks_before(low)?..view.chunk_count();
            let of_view = numbers.filter_map(|number| view.window().chunk(number));
            let wanted = of_view
                .filter(|chunk| chunk.log_index > committed)
                .take_while(|chunk| chunk.first_sequence().is_none_or(|it| it <= self.span.high));
            chunks.extend(wanted);
        }
        if self.order == Order::Reversed {
            chunks.reverse();
        }
        Ok(chunks)
    }
}
