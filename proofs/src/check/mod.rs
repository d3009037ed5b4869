//! Checking files: exported histories and proofs, recognised by how they begin.
//!
//! It does not know whom to trust: keys are given to it. Where to start reading: [`verify_file`].

pub mod command;
mod report;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

pub use report::Report;

use crate::export::{
    HEADER_MARK, LINE_BYTES_MAX, Line, Progress, Verified, VerifyError, read_bounded, verify,
};
use crate::proof_file::PROOF_MARK;
use crate::{PROOF_BYTES_MAX, Proof, Verifier};

/// Read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 20;
/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its name, as it was given.
    pub file: String,
    /// What is to be said of it.
    pub verdict: Verdict,
}

impl Outcome {
    fn is_bad(&self) -> bool {
        matches!(
            self.verdict,
            Verdict::NotVerified { .. } | Verdict::Unreadable(_)
        )
    }
}

/// What is to be said of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// An exported history, and every event of it is what was signed.
    Export(Verified),
    /// A proof that holds.
    Proof {
        /// What it says.
        proof: Box<Proof>,
        /// The names of the given keys that signed its checkpoint.
        signed_by: Vec<String>,
    },
    /// A file that was read and proves nothing: a finding.
    NotVerified {
        /// The line it is about, counted from 1.
        line: Option<u64>,
        /// What is wrong, in plain words.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// It could not be read, which says nothing about it.
    Unreadable(String),
}

/// What became of all files: an exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: everything was verified.
    Verified = 0,
    /// 1: something was not.
    NotVerified = 1,
    /// 2: something could not be read, or the command line is wrong.
    Unreadable = 2,
}

impl Status {
    /// Of these files. A finding is more than a file that cannot be read.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let any = |is: fn(&Verdict) -> bool| outcomes.iter().any(|outcome| is(&outcome.verdict));
        if any(|verdict| matches!(verdict, Verdict::NotVerified { .. })) {
            Self::NotVerified
        } else if any(|verdict| matches!(verdict, Verdict::Unreadable(_))) {
            Self::Unreadable
        } else {
            Self::Verified
        }
    }
}

/// Checks the file at a path, or standard input for `-`.
pub fn verify_file(path: &Path, keys: &[Verifier], progress: impl FnMut(Progress)) -> Outcome {
    let verdict = if path == Path::new(STANDARD_INPUT) {
        verify_reader(io::stdin().lock(), keys, progress)
    } else {
        match File::open(path) {
            Ok(file) => verify_reader(file, keys, progress),
            Err(error) => Verdict::Unreadable(error.to_string()),
        }
    };
    Outcome {
        file: path.display().to_string(),
        verdict,
    }
}

/// Checks several files. Exports among them must be of one history, in order and without a gap, unless `separate`.
pub fn verify_files<P: AsRef<Path>>(
    paths: &[P],
    keys: &[Verifier],
    separate: bool,
    mut progress: impl FnMut(&Path, Progress),
) -> Vec<Outcome> {
    let mut before: Option<Verified> = None;
    let mut outcomes = Vec::new();
    for path in paths {
        let path = path.as_ref();
        let mut outcome = verify_file(path, keys, |at| progress(path, at));
        if outcome.is_bad() {
            // Nobody knows where it would have ended.
            before = None;
        } else if let Verdict::Export(verified) = &outcome.verdict {
            let gap = before
                .as_ref()
                .filter(|_| !separate)
                .and_then(|before| verified.continues(before).err());
            before = Some(verified.clone());
            if let Some(gap) = gap {
                outcome.verdict = Verdict::NotVerified {
                    line: Some(1),
                    why: format!("by itself it is as it was signed, but {gap}"),
                    advice: "give the files of one history in order and all of them, or add --separate to check each alone",
                };
            }
        }
        outcomes.push(outcome);
    }
    outcomes
}

/// Checks what a reader gives.
pub fn verify_reader(
    reader: impl Read,
    keys: &[Verifier],
    progress: impl FnMut(Progress),
) -> Verdict {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let mut line = Vec::new();
    let kind = match read_bounded(&mut reader, PROOF_BYTES_MAX, &mut line) {
        Ok(kind) => kind,
        Err(error) => return Verdict::Unreadable(error.to_string()),
    };
    if kind == Line::Whole {
        line.push(b'\n');
    }
    if line.starts_with(HEADER_MARK) {
        export(Cursor::new(line).chain(reader), keys, progress)
    } else if line.starts_with(PROOF_MARK) {
        proof(line, reader, keys)
    } else {
        Verdict::NotVerified {
            line: Some(1),
            why: match kind {
                Line::End => "the file is empty",
                _ => "this is neither an exported history nor a proof: it does not begin like one",
            }
            .to_owned(),
            advice: "give a file as it was written: not reformatted, converted or compressed",
        }
    }
}

fn export(reader: impl BufRead, keys: &[Verifier], progress: impl FnMut(Progress)) -> Verdict {
    match verify(reader, keys, progress) {
        Ok(verified) => Verdict::Export(verified),
        Err(VerifyError::Io(error)) => Verdict::Unreadable(error.to_string()),
        Err(error) => Verdict::NotVerified {
            line: error.line(),
            why: error.to_string(),
            advice: error.advice(),
        },
    }
}

fn proof(mut bytes: Vec<u8>, reader: impl Read, keys: &[Verifier]) -> Verdict {
    // A byte more than a proof may have is enough to refuse it.
    let rest = LINE_BYTES_MAX as u64;
    if let Err(error) = reader.take(rest).read_to_end(&mut bytes) {
        return Verdict::Unreadable(error.to_string());
    }
    let verified = Proof::from_bytes(&bytes).and_then(|proof| {
        let signed_by = proof.verify(keys)?;
        Ok((proof, signed_by))
    });
    match verified {
        Ok((proof, signed_by)) => Verdict::Proof {
            proof: Box::new(proof),
            signed_by,
        },
        Err(error) => Verdict::NotVerified {
            line: None,
            why: error.to_string(),
            advice: error.advice(),
        },
    }
}
