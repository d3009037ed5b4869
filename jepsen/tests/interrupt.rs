//! A run that is interrupted ends what it began: its nodes, its mounts; and says that nothing is known.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use farthing_jepsen::disk;
use rustix::process::{Pid, Signal, kill_process};

/// The node program of the same build, if there is one.
fn node_program() -> Option<PathBuf> {
    let named = std::env::var_os("FARTHING_NODE_BIN").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_BIN_EXE_jepsen")).with_file_name("farthing-node");
    named.or(Some(beside)).filter(|program| program.exists())
}

/// Processes that were started with a word that contains this.
fn running(word: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.filter_map(|it| fs::read_to_string(it.path().join("cmdline")).ok());
    commands
        .filter(|command| command.contains("farthing-node") && command.contains(word))
        .collect()
}

fn wait_for(what: &str, longest: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < longest, "{what} after {longest:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Politely, so that it ends its nodes.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

#[test]
fn an_interrupted_run_stops_its_nodes_and_knows_nothing() {
    let Some(program) = node_program() else {
        eprintln!(
            "not tested: there is no farthing-node; build it, or name it in FARTHING_NODE_BIN"
        );
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_jepsen"));
    command
        .args(["run", "--time", "300", "--seed", "7", "--nemesis"])
        .arg(match disk::available() {
            Ok(()) => "power-loss,pause",
            Err(_) => "kill,pause",
        })
        .arg("--node-bin")
        .arg(program)
        .arg("--dir")
        .arg(&run)
        .stdout(Stdio::null());
    let mut jepsen = Running(command.spawn().unwrap());
    let word = dir.path().to_string_lossy().into_owned();
    let history = run.join("history.jsonl");
    wait_for("no load", Duration::from_secs(60), || {
        fs::metadata(&history).is_ok_and(|it| it.len() > 1 << 20)
    });
    assert!(!running(&word).is_empty());
    kill_process(Pid::from_child(&jepsen.0), Signal::INT).unwrap();
    let mut status = None;
    wait_for("it still runs", Duration::from_secs(60), || {
        status = jepsen.0.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(status.unwrap().code(), Some(3), "unknown");
    assert_eq!(running(&word), Vec::<String>::new());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&word), "{mounts}");
    let verdict = fs::read_to_string(run.join("verdict.json")).unwrap();
    let verdict: serde_json::Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict["verdict"], "unknown");
    assert!(verdict["reason"].as_str().unwrap().contains("interrupted"));
    // What it had seen can be judged again.
    assert!(verdict["counts"]["ok"].as_u64().unwrap() > 0);
}
