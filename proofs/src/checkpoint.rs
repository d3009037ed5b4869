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
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::hash::HASH_BYTES;
use crate::{Hash, NoteError};

/// Ed25519, in the numbering of signed notes.
const ALGORITHM: u8 = 1;
const SIGNATURE_BYTES: usize = 64;
const KEY_BYTES: usize = 32;
/// Before each signature: an em dash and a space.
const SIGNATURE_MARK: &str = "\u{2014} ";
/// The longest text that is looked at, in bytes.
const NOTE_BYTES_MAX: usize = 64 << 10;
/// What the line of the time begins with.
const TIME: &str = "time ";

/// The name of a cluster's tree: `farthing/` and its id as a UUID.
#[must_use]
pub fn origin(cluster_id: u128) -> String {
    let hex = format!("{cluster_id:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    format!("farthing/{}", parts.join("-"))
}

/// The name of a node's key.
#[must_use]
pub fn key_name(cluster_id: u128, node_id: u64) -> String {
    format!("node-{node_id}.{}", origin(cluster_id))
}

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

/// Name of a key and the first four bytes of its hash: what a signature says of who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    /// Whose key it is; no spaces, no plus.
    pub name: String,
    hash: u32,
}

impl KeyId {
    fn new(name: &str, key: &[u8; KEY_BYTES]) -> Result<Self, NoteError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return Err(NoteError::NotAKey(
                "a name is one word and has no plus sign",
            ));
        }
        let digest = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ALGORITHM])
            .chain_update(key)
            .finalize();
        let hash = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        Ok(Self {
            name: name.to_owned(),
            hash,
        })
    }
}

/// Signs checkpoints.
pub struct Signer {
    id: KeyId,
    key: SigningKey,
}

impl Signer {
    /// A key by its 32 secret bytes.
    ///
    /// # Errors
    /// When the name is not one word.
    pub fn new(name: &str, secret: &[u8; KEY_BYTES]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(secret);
        let id = KeyId::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { id, key })
    }

    /// The other half, which may be known to everybody.
    pub fn verifier(&self) -> Verifier {
        Verifier {
            id: self.id.clone(),
            key: self.key.verifying_key(),
        }
    }

    /// The checkpoint with this key's signature.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Note {
        let text = checkpoint.text();
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        Note {
            checkpoint: checkpoint.clone(),
            text,
            signatures: vec![Signature {
                by: self.id.clone(),
                bytes: signature.to_vec(),
            }],
        }
    }
}

/// Checks signatures of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    id: KeyId,
    key: VerifyingKey,
}

impl Verifier {
    /// A key by its 32 public bytes.
    ///
    /// # Errors
    /// When they are not a key, or the name is not one word.
    pub fn new(name: &str, key: &[u8; KEY_BYTES]) -> Result<Self, NoteError> {
        let id = KeyId::new(name, key)?;
        let key = VerifyingKey::from_bytes(key)
            .map_err(|_| NoteError::NotAKey("32 bytes that no Ed25519 key has"))?;
        Ok(Self { id, key })
    }

    /// Whose key it is.
    pub fn name(&self) -> &str {
        &self.id.name
    }

    /// The 32 public bytes.
    pub fn key(&self) -> [u8; KEY_BYTES] {
        self.key.to_bytes()
    }
}

/// `NAME+HASH+KEY`, the form in which signed notes write keys.
impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ALGORITHM];
        key.extend_from_slice(self.key.as_bytes());
        let KeyId { name, hash } = &self.id;
        write!(f, "{name}+{hash:08x}+{}", STANDARD.encode(key))
    }
}

impl std::str::FromStr for Verifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let not = NoteError::NotAKey;
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(not("it is not NAME+HASH+KEY"));
        };
        let key = STANDARD
            .decode(key)
            .map_err(|_| not("the part after the second plus is not base64"))?;
        let key = match key.split_first() {
            Some((&ALGORITHM, key)) => key.try_into().map_err(|_| not("it is not 32 bytes"))?,
            _ => return Err(not("it is not an Ed25519 key")),
        };
        let verifier = Self::new(name, key)?;
        if format!("{:08x}", verifier.id.hash) != hash {
            return Err(not("its hash is that of another name or key"));
        }
        Ok(verifier)
    }
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
        for signature in self.signatures.iter().filter(|it| it.by == by.id) {
            found = true;
            let Ok(bytes) = <[u8; SIGNATURE_BYTES]>::try_from(signature.bytes.as_slice()) else {
                continue;
            };
            // Strict: one signature has one form.
            let fits = by.key.verify_strict(
                self.text.as_bytes(),
                &ed25519_dalek::Signature::from_bytes(&bytes),
            );
            if fits.is_ok() {
                return Ok(());
            }
        }
        Err(match found {
            true => NoteError::WrongSignature(by.id.name.clone()),
            false => NoteError::NotSigned(by.id.name.clone()),
        })
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
