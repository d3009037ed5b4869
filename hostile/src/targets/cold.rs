//! Cold metadata: the commit record and memberships; the small files beside log and state; a snapshot's manifest.

use farthing_node::cold::{Kind, MAGIC, VERSION};
use farthing_node::fuzzing::{Form, Row, reread};

use super::Part;
use crate::budget::within;
use crate::corpus;

/// What the state and the log hold.
pub(super) const STATE: Part = Part {
    name: "cold",
    run: |bytes| run(&STATE_FORMS, bytes),
    seeds: state_seeds,
    words: WORDS,
};

/// Files that are read at a start.
pub(super) const META: Part = Part {
    name: "meta",
    run: |bytes| run(&META_FORMS, bytes),
    seeds: meta_seeds,
    words: WORDS,
};

/// What a snapshot says of itself.
pub(super) const MANIFEST: Part = Part {
    name: "manifest",
    run: |bytes| run(&MANIFEST_FORMS, bytes),
    seeds: manifest_seeds,
    words: &["MANIFEST.farthing", "..", "/", "CURRENT", ".sst"],
};

type Forms = [(Form, Option<Kind>)];

const STATE_FORMS: [(Form, Option<Kind>); 2] = [
    (Form::Membership, Some(Kind::Membership)),
    (Form::Row(Row::Commit), Some(Kind::Commit)),
];
const META_FORMS: [(Form, Option<Kind>); 6] = [
    (Form::Node, Some(Kind::Node)),
    (Form::Claims, Some(Kind::Claims)),
    (Form::Suspect, Some(Kind::Suspect)),
    (Form::Members, Some(Kind::Members)),
    (Form::Finding, Some(Kind::Finding)),
    // The only one without an envelope.
    (Form::Current, None),
];
const MANIFEST_FORMS: [(Form, Option<Kind>); 1] = [(Form::Manifest, Some(Kind::Manifest))];
const WORDS: &[&str] = &["FART", "\u{1}\u{0}\u{2}\u{0}", "00000001\n", "\u{1}"];
/// The decoder takes memory for up to 1 MiB of items before it has seen them; writing them again may take as much.
const BUDGET_BYTES: usize = 4 << 20;

/// A byte for the form, and by its highest bit whether the rest is the whole file or a payload, to be sealed in a valid
/// envelope.
fn run(forms: &Forms, bytes: &[u8]) {
    let Some((selector, bytes)) = bytes.split_first() else {
        return;
    };
    let (form, kind) = forms[usize::from(selector & 0x7f) % forms.len()];
    let file = match kind {
        Some(kind) if selector & 0x80 == 0 => seal(kind, bytes),
        _ => bytes.to_vec(),
    };
    match within(BUDGET_BYTES + 16 * file.len(), || reread(form, &file)) {
        // What was read may be written in more bytes than it came in, or fewer; but then it stays.
        Ok(again) => assert_eq!(reread(form, &again).as_ref(), Ok(&again), "{form:?}"),
        Err(why) => assert!(!why.is_empty()),
    }
}

/// A valid envelope of any payload.
pub(super) fn seal(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [
        &MAGIC[..],
        &VERSION.to_le_bytes(),
        &(kind as u16).to_le_bytes(),
        &length.to_le_bytes(),
        &crc32c::crc32c(payload).to_le_bytes(),
        payload,
    ]
    .concat()
}

/// Two voters that become one, and who listens where.
const MEMBERSHIP: &[u8] = b"\x02\x02\x01\x02\x01\x01\x02\x01\x01a\x01b\x02\x01c\x01d";

/// Payloads behind their selectors, and the last once more as a whole file.
fn seeds(kinds: &Forms, payloads: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut seeds = corpus::numbered(payloads);
    for ((selector, payload), (_, kind)) in (0x80_u8..).zip(payloads).zip(kinds) {
        if let Some(kind) = kind {
            seeds.push([&[selector], &seal(*kind, payload)[..]].concat());
        }
    }
    seeds
}

fn state_seeds() -> Vec<Vec<u8>> {
    let commit = [
        &b"\x01\x02\x03\x01\x01\x01\x01\x02mm\x01\x02\x03\x04\x05\x06\x07\x08"[..],
        &9_u128.to_le_bytes(),
    ]
    .concat();
    seeds(&STATE_FORMS, &[MEMBERSHIP, &commit])
}

fn meta_seeds() -> Vec<Vec<u8>> {
    let membership = seal(Kind::Membership, MEMBERSHIP);
    let length = u8::try_from(membership.len()).unwrap_or(u8::MAX);
    let members = [&[0xfb, 0x2c, 0x01, length], &membership[..]].concat();
    let payloads: [&[u8]; 6] = [
        b"\x07\x01\x02",
        b"\x02\x02\x03\x01\x04\x01\x01\x01\x04\xfb\x2c\x01\x03\x01\x00\x00",
        b"\x04torn\x03\xfb\x2c\x01",
        &members,
        b"\x02\x03rot",
        b"00000007\n",
    ];
    let mut seeds = seeds(&META_FORMS, &payloads);
    // A table of 2^32 - 1 rows, in a valid envelope.
    seeds.push(b"\x01\xfc\xff\xff\xff\xff".to_vec());
    seeds
}

/// A manifest of two files.
fn manifest() -> Vec<u8> {
    [
        &b"\x01"[..],
        &1_u128.to_le_bytes(),
        b"\x02\x03\x04",
        b"\x01\x00\x00\x00\x01m",
        &5_u128.to_le_bytes(),
        b"\x06",
        b"\x02\x0a000012.sst\xfb\x2c\x01\x07\x07CURRENT\x10\x07",
    ]
    .concat()
}

/// A manifest as a peer sends it.
pub(super) fn sealed_manifest() -> Vec<u8> {
    seal(Kind::Manifest, &manifest())
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    seeds(&MANIFEST_FORMS, &[&manifest()])
}
