//! The short form: some seeds, the proof that a seed is one history, and the proof that mistakes are found.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Seeds of the short form; `make sim` runs more.
const SEEDS: u64 = 20;
/// Seeds within which a planted mistake is found. Most need fewer than five.
const PLANTED_SEEDS: u64 = 60;

fn farthing_sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farthing-sim"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn seeds_pass() {
    let output = farthing_sim(&["run", "--seeds", &SEEDS.to_string()]);
    assert!(output.status.success(), "{}", text(&output));
}

/// Every message, disk operation, commit and answer with its virtual time, from two processes.
#[test]
fn a_seed_is_one_history_to_the_byte() {
    for seed in ["1", "5"] {
        let traces = ["a", "b"].map(|run| {
            let name = format!("farthing-sim-{}-{seed}-{run}.trace", std::process::id());
            let path: PathBuf = std::env::temp_dir().join(name);
            let output = farthing_sim(&["replay", seed, "--trace", path.to_str().unwrap()]);
            assert!(output.status.success(), "{}", text(&output));
            let trace = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            trace
        });
        assert!(traces[0].len() > 100_000, "seed {seed} did next to nothing");
        assert!(traces[0] == traces[1], "seed {seed} has two histories");
    }
}

#[test]
fn planted_mistakes_are_found() {
    let output = farthing_sim(&["planted", "--seeds", &PLANTED_SEEDS.to_string()]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).lines().count() >= 7, "{}", text(&output));
}

/// A run that fails says so, and how to see it again.
#[test]
fn a_seed_that_fails_is_reported() {
    let output = farthing_sim(&["replay", "2", "--planted", "expiry-by-own-clock"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("VIOLATION"), "{}", text(&output));
}
