//! Records into a batch, the batch into the segment, the segment to the medium, and on to the next segment.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{Change, Writer};
use crate::log::record::{Header, Kind, RECORD_HEADER_BYTES, fields, record_bytes};
use crate::log::start::{next_use, start_segment};

/// A named point where a test delays the thread, ends the process, or makes the operation fail.
macro_rules! failpoint {
    ($name:literal) => {
        fail::fail_point!($name, |_| Err(io::ErrorKind::Other.into()))
    };
}

impl Writer {
    /// Adds a record to the batch, in a new segment if it does not fit this one. Gives where it begins and ends.
    pub(super) fn put(
        &mut self,
        kind: Kind,
        fields: (u64, u64, u64),
        payload: &Bytes,
    ) -> io::Result<(u32, u32)> {
        let bytes = record_bytes(payload.len()) as u64;
        if self.position + self.batch.bytes() as u64 + bytes > self.segment.bytes {
            self.roll()?;
        }
        let (term, node, index) = fields;
        let header = Header {
            kind,
            use_sequence: self.segment.use_sequence,
            record_number: self.stream.next_record,
            undurable: u32::try_from(self.stream.next_record - 1 - self.durable_record)
                .unwrap_or(u32::MAX),
            durable_index: self.durable_index,
            term,
            node,
            index,
        };
        let offset = self.position + self.batch.bytes() as u64;
        self.batch.push(&header.encode(payload), payload);
        self.stream.next_record += 1;
        self.marked = kind == Kind::Mark;
        Ok((offset as u32, (offset + bytes) as u32))
    }

    /// Writes the batch without syncing.
    fn write_batch(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        failpoint!("log.append.before_write");
        self.segment
            .file
            .write_at(self.position, &self.batch.slices())?;
        failpoint!("log.append.after_write");
        self.unsynced = true;
        self.position += self.batch.bytes() as u64;
        let written = self.batch.bytes() as u64;
        self.batch.clear();
        let mut state = self.shared.lock();
        state.stats.bytes_written += written;
        for change in self.changes.drain(..) {
            match change {
                Change::Push { index, offset, end } => state.index.push(index, offset, end),
                Change::TruncateFrom(from) => state.index.truncate_from(from),
                Change::Reset(next) => state.index.reset(next),
            }
        }
        Ok(())
    }

    /// Makes everything put so far durable. Without anything put it does nothing: a mark waits for company.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.write_batch()?;
        self.sync()
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        if !self.unsynced {
            return Ok(());
        }
        if crate::planted::is("ack-before-sync") {
            return Ok(());
        }
        failpoint!("log.append.before_sync");
        let start = Instant::now();
        self.segment.file.sync_data()?;
        failpoint!("log.sync.slow");
        let ended = Instant::now();
        let took = ended - start;
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        failpoint!("log.append.after_sync");
        self.unsynced = false;
        self.durable_record = self.stream.next_record - 1;
        self.durable_index = self.stream.positions.last_index();
        let mut state = self.shared.lock();
        state.sync_times.push(ended, took);
        state.stats.sync_count += 1;
        state.stats.sync_nanoseconds += nanoseconds;
        state.stats.sync_nanoseconds_max = state.stats.sync_nanoseconds_max.max(nanoseconds);
        Ok(())
    }

    /// Writes that everything so far is durable, without syncing it: the next sync, or the one after a while without
    /// work, takes it along. It must not cost an acknowledgement anything, so it never begins a segment either.
    pub(super) fn mark(&mut self) -> io::Result<()> {
        let full = self.position + RECORD_HEADER_BYTES as u64 > self.segment.bytes;
        if self.marked || full || self.unsynced {
            return Ok(());
        }
        self.put(
            Kind::Mark,
            fields(self.stream.positions.state().last),
            &Bytes::new(),
        )?;
        self.write_batch()
    }

    /// Goes on in a new segment. What the old one holds is synced first, so that a segment proves all before it.
    fn roll(&mut self) -> io::Result<()> {
        failpoint!("log.roll.before_sync");
        self.write_batch()?;
        self.sync()?;
        failpoint!("log.roll.before_start");
        let number = self.segment.number + 1;
        let use_sequence = next_use(self.segment.use_sequence);
        let (segment, position) = start_segment(
            &*self.disk,
            &self.shared.config,
            &self.pool,
            number,
            use_sequence,
            &mut self.stream,
        )?;
        failpoint!("log.roll.after_start");
        self.segment = segment;
        self.position = position;
        self.durable_record = self.stream.next_record - 1;
        self.shared
            .lock()
            .index
            .add_segment(Arc::clone(&self.segment));
        Ok(())
    }
}
