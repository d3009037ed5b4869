//! Why something proves nothing.

/// Why a proof does not show what it claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not below the size, or the earlier size is above the later one.
    #[error("{index} is not below {size}")]
    OutOfRange {
        /// Place of the leaf, or the earlier size.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// Too few or too many hashes for these sizes.
    #[error("the proof has {found} hashes where sizes like these need {expected}")]
    WrongLength {
        /// In the proof.
        found: usize,
        /// What the sizes need.
        expected: usize,
    },
    /// The hashes lead to another root: the event, the proof or the checkpoint was altered.
    #[error("the hashes do not lead to the checkpoint's root")]
    WrongRoot,
    /// The same for the root of the earlier checkpoint.
    #[error("the hashes do not lead to the earlier checkpoint's root")]
    WrongEarlierRoot,
}

/// Why a text is not a checkpoint that somebody vouches for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A line is missing or not of its form.
    #[error("line {line} of the checkpoint: {why}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// None of the signatures is by the key asked for.
    #[error("no signature is by {0}")]
    NotSigned(String),
    /// A signature by the key asked for does not fit the text.
    #[error(
        "the signature by {0} does not fit: the checkpoint was altered, or another key has the same name"
    )]
    WrongSignature(String),
    /// Text that cannot be a key, or the name of one.
    #[error("this is not a key: {0}")]
    NotAKey(&'static str),
}
