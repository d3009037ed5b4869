//! `farthing-verify` as scripts use it: exit statuses, what it prints, for people and as JSON.
#![allow(clippy::unwrap_used)]

mod shared;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use farthing_proofs::{Change, Hash, Proof, inclusion};
use serde_json::Value;
use shared::{ORIGIN, Tree, frontier, note, signer};

const VERIFIED: i32 = 0;
const NOT_VERIFIED: i32 = 1;
const UNREADABLE: i32 = 2;

/// A directory with exports and proofs of one history.
fn files() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let history = shared::history(1_500);
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let whole = shared::export(&history, 0);
    write("whole", &whole);
    write("first", &shared::export(&history[..700], 0));
    write("second", &shared::export(&history[..1_400], 700));
    write("third", &shared::export(&history, 1_400));
    write("cut", &whole[..whole.len() / 2]);
    let mut altered = whole.clone();
    altered[whole.len() / 3] ^= 1;
    write("altered", &altered);
    write("empty", b"");
    write("other", b"{\"some\":\"json\"}\n");
    let tree = Tree::new(history.iter().map(Change::leaf).collect::<Vec<Hash>>());
    let proof = Proof::Inclusion {
        event: history[76].clone(),
        size: 700,
        path: inclusion::prove(&tree, 76, 700).unwrap().unwrap(),
        checkpoint: note(&frontier(&history[..700])),
    };
    write("proof", &proof.to_bytes());
    let wrong = String::from_utf8(proof.to_bytes()).unwrap();
    write(
        "wrong-proof",
        wrong.replacen("\"size\":700", "\"size\":699", 1).as_bytes(),
    );
    let keys = format!("# trusted\n\n{}\n", signer("node-1").verifier());
    write("keys", keys.as_bytes());
    write("bad-keys", b"node-1+00000000+AAAA\n");
    directory
}

fn run(directory: &Path, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_farthing-verify"))
        .current_dir(directory)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever does not read its input is ended before all of it is written.
    drop(child.stdin.take().unwrap().write_all(input));
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn exit_statuses_and_words() {
    let directory = files();
    let key = signer("node-1").verifier().to_string();
    let stranger = signer("stranger").verifier().to_string();
    for (arguments, status, words) in [
        (&["whole"][..], VERIFIED, "events 1 to 1,500, 1,500 in all"),
        (&["second"], VERIFIED, "events 701 to 1,400, 700 in all"),
        (&["first", "second", "third"], VERIFIED, "third: verified"),
        (
            &["proof"],
            VERIFIED,
            "event 77 is in the history of 700 events",
        ),
        (&["cut"], NOT_VERIFIED, "without a checkpoint"),
        (&["altered"], NOT_VERIFIED, "altered: NOT VERIFIED: line "),
        (&["empty"], NOT_VERIFIED, "the file is empty"),
        (
            &["other"],
            NOT_VERIFIED,
            "neither an exported history nor a proof",
        ),
        (&["wrong-proof"], NOT_VERIFIED, "its checkpoint is of 700"),
        (
            &["first", "altered", "third"],
            NOT_VERIFIED,
            "third: verified",
        ),
        (&["first", "third"], NOT_VERIFIED, "event 701 comes next"),
        (
            &["--separate", "first", "third"],
            VERIFIED,
            "third: verified",
        ),
        (
            &["whole", "altered", "absent"],
            NOT_VERIFIED,
            "absent: NOT CHECKED",
        ),
        (&["whole", "absent"], UNREADABLE, "cannot be read"),
        (&["."], UNREADABLE, "cannot be read"),
    ] {
        let with_key = [&["--key", &key], arguments].concat();
        let (found, out, _) = run(directory.path(), &with_key, b"");
        assert_eq!(found, status, "{arguments:?}: {out}");
        assert!(out.contains(words), "{arguments:?}: {out}");
    }
    let (status, out, _) = run(directory.path(), &["--key", &stranger, "whole"], b"");
    assert_eq!(status, NOT_VERIFIED);
    assert!(
        out.contains("none of that fits a key that was given"),
        "{out}"
    );
    assert!(out.contains("somebody you trust"), "{out}");
}

#[test]
fn keys_come_from_files_and_must_be_there() {
    let directory = files();
    let (status, out, _) = run(directory.path(), &["--key-file", "keys", "whole"], b"");
    assert_eq!(status, VERIFIED, "{out}");
    for (arguments, words) in [
        (&["whole"][..], "--key"),
        (&["--key", "no-key", "whole"], "NAME+HASH+KEY"),
        (
            &["--key-file", "bad-keys", "whole"],
            "bad-keys: line 1: this is not a key",
        ),
        (&["--key-file", "empty", "whole"], "hold no key"),
        (&["--key-file", "absent", "whole"], "absent"),
        (&["--key-file", "keys"], "FILE"),
        (&["--unknown"], "--unknown"),
    ] {
        let (status, out, err) = run(directory.path(), arguments, b"");
        assert_eq!((status, out.as_str()), (UNREADABLE, ""), "{arguments:?}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}

#[test]
fn a_file_cannot_command_the_terminal() {
    let directory = files();
    let whole = fs::read_to_string(directory.path().join("first")).unwrap();
    let evil = whole.replacen("node-1 ", "no\\u001b[2Jde ", 1);
    assert_ne!(evil, whole);
    fs::write(directory.path().join("evil"), evil).unwrap();
    let (status, out, err) = run(directory.path(), &["--key-file", "keys", "evil"], b"");
    assert_eq!(status, NOT_VERIFIED, "{out}");
    assert!(out.contains("[2Jde") && !(out + &err).contains('\u{1b}'));
}

#[test]
fn standard_input_is_a_file_too() {
    let directory = files();
    let input = fs::read(directory.path().join("whole")).unwrap();
    let (status, out, _) = run(directory.path(), &["--key-file", "keys", "-"], &input);
    assert_eq!(status, VERIFIED, "{out}");
    let (status, ..) = run(
        directory.path(),
        &["--key-file", "keys", "-"],
        &input[..9_000],
    );
    assert_eq!(status, NOT_VERIFIED);
}

#[test]
fn programs_get_json() {
    let directory = files();
    let arguments = [
        "--json",
        "--key-file",
        "keys",
        "whole",
        "altered",
        "proof",
        "absent",
    ];
    let (status, out, _) = run(directory.path(), &arguments, b"");
    assert_eq!(status, NOT_VERIFIED);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["verified"], false);
    let files = value["files"].as_array().unwrap();
    let verdicts: Vec<&str> = files
        .iter()
        .map(|file| file["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["verified", "not_verified", "verified", "unreadable"]
    );
    let whole = &files[0];
    assert_eq!(whole["kind"], "export");
    assert_eq!(
        (&whole["from"], &whole["last"], &whole["count"]),
        (&1.into(), &1_500.into(), &1_500.into())
    );
    assert_eq!(whole["origin"], ORIGIN);
    assert_eq!(whole["signed_by"][0], "node-1");
    assert_eq!(whole["time"], "2026-11-23T09:25:30.693453563Z");
    assert!(
        note(&frontier(&shared::history(1_500)))
            .to_string()
            .contains(whole["root"].as_str().unwrap())
    );
    assert!(files[1]["line"].as_u64().is_some() && files[1]["error"].is_string());
    assert!(
        files[2]["event"]
            .as_str()
            .unwrap()
            .starts_with("{\"sequence\":77,")
    );
}
