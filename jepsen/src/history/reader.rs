//! Reading a history: blocks of lines are read and parsed on threads of their own, and arrive in order.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::event::Event;

/// Lines are cut into blocks of about this size.
const BLOCK_BYTES: usize = 1 << 20;
/// No line is longer; a final read is cut into parts well below.
const LINE_BYTES_MAX: usize = 256 << 20;
/// Threads that parse. More than one keeps two cores busy while the checker takes events in.
const PARSERS: usize = 2;
/// Blocks that wait in front of and behind each parser.
const BLOCKS_WAITING: usize = 4;

/// Why a history cannot be read. It says nothing about the system.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("the history cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line is no event.
    #[error("line {line} is no event of a history: {error}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// Indexes must be the line numbers, so that events can be found.
    #[error("line {line} has index {index}: lines are missing or out of order")]
    Index {
        /// From 1.
        line: u64,
        /// What it says.
        index: u64,
    },
    /// A line without an end.
    #[error("a line is longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
}

type Parsed = Result<Vec<Event>, (u64, serde_json::Error)>;

/// The events of a history in order. A last line without a newline is a crash of the writer while it wrote: it is
/// left out.
#[derive(Debug)]
pub struct Reader {
    blocks: Vec<Receiver<Parsed>>,
    errors: Receiver<HistoryError>,
    /// Parser whose block is next.
    turn: usize,
    block: std::vec::IntoIter<Event>,
    lines: u64,
    ended: bool,
}

impl Reader {
    /// Opens a history and begins to read it.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self::new(File::open(path)?))
    }

    /// Reads a history from any source.
    pub fn new(source: impl Read + Send + 'static) -> Self {
        let (error_to, errors) = sync_channel(1);
        let (mut blocks, mut texts) = (Vec::new(), Vec::new());
        for _ in 0..PARSERS {
            let (text_to, text_from) = sync_channel::<Vec<u8>>(BLOCKS_WAITING);
            let (block_to, block_from) = sync_channel::<Parsed>(BLOCKS_WAITING);
            spawn("parser", move || {
                // Ends when the reader has ended or nobody takes the events any more.
                while let Ok(text) = text_from.recv() {
                    if block_to.send(parse_block(&text)).is_err() {
                        return;
                    }
                }
            });
            texts.push(text_to);
            blocks.push(block_from);
        }
        spawn("reader", move || {
            let mut turn = 0;
            let read = read_blocks(source, |text| {
                let taken = texts[turn].send(text).is_ok();
                turn = (turn + 1) % PARSERS;
                taken
            });
            if let Err(error) = read {
                let _ = error_to.send(error);
            }
        });
        Self {
            blocks,
            errors,
            turn: 0,
            block: Vec::new().into_iter(),
            lines: 0,
            ended: false,
        }
    }

    fn next_block(&mut self) -> Option<Result<(), HistoryError>> {
        let received = self.blocks[self.turn].recv();
        self.turn = (self.turn + 1) % PARSERS;
        match received {
            Ok(Ok(events)) => {
                self.block = events.into_iter();
                Some(Ok(()))
            }
            Ok(Err((line, error))) => {
                self.ended = true;
                Some(Err(HistoryError::Line {
                    line: self.lines + line + 1,
                    error,
                }))
            }
            // The end; or the reading thread had to stop.
            Err(_) => {
                self.ended = true;
                self.errors.recv().ok().map(Err)
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Event, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(event) = self.block.next() {
                self.lines += 1;
                if event.index != self.lines - 1 {
                    self.ended = true;
                    return Some(Err(HistoryError::Index {
                        line: self.lines,
                        index: event.index,
                    }));
                }
                return Some(Ok(event));
            }
            if let Err(error) = self.next_block()? {
                return Some(Err(error));
            }
        }
    }
}

/// A thread whose name tells a profiler what it does.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    let named = thread::Builder::new().name(name.into()).spawn(work);
    // Without a thread the channels close, and the reader says that the history ended early.
    drop(named);
}

/// Every event of a history, for small ones.
///
/// # Errors
/// See [`HistoryError`].
pub fn read_all(path: &Path) -> Result<Vec<Event>, HistoryError> {
    Reader::open(path)?.collect()
}

/// Cuts what is read into blocks of whole lines, until `take` says no.
fn read_blocks(
    mut source: impl Read,
    mut take: impl FnMut(Vec<u8>) -> bool,
) -> Result<(), HistoryError> {
    let mut rest = Vec::new();
    loop {
        let mut block = Vec::with_capacity(rest.len() + BLOCK_BYTES);
        block.append(&mut rest);
        let read = source
            .by_ref()
            .take(BLOCK_BYTES as u64)
            .read_to_end(&mut block)?;
        if read == 0 {
            return Ok(());
        }
        match block.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                rest = block.split_off(end + 1);
                if !take(block) {
                    return Ok(());
                }
            }
            None if block.len() > LINE_BYTES_MAX => return Err(HistoryError::LineTooLong),
            None => rest = block,
        }
    }
}

/// The events of a block of whole lines, or the line (from 0) that is none.
fn parse_block(text: &[u8]) -> Parsed {
    // Once for the whole block: the parser need not look at every string again.
    let text = std::str::from_utf8(text).map_err(|error| {
        let lines = text[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n');
        (lines.count() as u64, serde::de::Error::custom(error))
    })?;
    let mut events = Vec::with_capacity(text.len() / 128);
    for (line, text) in text.split('\n').enumerate() {
        if !text.is_empty() {
            events.push(Event::parse(text).map_err(|error| (line as u64, error))?);
        }
    }
    Ok(events)
}
