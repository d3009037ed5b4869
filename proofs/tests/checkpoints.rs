//! Checkpoints as text: read back, refused when altered, and of the form that other programs know.
#![allow(clippy::unwrap_used)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use farthing_proofs::{Checkpoint, Hash, Note, NoteError, Signer, Verifier};

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "farthing/64ad9403-7867-4750-9cdb-38b323afc4f5".to_owned(),
        size: 1_234_567,
        root: Hash::of_leaf(b"root"),
        time_ns: 1_795_425_930_693_453_563,
    }
}

fn signer(name: &str, byte: u8) -> Signer {
    Signer::new(name, &[byte; 32]).unwrap()
}

#[test]
fn a_checkpoint_comes_back_with_its_signature() {
    let signer = signer("node-1", 7);
    let text = signer.sign(&checkpoint()).to_string();
    let note: Note = text.parse().unwrap();
    assert_eq!(note.checkpoint, checkpoint());
    assert_eq!(note.to_string(), text);
    let key: Verifier = signer.verifier().to_string().parse().unwrap();
    assert_eq!(key, signer.verifier());
    assert_eq!(note.verify(&key), Ok(()));
}

#[test]
fn every_altered_byte_is_noticed() {
    let signer = signer("node-1", 7);
    let key = signer.verifier();
    let text = signer.sign(&checkpoint()).to_string();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut altered = text.clone().into_bytes();
            altered[at] ^= 1 << bit;
            let Ok(altered) = String::from_utf8(altered) else {
                continue;
            };
            let accepted = altered
                .parse::<Note>()
                .is_ok_and(|note| note.verify(&key).is_ok());
            assert!(!accepted, "byte {at}, bit {bit}: {altered}");
        }
    }
}

#[test]
fn whoever_did_not_sign_does_not_vouch() {
    let note = signer("node-1", 7).sign(&checkpoint());
    let other = signer("node-2", 8).verifier();
    assert_eq!(
        note.verify(&other),
        Err(NoteError::NotSigned("node-2".into()))
    );
    // The same name with another key, and the same key with another name.
    assert!(note.verify(&signer("node-1", 8).verifier()).is_err());
    assert!(note.verify(&signer("node-2", 7).verifier()).is_err());
}

#[test]
fn what_is_no_checkpoint_says_what_is_wrong() {
    let good = signer("node-1", 7).sign(&checkpoint()).to_string();
    for (from, to, why) in [
        ("1234567", "01234567", "size"),
        ("1234567", "-1", "size"),
        ("farthing/64ad", "\nfarthing/64ad", "which log"),
        ("time 1", "time x1", "time"),
        ("\u{2014} node-1", "- node-1", "NAME SIGNATURE"),
    ] {
        let error = good.replacen(from, to, 1).parse::<Note>().unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!("".parse::<Note>().is_err());
    assert!("a\n\n".parse::<Note>().is_err());
    assert!("a\n".repeat(40_000).parse::<Note>().is_err());
    for key in ["", "node-1", "node-1+00000000+AAAA", "a b+00000000+AAAA"] {
        assert!(key.parse::<Verifier>().is_err(), "{key}");
    }
    assert!(Signer::new("two words", &[1; 32]).is_err());
}

/// A signature's second half is a number modulo the group's order (RFC 8032, 5.1). The same number plus that order fits
/// the equation as well; whoever took it would take two files for one signature.
#[test]
fn a_signature_has_one_form() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signer = signer("node-1", 7);
    let text = signer.sign(&checkpoint()).to_string();
    let (before, encoded) = text.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = STANDARD.decode(encoded).unwrap();
    let second_half = bytes.len() - 32;
    let mut carry = 0;
    for (byte, order) in bytes[second_half..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let other_form = format!("{before} {}\n", STANDARD.encode(&bytes));
    let note: Note = other_form.parse().unwrap();
    assert!(note.verify(&signer.verifier()).is_err());
}

/// Under a key of small order one signature fits many texts, so it vouches for nothing.
#[test]
fn keys_that_vouch_for_any_text_are_no_keys() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut of_order_two = [0xff; 32];
    of_order_two[0] = 0xec;
    of_order_two[31] = 0x7f;
    for key in [[0; 32], neutral, of_order_two] {
        assert!(
            matches!(Verifier::new("node-1", &key), Err(NoteError::NotAKey(_))),
            "{key:02x?}"
        );
    }
}
