//! Writing a history, one event after the other.

use std::io::{self, Write};

use super::event::{Event, Facts, Kind, Process};
use super::function::Function;
use super::values::Value;

/// Appends events and numbers them.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    next: u64,
}

impl<W: Write> Writer<W> {
    /// A history that begins here. Give it a buffer: lines are written piece by piece.
    pub fn new(out: W) -> Self {
        Self { out, next: 0 }
    }

    /// Appends an event and returns its index. `time` is ns since the start and must not decrease. An invocation is
    /// flushed at once: whatever happens to the harness, what it may have sent is on file.
    ///
    /// # Errors
    /// When it cannot be written; the history ends there.
    pub fn append(
        &mut self,
        kind: Kind,
        process: Process,
        function: Function,
        value: Value,
        time: u64,
        facts: Facts,
    ) -> io::Result<u64> {
        let index = self.next;
        let event = Event {
            index,
            kind,
            process,
            function,
            value,
            time,
            facts,
        };
        self.write(&event)?;
        Ok(index)
    }

    /// Appends an event as it is; its index must be the next one.
    ///
    /// # Errors
    /// When it cannot be written; the history ends there.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        self.next = event.index + 1;
        serde_json::to_writer(&mut self.out, event)?;
        self.out.write_all(b"\n")?;
        if event.kind == Kind::Invoke {
            self.out.flush()
        } else {
            Ok(())
        }
    }

    /// Like [`Writer::write`], without the flush of invocations: for files that nobody depends on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_lazily(&mut self, event: &Event) -> io::Result<()> {
        self.next = event.index + 1;
        serde_json::to_writer(&mut self.out, event)?;
        self.out.write_all(b"\n")
    }

    /// Writes everything out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
