//! Lost power under real nodes: honest disks lose nothing that was acknowledged, and disks that lie are found out.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use farthing_jepsen::disk;

/// The exit code of a run under loss of power of all nodes at once; `None`, said aloud, where it cannot be.
fn run(dir: &Path, seconds: &str, flags: &[&str]) -> Option<i32> {
    let named = std::env::var_os("FARTHING_NODE_BIN").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_BIN_EXE_jepsen")).with_file_name("farthing-node");
    let program = named.unwrap_or(beside);
    if !program.exists() {
        eprintln!(
            "not tested: there is no farthing-node; build it, or name it in FARTHING_NODE_BIN"
        );
        return None;
    }
    if let Err(error) = disk::available() {
        eprintln!("not tested: disks cannot be mounted here: {error}");
        return None;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_jepsen"));
    command
        .args(["run", "--nemesis", "power-loss", "--target", "all"])
        .args(["--seed", "31", "--time", seconds])
        .args(flags)
        .arg("--node-bin")
        .arg(program)
        .arg("--dir")
        .arg(dir.join("run"))
        .stdout(Stdio::null());
    command.status().unwrap().code()
}

#[test]
fn nothing_acknowledged_is_lost_when_all_nodes_lose_their_power_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let Some(code) = run(dir.path(), "15", &["--faults-every", "1"]) else {
        return;
    };
    assert_eq!(code, 0, "see the words above, and the same command by hand");
}

#[test]
fn disks_that_lie_are_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let Some(code) = run(dir.path(), "12", &["--lying-disks"]) else {
        return;
    };
    assert_eq!(code, 1, "fail");
}
