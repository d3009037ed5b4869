//! Exported histories: what was signed is verified, and nothing else is.
#![allow(clippy::unwrap_used)]

mod shared;

use std::sync::LazyLock;

use farthing_proofs::export::{
    Discontinuity, Progress, Verified, VerifyError, WriteError, Writer, verify,
};
use farthing_proofs::{Change, Frontier, Note, Verifier};
use shared::{ORIGIN, checkpoint, frontier, note, signer, with_note};

const EVENTS: u64 = 2_000;
static HISTORY: LazyLock<Vec<Change>> = LazyLock::new(|| shared::history(EVENTS));
static EXPORT: LazyLock<Vec<u8>> = LazyLock::new(|| shared::export(&HISTORY, 0));

fn key() -> Vec<Verifier> {
    vec![signer("node-1").verifier()]
}

fn check(file: &[u8]) -> Result<Verified, VerifyError> {
    verify(file, &key(), |_| {})
}

#[test]
fn an_export_is_verified_and_says_what_it_holds() {
    let mut told = Progress::default();
    let verified = verify(&EXPORT[..], &key(), |at| told = at).unwrap();
    let whole = frontier(&HISTORY);
    assert_eq!(
        (verified.from(), verified.last(), verified.count()),
        (1, EVENTS, EVENTS)
    );
    assert_eq!(verified.root(), whole.root());
    assert_eq!(
        (&verified.before, &verified.after),
        (&Frontier::new(), &whole)
    );
    assert_eq!(verified.origin, ORIGIN);
    assert_eq!(verified.signed_by, ["node-1"]);
    assert_eq!(verified.time_ns, checkpoint(&whole).time_ns);
    assert_eq!((told.events, told.bytes), (EVENTS, EXPORT.len() as u64));
    // Read one byte at a time it is the same.
    let slowly = std::io::BufReader::with_capacity(1, &EXPORT[..]);
    assert_eq!(verify(slowly, &key(), |_| {}).unwrap(), verified);
}

#[test]
fn the_same_events_are_the_same_bytes_in_whatever_form_they_came() {
    let mut writer = Writer::new(Vec::new(), ORIGIN, Frontier::new()).unwrap();
    for change in &*HISTORY {
        let mut bytes = Vec::new();
        change.write_to(&mut bytes);
        writer.push_packed(&bytes).unwrap();
    }
    let note = note(writer.frontier());
    assert!(writer.finish(&note).unwrap() == *EXPORT);
}

#[test]
fn files_go_on_where_others_ended() {
    for cut in [0, 1, 2, 3, 64, 1_000, 1_023, 1_999, 2_000] {
        let first = check(&shared::export(&HISTORY[..cut], 0)).unwrap();
        let second = check(&shared::export(&HISTORY, cut)).unwrap();
        assert_eq!(
            (second.from(), second.count()),
            (cut as u64 + 1, EVENTS - cut as u64)
        );
        assert_eq!(second.continues(&first), Ok(()));
        assert_eq!(second.root(), frontier(&HISTORY).root());
    }
    let first = check(&shared::export(&HISTORY[..1_000], 0)).unwrap();
    let late = check(&shared::export(&HISTORY, 1_001)).unwrap();
    let gap = Discontinuity::Sequence {
        expected: 1_001,
        found: 1_002,
    };
    assert_eq!(late.continues(&first), Err(gap));
    // Another history of the same length, signed by the same key.
    let mut other = HISTORY[..1_000].to_vec();
    let Change::Transfer(row) = &mut other
        .iter_mut()
        .find(|it| matches!(it, Change::Transfer(_)))
        .unwrap()
    else {
        panic!()
    };
    row.transfer.amount ^= 1;
    let other = check(&shared::export(&other, 0)).unwrap();
    let second = check(&shared::export(&HISTORY, 1_000)).unwrap();
    assert_eq!(second.continues(&other), Err(Discontinuity::Peaks));
    let elsewhere = Verified {
        origin: "farthing/other".to_owned(),
        ..first
    };
    assert!(matches!(
        second.continues(&elsewhere),
        Err(Discontinuity::Origin { .. })
    ));
}

#[test]
fn a_writer_takes_the_next_event_and_its_own_checkpoint_only() {
    let begun = || {
        let mut writer = Writer::new(Vec::new(), ORIGIN, Frontier::new()).unwrap();
        writer.push(&HISTORY[0]).unwrap();
        writer
    };
    for (at, found) in [(0, 1), (2, 3)] {
        let error = begun().push(&HISTORY[at]).unwrap_err();
        let WriteError::Gap {
            expected: 2,
            found: told,
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(told, found);
    }
    assert!(matches!(
        begun().push_packed(b"no event"),
        Err(WriteError::NotAnEvent { expected: 2 })
    ));
    let good = checkpoint(&frontier(&HISTORY[..1]));
    assert!(begun().finish(&signer("node-1").sign(&good)).is_ok());
    for (altered, what) in [(1, "log"), (2, "size"), (3, "root")] {
        let mut other = good.clone();
        match altered {
            1 => other.origin.push('0'),
            2 => other.size += 1,
            _ => other.root.0[0] ^= 1,
        }
        let error = begun().finish(&signer("node-1").sign(&other)).unwrap_err();
        assert!(
            matches!(error, WriteError::OtherCheckpoint { what: told, .. } if told == what),
            "{error}"
        );
    }
}

#[test]
fn one_good_signature_is_enough_and_a_bad_one_too_many() {
    let whole = frontier(&HISTORY);
    let by = |name: &str| signer(name).sign(&checkpoint(&whole)).to_string();
    let signature = |note: &str| note.split_once("\n\n").unwrap().1.to_owned();
    let both = with_note(&EXPORT, &(by("node-1") + &signature(&by("node-22"))));
    let names = |keys: &[&str]| {
        let keys: Vec<Verifier> = keys.iter().map(|name| signer(name).verifier()).collect();
        verify(&both[..], &keys, |_| {}).map(|verified| verified.signed_by)
    };
    assert_eq!(names(&["node-22"]).unwrap(), ["node-22"]);
    assert_eq!(
        names(&["node-1", "node-22", "node-333"]).unwrap(),
        ["node-1", "node-22"]
    );
    assert!(matches!(
        names(&["node-333"]),
        Err(VerifyError::NotSigned { .. })
    ));
    assert!(matches!(names(&[]), Err(VerifyError::NotSigned { .. })));
    // The second signature is of another text.
    let mut later = checkpoint(&whole);
    later.time_ns += 1;
    let later = signature(&signer("node-22").sign(&later).to_string());
    let note = by("node-1") + &later;
    assert!(note.parse::<Note>().is_ok());
    let keys = [signer("node-1").verifier(), signer("node-22").verifier()];
    let error = verify(&with_note(&EXPORT, &note)[..], &keys, |_| {}).unwrap_err();
    assert!(
        error.to_string().contains("node-22 does not fit"),
        "{error}"
    );
}
