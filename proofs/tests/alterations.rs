//! Exported histories that somebody altered: whatever it is, it is noticed, and said with its line.
#![allow(clippy::unwrap_used)]

mod shared;

use std::sync::LazyLock;

use farthing_proofs::export::{Verified, VerifyError, verify, write_line};
use farthing_proofs::{Change, Verifier};
use shared::{Numbers, checkpoint, frontier, lines, note, signer, with_note};

const EVENTS: u64 = 2_000;
static HISTORY: LazyLock<Vec<Change>> = LazyLock::new(|| shared::history(EVENTS));
static EXPORT: LazyLock<Vec<u8>> = LazyLock::new(|| shared::export(&HISTORY, 0));

fn key() -> Vec<Verifier> {
    vec![signer("node-1").verifier()]
}

fn check(file: &[u8]) -> Result<Verified, VerifyError> {
    verify(file, &key(), |_| {})
}

/// One of the ways in which a file can be altered, and its name.
fn altered(numbers: &mut Numbers, way: usize) -> (Vec<u8>, &'static str) {
    let mut file = EXPORT.clone();
    let mut lines = lines(&file);
    let (at, line) = (numbers.below(file.len()), numbers.below(lines.len()));
    match way {
        0 => {
            file[at] ^= 1 << numbers.below(8);
            return (file, "a bit");
        }
        1 => {
            file.insert(at, numbers.below(256) as u8);
            return (file, "a byte more");
        }
        2 => {
            file.remove(at);
            return (file, "a byte less");
        }
        3 => {
            file.truncate(at);
            return (file, "cut anywhere");
        }
        4 => {
            lines.truncate(line);
            return (lines.concat(), "cut between lines");
        }
        5 => {
            lines.remove(line);
            return (lines.concat(), "a line less");
        }
        6 => {
            let other = (line + 1 + numbers.below(lines.len() - 1)) % lines.len();
            lines.swap(line, other);
            return (lines.concat(), "two lines swapped");
        }
        7 => {
            lines.insert(line, lines[line].clone());
            return (lines.concat(), "a line twice");
        }
        _ => {}
    }
    // An event exchanged for a good line of another one with its sequence: what only the root can tell.
    let sequence = 1 + numbers.below(EVENTS as usize);
    let other = shared::history(EVENTS + 1 + numbers.below(50) as u64)
        .pop()
        .unwrap();
    let mut bytes = Vec::new();
    other.write_to(&mut bytes);
    bytes[..8].copy_from_slice(&(sequence as u64).to_le_bytes());
    lines[sequence].clear();
    write_line(&Change::from_bytes(&bytes).unwrap(), &mut lines[sequence]);
    lines[sequence].push(b'\n');
    (lines.concat(), "another event")
}

#[test]
fn every_alteration_is_noticed() {
    let mut numbers = Numbers(20_261_123);
    let mut tried = 0;
    for round in 0..40 {
        for way in 0..9 {
            // Exchanged events take a new history each.
            if way == 8 && round >= 5 {
                continue;
            }
            let (file, name) = altered(&mut numbers, way);
            assert!(file != *EXPORT, "{name}");
            tried += 1;
            if let Ok(verified) = check(&file) {
                panic!("{name} was not noticed: {verified:?}");
            }
        }
    }
    assert!(tried >= 300);
}

#[test]
fn every_byte_of_the_first_and_the_last_line_counts() {
    let file = shared::export(&HISTORY[..5], 3);
    assert!(check(&file).is_ok());
    let (first, last) = (lines(&file)[0].len(), lines(&file).last().unwrap().len());
    for at in (0..first).chain(file.len() - last..file.len()) {
        for bit in 0..8 {
            let mut altered = file.clone();
            altered[at] ^= 1 << bit;
            assert!(check(&altered).is_err(), "byte {at}, bit {bit}");
        }
        let mut altered = file.clone();
        altered.remove(at);
        assert!(check(&altered).is_err(), "without byte {at}");
        for byte in [b' ', b'\n', b'\r', b'0', b'"', b'=', file[at]] {
            let mut altered = file.clone();
            altered.insert(at, byte);
            assert!(check(&altered).is_err(), "{byte} before byte {at}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let whole = frontier(&HISTORY);
    let sign = |altered: &dyn Fn(&mut farthing_proofs::Checkpoint)| {
        let mut checkpoint = checkpoint(&whole);
        altered(&mut checkpoint);
        with_note(&EXPORT, &signer("node-1").sign(&checkpoint).to_string())
    };
    let count = lines(&EXPORT).len() as u64;
    let edit = |edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut lines = lines(&EXPORT);
        edit(&mut lines);
        lines.concat()
    };
    let other_key = signer("another").sign(&checkpoint(&whole)).to_string();
    let text = note(&whole).to_string();
    for (file, line, words) in [
        (
            sign(&|it| it.size += 1),
            Some(count),
            "of 2001 events, the file ends with event 2000",
        ),
        (
            sign(&|it| it.root.0[31] ^= 1),
            Some(count),
            "another root than the one that is signed",
        ),
        (
            sign(&|it| it.origin.push('0')),
            Some(count),
            "is of the log farthing/",
        ),
        (
            with_note(&EXPORT, &other_key),
            Some(count),
            "signed by another",
        ),
        (
            with_note(&EXPORT, &text.replacen("time 1", "time 2", 1)),
            Some(count),
            "does not fit",
        ),
        (
            with_note(&EXPORT, text.trim_end()),
            Some(count),
            "not written as checkpoints are",
        ),
        (with_note(&EXPORT, "nothing"), Some(count), "checkpoint"),
        (
            edit(&|lines| drop(lines.pop())),
            Some(count - 1),
            "without a checkpoint",
        ),
        (
            edit(&|lines| drop(lines.remove(17))),
            Some(18),
            "event 17 should be here, and it is event 18",
        ),
        (
            edit(&|lines| lines.swap(40, 41)),
            Some(41),
            "event 40 should be here",
        ),
        (
            edit(&|lines| lines.insert(9, lines[8].clone())),
            Some(10),
            "event 9 should be here",
        ),
        (
            edit(&|lines| lines.push(lines[0].clone())),
            Some(count + 1),
            "behind the checkpoint",
        ),
        (
            edit(&|lines| lines[30].insert(3, b' ')),
            Some(31),
            "from byte 4 on there should be `equence\":`",
        ),
        (
            edit(&|lines| lines[30] = vec![b'x'; 1 << 20]),
            Some(31),
            "longer than",
        ),
        (
            edit(&|lines| lines[0] = b"{\"farthing_export\":2}\n".to_vec()),
            Some(1),
            "not an exported history",
        ),
        (Vec::new(), Some(0), "without a checkpoint"),
    ] {
        let error = check(&file).unwrap_err();
        assert_eq!(error.line(), line, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(!error.advice().is_empty());
    }
    // Peaks of another tree: as many, but others; and too few.
    let partial = String::from_utf8(shared::export(&HISTORY, 1_000)).unwrap();
    let peak = frontier(&HISTORY[..1_000]).peaks()[0].to_string();
    let other = frontier(&HISTORY[..999]).peaks()[1].to_string();
    let error = check(partial.replacen(&peak, &other, 1).as_bytes()).unwrap_err();
    assert!(matches!(error, VerifyError::Root { .. }), "{error}");
    let error = check(partial.replacen(&format!("\"{peak}\","), "", 1).as_bytes()).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::Peaks {
                from: 1_001,
                peaks: 5
            }
        ),
        "{error}"
    );
}
