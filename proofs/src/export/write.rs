//! Writing a file, event by event.

use std::io::Write;

use super::error::WriteError;
use super::frame::{Header, write_checkpoint};
use super::line::write_line;
use crate::{Change, Frontier, Hash, Note};

/// Lines are handed on when they come to so many bytes: a system call for each would cost more than the line.
const BUFFER_BYTES: usize = 64 << 10;

/// Writes an exported history: [`Writer::new`], [`Writer::push`] for every event, [`Writer::finish`]. What is dropped
/// before is a file without a checkpoint, which nobody accepts.
pub struct Writer<W> {
    out: W,
    origin: String,
    from: u64,
    frontier: Frontier,
    lines: Vec<u8>,
    /// The event's bytes: those that are hashed.
    bytes: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a file of the log `origin` behind the events of `before`: an empty tree for a whole history.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(out: W, origin: &str, before: Frontier) -> Result<Self, WriteError> {
        let from = before.size().saturating_add(1);
        let mut writer = Self {
            out,
            origin: origin.to_owned(),
            from,
            lines: Vec::with_capacity(BUFFER_BYTES * 2),
            bytes: Vec::new(),
            frontier: before,
        };
        let header = Header {
            origin: writer.origin.clone(),
            from,
            peaks: writer.frontier.peaks().to_vec(),
        };
        header.write_to(&mut writer.lines);
        writer.end_line()?;
        Ok(writer)
    }

    /// The tree of everything up to the last event that was pushed.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Adds the next event.
    ///
    /// # Errors
    /// When it is not the next one, which changes nothing; when writing fails, after which the file is good for nothing.
    pub fn push(&mut self, change: &Change) -> Result<(), WriteError> {
        self.bytes.clear();
        change.write_to(&mut self.bytes);
        let leaf = Hash::of_leaf(&self.bytes);
        self.add(change, leaf)
    }

    /// Adds the next event by its bytes, as the packed stream has them.
    ///
    /// # Errors
    /// When they are not an event, it is not the next one, or writing fails.
    pub fn push_packed(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let change = Change::from_bytes(bytes).ok_or(WriteError::NotAnEvent {
            expected: self.next(),
        })?;
        self.add(&change, Hash::of_leaf(bytes))
    }

    /// Ends the file with a checkpoint of just the events up to the last one, and gives back what it was written to,
    /// flushed. Whether the checkpoint's signature is good is for readers to say.
    ///
    /// # Errors
    /// When the checkpoint is of another tree, or writing fails.
    pub fn finish(mut self, checkpoint: &Note) -> Result<W, WriteError> {
        let said = &checkpoint.checkpoint;
        let what = if said.origin != self.origin {
            Some("log")
        } else if said.size != self.frontier.size() {
            Some("size")
        } else if said.root != self.frontier.root() {
            Some("root")
        } else {
            None
        };
        if let Some(what) = what {
            return Err(WriteError::OtherCheckpoint {
                what,
                last: self.frontier.size(),
            });
        }
        write_checkpoint(checkpoint, &mut self.lines);
        self.lines.push(b'\n');
        self.out.write_all(&self.lines)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The sequence of the next event.
    fn next(&self) -> u64 {
        self.frontier.size().saturating_add(1)
    }

    fn add(&mut self, change: &Change, leaf: Hash) -> Result<(), WriteError> {
        let (expected, found) = (self.next(), change.sequence());
        if found != expected {
            return Err(WriteError::Gap { expected, found });
        }
        write_line(change, &mut self.lines);
        self.frontier.push(leaf, |_, _, _| {});
        self.end_line()
    }

    fn end_line(&mut self) -> Result<(), WriteError> {
        self.lines.push(b'\n');
        if self.lines.len() >= BUFFER_BYTES {
            self.out.write_all(&self.lines)?;
            self.lines.clear();
        }
        Ok(())
    }
}

impl<W> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, last) = (self.from, self.frontier.size());
        write!(f, "Writer({}, {from}..={last})", self.origin)
    }
}
