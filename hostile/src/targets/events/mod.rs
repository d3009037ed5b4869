//! Exported histories, proofs and checkpoints: what somebody checks who trusts nobody but a key.
//!
//! No bytes at all are taken for something that was not signed: whatever a key vouches for is one of the trees that it
//! signed, because nobody makes a signature or a hash by chance.

mod signed;

use farthing_proofs::export::{Header, read_line, verify, write_line};
use farthing_proofs::{Change, Note, Proof};

use self::signed::{HISTORY, ORIGIN, checkpoint, signer, tree};
use super::Part;
use crate::budget::within;

const WORDS: &[&str] = &[
    "{\"farthing_proof\":1,",
    "{\"farthing_export\":1,",
    "\"checkpoint\":\"",
    "\"event\":",
    "\"path\":[",
    "\"size\":",
    "\"sequence\":",
    "\\n\\n\u{2014} node-1 ",
    "\u{2014} node-1 ",
    "18446744073709551615",
    "340282366920938463463374607431768211455",
    "\\u0000",
];

pub(super) const CHANGE: Part = Part {
    name: "event",
    run: run_change,
    seeds: signed::changes,
    words: WORDS,
};
pub(super) const EXPORT: Part = Part {
    name: "export",
    run: run_export,
    seeds: signed::exports,
    words: WORDS,
};
pub(super) const PROOF: Part = Part {
    name: "proof",
    run: run_proof,
    seeds: signed::proofs,
    words: WORDS,
};
pub(super) const NOTE: Part = Part {
    name: "checkpoint",
    run: run_note,
    seeds: signed::notes,
    words: WORDS,
};

/// One event, as the bytes that are hashed and as a line.
fn run_change(bytes: &[u8]) {
    let limit = 16 * bytes.len() + (1 << 10);
    if let Some(change) = within(limit, || Change::from_bytes(bytes)) {
        let mut again = vec![];
        change.write_to(&mut again);
        assert_eq!(again, bytes, "an event has one form");
        let mut line = vec![];
        write_line(&change, &mut line);
        let read = read_line(&line, &mut vec![]).expect("what was written can be read");
        assert_eq!(read, change);
    }
    if let Ok(change) = within(limit, || read_line(bytes, &mut vec![])) {
        let mut line = vec![];
        write_line(&change, &mut line);
        assert_eq!(line, bytes, "a line has one form");
    }
    if let Ok(header) = within(limit, || Header::from_bytes(bytes)) {
        let mut line = vec![];
        header.write_to(&mut line);
        assert_eq!(line, bytes, "a header has one form");
    }
}

fn run_export(bytes: &[u8]) {
    let limit = 64 * bytes.len() + (1 << 20);
    let key = signer().verifier();
    let Ok(verified) = within(limit, || verify(bytes, &[key], |_| {})) else {
        return;
    };
    let last = usize::try_from(verified.last()).expect("few were signed");
    assert_eq!(verified.origin, ORIGIN);
    assert_eq!(verified.root(), tree(last).root());
}

fn run_proof(bytes: &[u8]) {
    let limit = 64 * bytes.len() + (64 << 10);
    let Ok(proof) = within(limit, || Proof::from_bytes(bytes)) else {
        return;
    };
    let again = Proof::from_bytes(&proof.to_bytes()).expect("what was written can be read");
    assert_eq!(again, proof);
    if proof.verify(&[signer().verifier()]).is_err() {
        return;
    }
    match proof {
        Proof::Inclusion {
            event, checkpoint, ..
        } => {
            was_signed(&checkpoint);
            assert!(HISTORY.contains(&event), "it never happened");
        }
        Proof::Consistency {
            earlier,
            checkpoint,
            ..
        } => {
            was_signed(&earlier);
            was_signed(&checkpoint);
        }
    }
}

fn run_note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let limit = 64 * bytes.len() + (4 << 10);
    let Ok(read) = within(limit, || text.parse::<Note>()) else {
        return;
    };
    let again: Note = read
        .to_string()
        .parse()
        .expect("what was written can be read");
    assert_eq!(again, read);
    if read.verify(&signer().verifier()).is_ok() {
        was_signed(&read);
    }
}

fn was_signed(note: &Note) {
    let size = usize::try_from(note.checkpoint.size).expect("few were signed");
    assert_eq!(note.checkpoint, checkpoint(size));
}
