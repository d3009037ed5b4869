//! Why a file is not written, or proves nothing. Texts are for people who did not write this program.

use super::LINE_BYTES_MAX;
use super::line::LineError;
use crate::{Hash, NoteError};

/// Names in a message at most.
const NAMES_MAX: usize = 8;

/// Why an event is not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file, or whatever takes the bytes.
    #[error("the export cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// An event is missing or out of order.
    #[error("event {expected} should come next, and {found} came")]
    Gap {
        /// The next sequence.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// Bytes that are not those of an event.
    #[error("what came for event {expected} is not an event")]
    NotAnEvent {
        /// The next sequence.
        expected: u64,
    },
    /// A checkpoint of something else.
    #[error("the checkpoint is not of the events up to {last}: its {what} differs")]
    OtherCheckpoint {
        /// What differs.
        what: &'static str,
        /// The last event that was written.
        last: u64,
    },
}

/// Why a file does not prove that its events are those of the log.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Reading failed: this says nothing about the file.
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The first line is not a header.
    #[error("line 1: this is not an exported history: {0}")]
    Header(LineError),
    /// The header has no number, or not one peak for each bit of the size before it.
    #[error("line 1: {peaks} peaks do not fit a file that begins with event {from}")]
    Peaks {
        /// The first event, as the header says.
        from: u64,
        /// Peaks in the header.
        peaks: usize,
    },
    /// A line is longer than any line of an export.
    #[error("line {line}: it is longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong {
        /// Counted from 1.
        line: u64,
    },
    /// A line is not what is written for any event, or for a checkpoint.
    #[error("line {line}: {error}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        error: LineError,
    },
    /// An event is missing, twice there, or out of order.
    #[error("line {line}: event {expected} should be here, and it is event {found}")]
    Sequence {
        /// Counted from 1.
        line: u64,
        /// The next sequence.
        expected: u64,
        /// The one that is there.
        found: u64,
    },
    /// The file ends without a checkpoint.
    #[error(
        "the file ends after line {line} without a checkpoint: it was cut, or its export did not end"
    )]
    Incomplete {
        /// The last line, counted from 1; 0 when there is none.
        line: u64,
    },
    /// Something stands behind the checkpoint.
    #[error("line {line}: nothing should stand behind the checkpoint")]
    BehindTheEnd {
        /// Counted from 1.
        line: u64,
    },
    /// The checkpoint is none.
    #[error("line {line}: {error}")]
    Note {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        error: NoteError,
    },
    /// The checkpoint is of another log.
    #[error("line {line}: the checkpoint is of the log {signed}, the header says {header}")]
    Origin {
        /// Counted from 1.
        line: u64,
        /// As signed.
        signed: String,
        /// As in the first line.
        header: String,
    },
    /// The checkpoint is of more or fewer events.
    #[error("line {line}: the checkpoint is of {signed} events, the file ends with event {last}")]
    Size {
        /// Counted from 1.
        line: u64,
        /// As signed.
        signed: u64,
        /// The last event in the file.
        last: u64,
    },
    /// The events are not those that were signed.
    #[error(
        "line {line}: the events come to another root than the one that is signed: an event or the header's peaks were \
         altered"
    )]
    Root {
        /// Counted from 1.
        line: u64,
        /// As signed.
        signed: Hash,
        /// Of the events in the file.
        computed: Hash,
    },
    /// No given key vouches for the checkpoint.
    #[error("line {line}: the checkpoint is signed by {}, and none of that fits a key that was given", names(.signers))]
    NotSigned {
        /// Counted from 1.
        line: u64,
        /// Who signed it, as it says itself.
        signers: Vec<String>,
    },
}

/// Names as a text of bounded length: anybody can write them into a file.
pub(crate) fn names(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [some @ .., _] if some.len() >= NAMES_MAX => {
            let (first, rest) = names.split_at(NAMES_MAX);
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

impl VerifyError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Io(_) => "look at the file and the disk it is on, and try again",
            Self::Header(_) => {
                "give a file made by an export, as it was written: not sorted, reformatted or converted; if it is from a \
                 later version, check it with the program of that version"
            }
            Self::Incomplete { .. } => "copy the whole file again, or export it again",
            Self::Root { .. } => {
                "do not use the file: it is not what the cluster signed; export the same events again, from another node \
                 too, and compare the files line by line: the first that differs was altered"
            }
            Self::NotSigned { .. } => {
                "get the key of a node from somebody you trust, not from where the file came from, and give it with --key"
            }
            Self::Sequence { .. } | Self::BehindTheEnd { .. } => {
                "do not use the file: lines were added, taken out or moved; export it again and compare"
            }
            _ => {
                "do not use the file: it is not what the cluster signed; export it again from another node and compare \
                 the two"
            }
        }
    }

    /// The line it is about, counted from 1.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Io(_) => None,
            Self::Header(_) | Self::Peaks { .. } => Some(1),
            Self::LineTooLong { line }
            | Self::Line { line, .. }
            | Self::Sequence { line, .. }
            | Self::Incomplete { line }
            | Self::BehindTheEnd { line }
            | Self::Note { line, .. }
            | Self::Origin { line, .. }
            | Self::Size { line, .. }
            | Self::Root { line, .. }
            | Self::NotSigned { line, .. } => Some(*line),
        }
    }
}

/// Why a file does not go on where another one ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Discontinuity {
    /// They are of different logs.
    #[error("it is of the log {found}, the file before it of {expected}")]
    Origin {
        /// Of the earlier file.
        expected: String,
        /// Of the later one.
        found: String,
    },
    /// Events between them are missing, or in both.
    #[error("it begins with event {found}; after the file before it, event {expected} comes next")]
    Sequence {
        /// The next sequence after the earlier file.
        expected: u64,
        /// The first one in the later file.
        found: u64,
    },
    /// What the later file has as its past is not what the earlier one says.
    #[error("its peaks are not those of the file before it: the two are of different histories")]
    Peaks,
}
