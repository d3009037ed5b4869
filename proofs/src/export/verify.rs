//! Checking a file: a pass over it in memory of one line.

use std::io::BufRead;

use super::LINE_BYTES_MAX;
use super::error::{Discontinuity, VerifyError};
use super::frame::{CHECKPOINT_MARK, Header, note_of, read_checkpoint};
use super::line::read_line;
use super::lines::{Line, read_bounded};
use crate::{Frontier, Hash, Note, NoteError, Verifier};

/// Progress is told after every so many events.
const PROGRESS_EVENTS: u64 = 1 << 14;

/// How far a check is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Events that were read.
    pub events: u64,
    /// Bytes that were read, the header's included.
    pub bytes: u64,
}

/// What a file was shown to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which log.
    pub origin: String,
    /// The tree of all events before the file's, of which the file says nothing but this.
    pub before: Frontier,
    /// The tree up to the file's last event: its root is the one that is signed.
    pub after: Frontier,
    /// When the checkpoint was signed by the signer's clock, ns since 1970.
    pub time_ns: u64,
    /// The names of the given keys that signed it.
    pub signed_by: Vec<String>,
}

impl Verified {
    /// The sequence of the first event; there is none when [`Verified::count`] is zero.
    pub fn from(&self) -> u64 {
        self.before.size().saturating_add(1)
    }

    /// The sequence of the last event.
    pub fn last(&self) -> u64 {
        self.after.size()
    }

    /// Events in the file.
    pub fn count(&self) -> u64 {
        self.after.size() - self.before.size()
    }

    /// The root that is signed.
    pub fn root(&self) -> Hash {
        self.after.root()
    }

    /// That this file begins with the tree with which the earlier one ended.
    ///
    /// # Errors
    /// When both together are not one history without a gap.
    pub fn continues(&self, earlier: &Self) -> Result<(), Discontinuity> {
        if self.origin != earlier.origin {
            return Err(Discontinuity::Origin {
                expected: earlier.origin.clone(),
                found: self.origin.clone(),
            });
        }
        if self.before.size() != earlier.after.size() {
            return Err(Discontinuity::Sequence {
                expected: earlier.last().saturating_add(1),
                found: self.from(),
            });
        }
        match self.before == earlier.after {
            true => Ok(()),
            false => Err(Discontinuity::Peaks),
        }
    }
}

/// Checks an exported history: every line is as it is written, no event is missing, and all of them are what one of the
/// keys signed. Memory does not grow with the file.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn verify(
    mut reader: impl BufRead,
    keys: &[Verifier],
    mut progress: impl FnMut(Progress),
) -> Result<Verified, VerifyError> {
    let mut line = Vec::new();
    match read_bounded(&mut reader, LINE_BYTES_MAX, &mut line)? {
        Line::Whole => {}
        Line::Cut | Line::End => return Err(VerifyError::Incomplete { line: 0 }),
        Line::TooLong => return Err(VerifyError::LineTooLong { line: 1 }),
    }
    let header = Header::from_bytes(&line).map_err(VerifyError::Header)?;
    let before = header.before().ok_or(VerifyError::Peaks {
        from: header.from,
        peaks: header.peaks.len(),
    })?;
    let mut after = before.clone();
    let mut at = Progress {
        events: 0,
        bytes: line.len() as u64 + 1,
    };
    let mut number = 1;
    let (mut buffer, mut bytes) = (Vec::new(), Vec::new());
    loop {
        match read_bounded(&mut reader, LINE_BYTES_MAX, &mut line)? {
            Line::Whole => number += 1,
            Line::Cut | Line::End => return Err(VerifyError::Incomplete { line: number }),
            Line::TooLong => return Err(VerifyError::LineTooLong { line: number + 1 }),
        }
        at.bytes += line.len() as u64 + 1;
        if line.starts_with(CHECKPOINT_MARK) {
            break;
        }
        let change = read_line(&line, &mut buffer).map_err(|error| VerifyError::Line {
            line: number,
            error,
        })?;
        let (expected, found) = (after.size().saturating_add(1), change.sequence());
        // The largest number cannot be the next one of itself.
        if found != expected || found == after.size() {
            return Err(VerifyError::Sequence {
                line: number,
                expected,
                found,
            });
        }
        bytes.clear();
        change.write_to(&mut bytes);
        after.push(Hash::of_leaf(&bytes), |_, _, _| {});
        at.events += 1;
        if at.events.is_multiple_of(PROGRESS_EVENTS) {
            progress(at);
        }
    }
    let last_line = line.clone();
    if read_bounded(&mut reader, 1, &mut line)? != Line::End {
        return Err(VerifyError::BehindTheEnd { line: number + 1 });
    }
    progress(at);
    let verified = Verified {
        origin: header.origin,
        before,
        after,
        time_ns: 0,
        signed_by: Vec::new(),
    };
    checkpoint(&last_line, number, verified, keys)
}

/// Checks the last line against everything before it.
fn checkpoint(
    text: &[u8],
    line: u64,
    mut verified: Verified,
    keys: &[Verifier],
) -> Result<Verified, VerifyError> {
    let text = read_checkpoint(text).map_err(|error| VerifyError::Line { line, error })?;
    let note = note_of(&text).map_err(|error| VerifyError::Note { line, error })?;
    // The signature first: what nobody vouches for is not worth being compared.
    let wrong = |error| VerifyError::Note { line, error };
    verified.signed_by = signed_by(&note, keys).map_err(wrong)?;
    if verified.signed_by.is_empty() {
        let signers = note.signatures.iter().map(|it| it.by.name.clone());
        return Err(VerifyError::NotSigned {
            line,
            signers: signers.collect(),
        });
    }
    let signed = note.checkpoint;
    if signed.origin != verified.origin {
        return Err(VerifyError::Origin {
            line,
            signed: signed.origin,
            header: verified.origin,
        });
    }
    if signed.size != verified.last() {
        return Err(VerifyError::Size {
            line,
            signed: signed.size,
            last: verified.last(),
        });
    }
    let computed = verified.root();
    if signed.root != computed {
        return Err(VerifyError::Root {
            line,
            signed: signed.root,
            computed,
        });
    }
    verified.time_ns = signed.time_ns;
    Ok(verified)
}

/// The names of the given keys that signed the note; none when no signature is by any of them.
///
/// # Errors
/// When a signature that says it is by one of them does not fit.
pub(crate) fn signed_by(note: &Note, keys: &[Verifier]) -> Result<Vec<String>, NoteError> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        match note.verify(key) {
            Ok(()) if names.iter().all(|name| name != key.name()) => {
                names.push(key.name().to_owned());
            }
            Ok(()) | Err(NoteError::NotSigned(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}
