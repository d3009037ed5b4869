//! Keys: what they are called, where the log has them, and who signs and checks with them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::{Checkpoint, Note, NoteError};

/// The namespace of the records in which the log has the nodes' keys.
pub const KEY_NAMESPACE: u32 = 3;
/// Ed25519, in the numbering of signed notes.
const ALGORITHM: u8 = 1;
const KEY_BYTES: usize = 32;
pub(crate) const SIGNATURE_BYTES: usize = 64;

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
/// The key of the record, in [`KEY_NAMESPACE`], that has a node's public key as `NAME+HASH+KEY`.
#[must_use]
pub fn key_record(node_id: u64) -> String {
    format!("node-key/{node_id}")
}

/// Name of a key and the first four bytes of its hash: what a signature says of who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId {
    /// Whose key it is; no spaces, no plus.
    pub name: String,
    pub(crate) hash: u32,
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
        Note::signed(checkpoint, self.id.clone(), |text| {
            self.key.sign(text).to_bytes()
        })
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
    /// When they are not a key, or one of small order (a signature fits many texts under it), or the name is not one
    /// word.
    pub fn new(name: &str, key: &[u8; KEY_BYTES]) -> Result<Self, NoteError> {
        let id = KeyId::new(name, key)?;
        let key = VerifyingKey::from_bytes(key)
            .map_err(|_| NoteError::NotAKey("32 bytes that no Ed25519 key has"))?;
        if key.is_weak() {
            return Err(NoteError::NotAKey(
                "a point of small order, under which a signature fits many texts",
            ));
        }
        Ok(Self { id, key })
    }

    /// Whose key it is.
    pub fn name(&self) -> &str {
        &self.id.name
    }

    /// What its signatures say of who made them.
    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    /// Whether these bytes are its signature of the text. One signature has one form: its first half is compared as bytes
    /// with what the equation of RFC 8032 gives, its second half is below the group's order. That the key is not weak,
    /// which `verify_strict` asks at every signature, has been asked once.
    pub(crate) fn fits(&self, text: &[u8], signature: &[u8]) -> bool {
        let Ok(bytes) = <[u8; SIGNATURE_BYTES]>::try_from(signature) else {
            return false;
        };
        let signature = ed25519_dalek::Signature::from_bytes(&bytes);
        self.key.verify(text, &signature).is_ok()
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
