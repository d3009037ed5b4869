//! Checkpoints: a tree's size and root, signed. The form is that of C2SP `tlog-checkpoint` in a `signed-note`, so that
//! other people's programs can check them too.
//!
//! ```text
//! farthing/64ad9403-7867-4750-9cdb-38b323afc4f5
//! 1234567
//! wHlNpwBcPEsR4ghlPLlDaLVmp8YKwwxAz9SqUkPQR0o=
//! time 1795425930693453563
//!
//! — node-1.farthing/64ad9403-7867-4750-9cdb-38b323afc4f5 6NnYqw...
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hash::HASH_BYTES;
use crate::keys::SIGNATURE_BYTES;
use crate::{Hash, KeyId, NoteError, Verifier};

/// Before each signature: an em dash and a space.
const SIGNATURE_MARK: &str = "\u{2014} ";
/// The longest text that is looked at, in bytes.
const NOTE_BYTES_MAX: usize = 64 << 10;
/// What the line of the time begins with.
const TIME: &str = "time ";

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: `farthing/` and the cluster's id.
    pub origin: String,
    /// Leaves: the sequence of the last event in it.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
    /// When it was signed by the signer's clock, ns since 1970. Nothing but information.
    pub time_ns: u64,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.root.0);
        let Self {
            origin,
            size,
            time_ns,
            ..
        } = self;
        format!("{origin}\n{size}\n{root}\n{TIME}{time_ns}\n")
    }

    /// Reads such a text. Further lines are allowed and mean nothing here.
    fn from_text(text: &str) -> Result<Self, NoteError> {
        let malformed = |line, why| NoteError::Malformed { line, why };
        let mut lines = text.lines();
        let origin = lines
            .next()
            .filter(|origin| !origin.is_empty())
            .ok_or(malformed(1, "which log it is of is missing"))?;
        let size = lines
            .next()
            .and_then(number)
            .ok_or(malformed(2, "the size is not a number"))?;
        let root = lines
            .next()
            .and_then(|root| STANDARD.decode(root).ok())
            .and_then(|root| <[u8; HASH_BYTES]>::try_from(root).ok())
            .ok_or(malformed(3, "the root is not 32 bytes in base64"))?;
        let time_ns = lines
            .find_map(|line| line.strip_prefix(TIME))
            .map_or(Some(0), number)
            .ok_or(malformed(4, "the time is not a number"))?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root: Hash(root),
            time_ns,
        })
    }
}

/// A number in its one form: no sign, no zeros in front.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A signature of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// By whom, as it says itself.
    pub by: KeyId,
    bytes: Vec<u8>,
}

/// A checkpoint and its signatures, as text and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it says. Nobody vouches for it before [`Note::verify`].
    pub checkpoint: Checkpoint,
    /// By whom it is signed, as far as it says.
    pub signatures: Vec<Signature>,
    text: String,
}

impl Note {
    /// That it is signed by this key.
    ///
    /// # Errors
    /// When it is not, or the signature does not fit.
    pub fn verify(&self, by: &Verifier) -> Result<(), NoteError> {
        let mut found = false;
        for signature in self.signatures.iter().filter(|it| it.by == *by.id()) {
            found = true;
            if by.fits(self.text.as_bytes(), &signature.bytes) {
                return Ok(());
            }
        }
        let name = by.name().to_owned();
        Err(match found {
            true => NoteError::WrongSignature(name),
            false => NoteError::NotSigned(name),
        })
    }

    /// A checkpoint with one signature of its text.
    pub(crate) fn signed(
        checkpoint: &Checkpoint,
        by: KeyId,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_BYTES],
    ) -> Self {
        let text = checkpoint.text();
        let bytes = sign(text.as_bytes()).to_vec();
        Self {
            checkpoint: checkpoint.clone(),
            text,
            signatures: vec![Signature { by, bytes }],
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature { by, bytes } in &self.signatures {
            let mut signature = by.hash.to_be_bytes().to_vec();
            signature.extend_from_slice(bytes);
            let signature = STANDARD.encode(signature);
            writeln!(f, "{SIGNATURE_MARK}{} {signature}", by.name)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        let malformed = |line, why| NoteError::Malformed { line, why };
        if note.len() > NOTE_BYTES_MAX {
            return Err(malformed(1, "it is longer than 64 KiB"));
        }
        let end = note
            .rfind("\n\n")
            .ok_or(malformed(1, "no empty line before the signatures"))?;
        let text = &note[..=end];
        let before = text.lines().count() + 1;
        let mut signatures = Vec::new();
        for (at, line) in note[end + 2..].lines().enumerate() {
            let line_number = before + at + 1;
            let (name, bytes) = line
                .strip_prefix(SIGNATURE_MARK)
                .and_then(|line| line.split_once(' '))
                .ok_or(malformed(line_number, "it is not `— NAME SIGNATURE`"))?;
            let bytes = STANDARD
                .decode(bytes)
                .map_err(|_| malformed(line_number, "the signature is not base64"))?;
            let (hash, bytes) = bytes
                .split_first_chunk()
                .ok_or(malformed(line_number, "the signature is too short"))?;
            signatures.push(Signature {
                by: KeyId {
                    name: name.to_owned(),
                    hash: u32::from_be_bytes(*hash),
                },
                bytes: bytes.to_vec(),
            });
        }
        if signatures.is_empty() {
            return Err(malformed(before + 1, "no signature"));
        }
        Ok(Self {
            checkpoint: Checkpoint::from_text(text)?,
            text: text.to_owned(),
            signatures,
        })
    }
}
