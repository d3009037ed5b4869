//! A proof as a file: one line of JSON with everything that it takes to check it but the key.
//!
//! [`Proof::Inclusion`] shows that one event is in the history that was signed, [`Proof::Consistency`] that one signed
//! history begins with another. The format is described in `docs/reference/event-export.md`.

use crate::export::{LineError, names, note_of, read, same, signed_by, write, write_note};
use crate::json::{Form, Malformed, Reader, Writer};
use crate::{Change, Hash, Note, NoteError, ProofError, Verifier, consistency, inclusion};

/// A proof is no longer than this, in bytes: an event, a path, two checkpoints.
pub const PROOF_BYTES_MAX: usize = 512 << 10;
/// What a proof begins with, whatever its version is.
pub(crate) const PROOF_MARK: &[u8] = b"{\"farthing_proof\":";

/// A proof that needs nothing but itself and a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // one at a time
pub enum Proof {
    /// That an event is in the tree of a checkpoint.
    Inclusion {
        /// The event.
        event: Change,
        /// Of the tree: the last sequence in it.
        size: u64,
        /// From the bottom: each step's other child.
        path: Vec<Hash>,
        /// Of the tree.
        checkpoint: Note,
    },
    /// That the tree of a checkpoint begins with that of an earlier one.
    Consistency {
        /// Of the earlier tree.
        earlier: Note,
        /// The hashes between them.
        path: Vec<Hash>,
        /// Of the later tree.
        checkpoint: Note,
    },
}

/// Why a proof shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// It is longer than any proof.
    #[error("it is longer than {PROOF_BYTES_MAX} bytes, which no proof is")]
    TooLong,
    /// It is not what is written for any proof.
    #[error("this is not a proof as it is written: {0}")]
    Malformed(LineError),
    /// A checkpoint in it is none, or its signature does not fit.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The size in the proof is not the one that was signed.
    #[error("the proof is for a tree of {size} events, its checkpoint is of {signed}")]
    Size {
        /// As the proof says.
        size: u64,
        /// As signed.
        signed: u64,
    },
    /// The two checkpoints are of different logs.
    #[error("the checkpoints are of different logs: {0} and {1}")]
    Origin(String, String),
    /// No given key vouches for a checkpoint.
    #[error("the checkpoint is signed by {}, and none of that fits a key that was given", names(.0))]
    NotSigned(Vec<String>),
    /// The hashes do not lead where they should.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl ProofFileError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::TooLong | Self::Malformed(_) => {
                "give the proof as it was written: one line, not reformatted; if it is from a later version, check it with \
                 the program of that version"
            }
            Self::NotSigned(_) => {
                "get the key of a node from somebody you trust, not from where the proof came from, and give it with --key"
            }
            _ => "do not rely on it: ask for the proof again, and another node for the same one",
        }
    }
}

impl From<Malformed> for ProofFileError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.into())
    }
}

impl Proof {
    /// The file: one line, its line feed included.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let Ok(()) = self.write(&mut Writer(&mut out));
        out.push(b'\n');
        out
    }

    fn write<F: Form>(&self, form: &mut F) -> Result<(), F::Error> {
        form.word("{\"farthing_proof\":1,")?;
        let (path, checkpoint) = match self {
            Self::Inclusion {
                event,
                size,
                path,
                checkpoint,
            } => {
                form.word("\"event\":")?;
                write(form, event)?;
                form.word(",\"size\":")?;
                form.number(&mut size.clone())?;
                (path, checkpoint)
            }
            Self::Consistency {
                earlier,
                path,
                checkpoint,
            } => {
                form.word("\"earlier_checkpoint\":")?;
                write_note(form, earlier)?;
                (path, checkpoint)
            }
        };
        form.word(",\"path\":")?;
        form.hashes(&mut path.clone())?;
        form.word(",\"checkpoint\":")?;
        write_note(form, checkpoint)?;
        form.word("}")
    }

    /// Reads [`Proof::to_bytes`].
    ///
    /// # Errors
    /// When it is anything else. Whether it proves something is for [`Proof::verify`] to say.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofFileError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofFileError::TooLong);
        }
        let mut reader = Reader::new(bytes);
        reader.word("{\"farthing_proof\":1,")?;
        let (mut size, mut path, mut text) = (0, Vec::new(), String::new());
        let proof = if reader.word_if("\"event\":", false)? {
            let event = read(&mut reader)?;
            reader.word(",\"size\":")?;
            reader.number(&mut size)?;
            read_end(&mut reader, &mut path, &mut text)?;
            Self::Inclusion {
                event,
                size,
                path,
                checkpoint: note_of(&text)?,
            }
        } else {
            reader.word("\"earlier_checkpoint\":")?;
            reader.text(&mut text)?;
            let earlier = note_of(&text)?;
            read_end(&mut reader, &mut path, &mut text)?;
            Self::Consistency {
                earlier,
                path,
                checkpoint: note_of(&text)?,
            }
        };
        same(bytes, &proof.to_bytes()).map_err(ProofFileError::Malformed)?;
        Ok(proof)
    }

    /// Checks it; gives the names of the given keys that signed the checkpoint, or both of them.
    ///
    /// # Errors
    /// Why it shows nothing.
    pub fn verify(&self, keys: &[Verifier]) -> Result<Vec<String>, ProofFileError> {
        match self {
            Self::Inclusion {
                event,
                size,
                path,
                checkpoint,
            } => {
                let names = trusted(checkpoint, keys)?;
                let signed = &checkpoint.checkpoint;
                if *size != signed.size {
                    return Err(ProofFileError::Size {
                        size: *size,
                        signed: signed.size,
                    });
                }
                // Sequences begin at 1, leaves at 0; what is not in the tree is out of its range.
                let index = event.sequence().wrapping_sub(1);
                inclusion::verify(&event.leaf(), index, *size, path, &signed.root)?;
                Ok(names)
            }
            Self::Consistency {
                earlier,
                path,
                checkpoint,
            } => {
                let mut names = trusted(earlier, keys)?;
                names.extend(trusted(checkpoint, keys)?);
                names.sort();
                names.dedup();
                let (before, after) = (&earlier.checkpoint, &checkpoint.checkpoint);
                if before.origin != after.origin {
                    let (before, after) = (before.origin.clone(), after.origin.clone());
                    return Err(ProofFileError::Origin(before, after));
                }
                consistency::verify(before.size, &before.root, after.size, &after.root, path)?;
                Ok(names)
            }
        }
    }
}

fn read_end(
    reader: &mut Reader<'_>,
    path: &mut Vec<Hash>,
    text: &mut String,
) -> Result<(), ProofFileError> {
    reader.word(",\"path\":")?;
    reader.hashes(path)?;
    reader.word(",\"checkpoint\":")?;
    reader.text(text)?;
    reader.word("}\n")?;
    Ok(reader.end()?)
}

/// The names of the given keys that signed the note: at least one.
fn trusted(note: &Note, keys: &[Verifier]) -> Result<Vec<String>, ProofFileError> {
    let names = signed_by(note, keys)?;
    if names.is_empty() {
        let signers = note.signatures.iter().map(|it| it.by.name.clone());
        return Err(ProofFileError::NotSigned(signers.collect()));
    }
    Ok(names)
}
