//! The envelope of cold metadata: small structures written rarely and kept for years (node identity, membership,
//! commit record, snapshot manifest).
//!
//! It knows magic, version, kind, length and checksum, and hands the payload to bincode 2 under a limit. It does not
//! know what the structures mean: each owner mirrors its own types into plain ones and pins their bytes with golden
//! files. Hot records never pass through here.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};
use thiserror::Error;

/// First bytes of every envelope.
pub const MAGIC: [u8; 4] = *b"FART";
/// Version of the envelope itself.
pub const VERSION: u16 = 1;
/// Length of the envelope before its payload, in bytes.
pub const HEADER_BYTES: usize = 16;
/// The longest payload that is written or read, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// What an envelope carries; the numbers are frozen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Kind {
    /// Identity of a node: cluster, id, incarnation.
    Node = 1,
    /// A membership with its log id.
    Membership = 2,
    /// The commit record of the state.
    Commit = 3,
    /// The manifest of a snapshot.
    Manifest = 4,
    /// What is known of every node's promises.
    Claims = 5,
    /// That this node has lost part of its log and is not whole yet.
    Suspect = 6,
    /// The last membership a node knew, beside its log and state.
    Members = 7,
    /// What a node has found wrong with its own data.
    Finding = 8,
}

/// Why bytes are not the cold metadata that was asked for.
#[derive(Clone, PartialEq, Eq, Error, Debug)]
pub enum ColdError {
    /// Shorter than an envelope, or than the length it states.
    #[error("cut short: {have} bytes of {want}")]
    Short {
        /// Bytes there are.
        have: usize,
        /// Bytes there must be.
        want: usize,
    },
    /// The first four bytes are something else.
    #[error("not cold metadata: the magic is missing")]
    Magic,
    /// Written by a version that this one does not know.
    #[error("version {0} is unknown; this build reads version 1")]
    Version(u16),
    /// A valid envelope of another kind.
    #[error("kind {found} where kind {expected} belongs")]
    Kind {
        /// What was asked for.
        expected: u16,
        /// What is there.
        found: u16,
    },
    /// Longer than [`PAYLOAD_BYTES_MAX`], or bytes follow the payload.
    #[error("a payload of {0} bytes does not fit its envelope")]
    Length(usize),
    /// The checksum does not match: the bytes are damaged.
    #[error("damaged: crc32c is {found:08x}, should be {expected:08x}")]
    Checksum {
        /// As stored.
        expected: u32,
        /// Of the payload as read.
        found: u32,
    },
    /// The payload is intact but not of the structure's shape.
    #[error("malformed payload: {0}")]
    Malformed(String),
}

type Bincode = Configuration<LittleEndian, Varint, Limit<PAYLOAD_BYTES_MAX>>;

/// Spelled out in the type, so that a change of bincode's defaults cannot pass unseen.
fn bincode_configuration() -> Bincode {
    bincode::config::standard().with_limit::<PAYLOAD_BYTES_MAX>()
}

/// The bytes of `value` in its envelope.
///
/// # Errors
/// [`ColdError::Length`] above [`PAYLOAD_BYTES_MAX`], [`ColdError::Malformed`] when bincode refuses the value.
pub fn encode<T: Encode>(kind: Kind, value: &T) -> Result<Vec<u8>, ColdError> {
    let payload = bincode::encode_to_vec(value, bincode_configuration())
        .map_err(|error| ColdError::Malformed(error.to_string()))?;
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(ColdError::Length(payload.len()));
    }
    let length = u32::try_from(payload.len()).map_err(|_| ColdError::Length(payload.len()))?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(kind as u16).to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&payload).to_le_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// The structure of kind `kind` in `bytes`, which must be exactly one envelope.
///
/// # Errors
/// Each way in which the bytes can be something else; never panics on hostile bytes.
pub fn decode<T: Decode<()>>(kind: Kind, bytes: &[u8]) -> Result<T, ColdError> {
    let (header, payload) = bytes
        .split_at_checked(HEADER_BYTES)
        .ok_or(ColdError::Short {
            have: bytes.len(),
            want: HEADER_BYTES,
        })?;
    if header[..4] != MAGIC {
        return Err(ColdError::Magic);
    }
    let version = u16::from_le_bytes([header[4], header[5]]);
    if version != VERSION {
        return Err(ColdError::Version(version));
    }
    let found = u16::from_le_bytes([header[6], header[7]]);
    if found != kind as u16 {
        return Err(ColdError::Kind {
            expected: kind as u16,
            found,
        });
    }
    let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
    if length > PAYLOAD_BYTES_MAX {
        return Err(ColdError::Length(length));
    }
    if payload.len() < length {
        return Err(ColdError::Short {
            have: bytes.len(),
            want: HEADER_BYTES + length,
        });
    }
    if payload.len() > length {
        return Err(ColdError::Length(payload.len()));
    }
    let expected = u32::from_le_bytes([header[12], header[13], header[14], header[15]]);
    let found = crc32c::crc32c(payload);
    if found != expected {
        return Err(ColdError::Checksum { expected, found });
    }
    let (value, used) = bincode::decode_from_slice(payload, bincode_configuration())
        .map_err(|error| ColdError::Malformed(error.to_string()))?;
    if used != payload.len() {
        return Err(ColdError::Malformed(format!(
            "{} bytes left over",
            payload.len() - used
        )));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Encode, Decode, PartialEq, Debug)]
    struct Sample {
        number: u64,
        name: String,
    }

    fn sample() -> Sample {
        Sample {
            number: 70_000,
            name: "one".into(),
        }
    }

    #[test]
    fn the_envelope_has_these_bytes() {
        let bytes = encode(Kind::Node, &sample()).unwrap();
        let mut expected = b"FART\x01\x00\x01\x00\x09\x00\x00\x00".to_vec();
        let payload = b"\xfc\x70\x11\x01\x00\x03one";
        expected.extend_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        expected.extend_from_slice(payload);
        assert_eq!(bytes, expected);
        assert_eq!(decode::<Sample>(Kind::Node, &bytes).unwrap(), sample());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = encode(Kind::Commit, &sample()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                decode::<Sample>(Kind::Commit, &damaged).is_err(),
                "bit {bit}"
            );
        }
        for length in 0..bytes.len() {
            assert!(
                decode::<Sample>(Kind::Commit, &bytes[..length]).is_err(),
                "length {length}"
            );
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(
            decode::<Sample>(Kind::Commit, &longer),
            Err(ColdError::Length(10))
        );
    }

    #[test]
    fn a_payload_over_the_limit_is_refused() {
        let long = Sample {
            number: 1,
            name: "x".repeat(PAYLOAD_BYTES_MAX),
        };
        assert!(matches!(
            encode(Kind::Node, &long),
            Err(ColdError::Length(_))
        ));
    }
}
