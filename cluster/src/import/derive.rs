//! Ids of imported things, derived from their names in the file.
//!
//! The same file imported again, by anyone, at any time, yields the same ids: that is what makes a second import
//! change nothing. Ids of two namespaces, and of two kinds within one, never meet.
//!
//! Layout of the 128 bits, from the top: 63 bits of SHA-256 over the namespace and the kind; one bit that tells the
//! two forms apart; 64 bits that tell the values apart. A value that is a plain decimal number below 2^64 (no sign,
//! no leading zero) stands in those 64 bits as it is, so that numbered things are sorted by their numbers, which
//! spares a node most of its search for duplicates. Any other value is hashed: then the top 63 bits also depend on it,
//! and 127 bits of SHA-256 tell values apart.

use sha2::{Digest, Sha256};

/// Told first to the hash, so that these ids differ from every other use of SHA-256.
const DOMAIN: &[u8] = b"farthing derived id, version 1";

/// Derives the ids of one kind of thing in one namespace.
#[derive(Clone, Debug)]
pub struct Deriver {
    /// Fed with the domain, the namespace and the kind.
    hasher: Sha256,
    /// The top 63 bits of ids of numbered things, in place.
    numbered: u128,
}

impl Deriver {
    /// Ids of the things called `kind` in `namespace`: any texts, also empty ones.
    #[must_use]
    pub fn new(namespace: &str, kind: &str) -> Self {
        let mut hasher = Sha256::new();
        for part in [DOMAIN, namespace.as_bytes(), kind.as_bytes()] {
            // With its length before it, no part can run into the next.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let prefix = top(&hasher) >> 65;
        // Neither all zeros nor all ones, so that no value can make the id zero or the largest number, which are
        // not ids.
        let prefix = prefix.clamp(1, (1 << 63) - 2);
        Self {
            hasher,
            numbered: prefix << 65,
        }
    }

    /// The id of the thing with this name. Never zero and never the largest number.
    #[must_use]
    pub fn id(&self, value: &str) -> u128 {
        if let Some(number) = plain_number(value) {
            return self.numbered | u128::from(number);
        }
        let mut hasher = self.hasher.clone();
        hasher.update(value.as_bytes());
        let id = top(&hasher) | HASHED;
        if id == u128::MAX { HASHED } else { id }
    }
}

/// The bit that ids of hashed values have and ids of numbers do not.
const HASHED: u128 = 1 << 64;

fn top(hasher: &Sha256) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.clone().finalize()[..16]);
    u128::from_be_bytes(bytes)
}

/// The number that `value` is the one plain way to write: `7` but neither `07` nor `+7`, so that no two values share
/// an id.
fn plain_number(value: &str) -> Option<u64> {
    let plain = value == "0" || !value.starts_with(['0', '+']);
    if plain { value.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_pinned() {
        // Frozen: a change would import every file a second time.
        let customers = Deriver::new("payments", "customer");
        let pinned = [
            ("0", PINNED_NUMBER_ZERO),
            ("596", PINNED_NUMBER_ZERO + 596),
            ("C-596", PINNED_TEXT),
        ];
        for (value, id) in pinned {
            assert_eq!(
                customers.id(value),
                id,
                "{value}: {:#034x}",
                customers.id(value)
            );
        }
    }
    const PINNED_NUMBER_ZERO: u128 = 0xf889_7f1e_7e83_0ff8_0000_0000_0000_0000;
    const PINNED_TEXT: u128 = 0xf160_6e1a_5e35_7d43_ade6_453d_3be2_6cfa;

    #[test]
    fn values_kinds_and_namespaces_never_meet() {
        let values = [
            "",
            "0",
            "00",
            "1",
            "+1",
            "01",
            "1.0",
            "-1",
            " 1",
            "18446744073709551615",
            "18446744073709551616",
        ];
        let mut ids = BTreeSet::new();
        for namespace in ["", "a", "ab"] {
            for kind in ["", "a", "bc", "c"] {
                let deriver = Deriver::new(namespace, kind);
                ids.extend(values.iter().map(|value| deriver.id(value)));
            }
        }
        assert_eq!(ids.len(), 3 * 4 * values.len());
        assert!(!ids.contains(&0) && !ids.contains(&u128::MAX));
    }

    #[test]
    fn numbered_things_are_sorted_by_number() {
        let payments = Deriver::new("payments", "payment");
        assert!(payments.id("9") < payments.id("10"));
        assert_eq!(payments.id("10") - payments.id("9"), 1);
    }
}
