//! What shows a receiver that a body comes from somebody who knows the secret, and when.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::Error;

/// A secret is at least so long, in bytes.
pub const SECRET_BYTES_MIN: usize = 16;

/// The secret that sender and receiver share.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// From bytes, without the white space around them, which files end with.
    ///
    /// # Errors
    /// [`Error::Permanent`] when fewer than 16 bytes are left.
    pub fn new(bytes: &[u8]) -> Result<Secret, Error> {
        let bytes = bytes.trim_ascii();
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(Error::permanent(
                format!("the secret has fewer than {SECRET_BYTES_MIN} bytes"),
                "make one with: openssl rand -hex 32",
            ));
        }
        Ok(Secret(bytes.to_owned()))
    }

    /// `v1=` and the hexadecimal HMAC-SHA256 of the timestamp in decimal, a dot, and the body.
    #[must_use]
    pub fn signature(&self, timestamp_s: u64, body: &[u8]) -> String {
        // A key of any length is a key of HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(timestamp_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let code = mac.finalize().into_bytes();
        let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("v1={hex}")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        let secret = Secret::new(b"0123456789abcdef\n").unwrap();
        // printf '1700000000.[]' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(
            secret.signature(1_700_000_000, b"[]"),
            "v1=c91545d09b999c13267144ab89f40da36c784c2397a9684263e82122a502a910"
        );
        assert_eq!(format!("{secret:?}"), "Secret");
        assert!(Secret::new(b"  0123456789abcde ").is_err());
    }
}
