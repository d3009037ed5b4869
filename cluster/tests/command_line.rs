//! The program without a cluster: what it says when it cannot do what it is asked.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn farthing(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farthing"))
        .args(args)
        .output()
        .unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn no_cluster_is_said_with_its_code_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    for args in [
        &["verify"][..],
        &["cluster", "status"],
        &["cluster", "down"],
        &["account", "get", "1"],
    ] {
        let output = farthing(&[&["--dir", dir][..], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let errors = errors(&output);
        assert!(
            errors.contains("[NO_CLUSTER]") && errors.contains("farthing cluster up"),
            "{errors}"
        );
        assert!(
            !errors.contains('\u{1b}'),
            "no colours where there is no terminal"
        );
    }
}

#[test]
fn failures_are_json_when_answers_are() {
    let dir = tempfile::tempdir().unwrap();
    let output = farthing(&[
        "--dir",
        dir.path().to_str().unwrap(),
        "-o",
        "json",
        "verify",
    ]);
    let failure: serde_json::Value = serde_json::from_str(&errors(&output)).unwrap();
    assert_eq!(failure["error"]["code"], "NO_CLUSTER");
}

#[test]
fn nobody_at_an_address_is_not_reachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = farthing(&[
        "--endpoints",
        &address,
        "--deadline",
        "500ms",
        "ledger",
        "list",
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert!(errors(&output).contains("[NOT_REACHABLE]"));
}

#[test]
fn mistakes_in_flags_end_with_2() {
    for args in [
        &["transfer", "create", "--debit", "1"][..],
        &["account", "get", "not-an-id"],
        &["--deadline", "soon", "verify"],
        &["nonsense"],
    ] {
        assert_eq!(farthing(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_variable_stands_for_a_flag() {
    let output = Command::new(env!("CARGO_BIN_EXE_farthing"))
        .args(["id", "derive", "customer", "1"])
        .env("FARTHING_OUTPUT", "json")
        .env("FARTHING_ID_DERIVE_NAMESPACE", "elsewhere")
        .output()
        .unwrap();
    let derived: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let by_flag = farthing(&[
        "-o",
        "json",
        "id",
        "derive",
        "customer",
        "1",
        "--namespace",
        "elsewhere",
    ]);
    let by_flag: serde_json::Value = serde_json::from_slice(&by_flag.stdout).unwrap();
    assert_eq!(derived, by_flag);
    let other = farthing(&["-o", "json", "id", "derive", "customer", "1"]);
    assert_ne!(other.stdout, output.stdout);
}

#[test]
fn every_shell_gets_a_completion_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = farthing(&["completions", shell]);
        assert!(output.status.success());
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("transfer-leader"),
            "{shell}"
        );
    }
}
