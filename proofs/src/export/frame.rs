//! The first and the last line of a file.

use super::line::{LineError, same};
use crate::json::{Form, Reader, Writer};
use crate::{Frontier, Hash, Note, NoteError};

/// What the first line begins with, whatever its version is.
pub(crate) const HEADER_MARK: &[u8] = b"{\"farthing_export\":";
/// What the last line begins with.
pub(super) const CHECKPOINT_MARK: &[u8] = b"{\"checkpoint\":";

/// The first line: which log, and where in it the file begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `farthing/` and the cluster's id, as in checkpoints.
    pub origin: String,
    /// The sequence of the first event, from 1.
    pub from: u64,
    /// Of the tree of all events before it: the roots of the largest complete subtrees, from the left.
    pub peaks: Vec<Hash>,
}

impl Header {
    /// The tree of all events before the file's; `None` when the peaks are not as many as its size demands.
    pub fn before(&self) -> Option<Frontier> {
        Frontier::from_peaks(self.from.checked_sub(1)?, self.peaks.clone())
    }

    /// Appends the line, without a line feed.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let Ok(()) = header(&mut Writer(out), &mut self.clone());
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is not just what [`Header::write_to`] writes.
    pub fn from_bytes(line: &[u8]) -> Result<Self, LineError> {
        let mut read = Self {
            origin: String::new(),
            from: 0,
            peaks: Vec::new(),
        };
        let mut reader = Reader::new(line);
        header(&mut reader, &mut read)?;
        reader.end()?;
        let mut again = Vec::with_capacity(line.len());
        read.write_to(&mut again);
        same(line, &again)?;
        Ok(read)
    }
}

fn header<F: Form>(form: &mut F, header: &mut Header) -> Result<(), F::Error> {
    form.word("{\"farthing_export\":1,\"origin\":")?;
    form.text(&mut header.origin)?;
    form.word(",\"from\":")?;
    form.number(&mut header.from)?;
    form.word(",\"peaks\":")?;
    form.hashes(&mut header.peaks)?;
    form.word("}")
}

/// Appends the last line, without a line feed.
pub(super) fn write_checkpoint(note: &Note, out: &mut Vec<u8>) {
    let mut text = note.to_string();
    let Ok(()) = checkpoint(&mut Writer(out), &mut text);
}

/// Reads it: the note's text, which is yet to be looked at.
pub(super) fn read_checkpoint(line: &[u8]) -> Result<String, LineError> {
    let mut text = String::new();
    let mut reader = Reader::new(line);
    checkpoint(&mut reader, &mut text)?;
    reader.end()?;
    let mut again = Vec::with_capacity(line.len());
    let Ok(()) = checkpoint(&mut Writer(&mut again), &mut text);
    same(line, &again)?;
    Ok(text)
}

fn checkpoint<F: Form>(form: &mut F, text: &mut String) -> Result<(), F::Error> {
    form.word("{\"checkpoint\":")?;
    form.text(text)?;
    form.word("}")
}

/// Writes a note where text may stand.
pub(crate) fn write_note<F: Form>(form: &mut F, note: &Note) -> Result<(), F::Error> {
    form.text(&mut note.to_string())
}

/// The note of a text, which must be just as a note is written.
///
/// # Errors
/// When it is not a note, or has another form: what no signature covers could be altered otherwise.
pub(crate) fn note_of(text: &str) -> Result<Note, NoteError> {
    let note: Note = text.parse()?;
    if note.to_string() == text {
        return Ok(note);
    }
    Err(NoteError::Malformed {
        line: 1,
        why: "it is not written as checkpoints are",
    })
}
