//! `farthing demo`: nodes that are broken at a prompt, and gone afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::support::one_at_a_time;
use super::terminal::Driven;

fn demo(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command
        .arg("demo")
        .env("TMPDIR", home.path())
        .env("XDG_STATE_HOME", home.path().join("state"))
        .env("NO_COLOR", "1");
    command
}

/// The demo's own directory below its temporary one.
fn dirs(home: &TempDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.path()).unwrap().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.to_string_lossy().contains("farthing-demo-"))
        .collect()
}

/// Processes of the nodes.
fn pids(home: &TempDir) -> Vec<u32> {
    let dir = &dirs(home)[0];
    let pid = |id: u64| {
        let text =
            std::fs::read_to_string(dir.join(format!("cluster/node-{id}/node.pid"))).unwrap();
        let value: toml::Table = text.parse().unwrap();
        u32::try_from(value["pid"].as_integer().unwrap()).unwrap()
    };
    (1..=3).map(pid).collect()
}

/// Whether a process is there; one that waits for its parent to look is not.
fn is_there(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim()
            .starts_with(['Z', 'X'])
    })
}

fn wait_until_gone(pids: &[u32]) {
    let begun = Instant::now();
    while pids.iter().any(|pid| is_there(*pid)) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "nodes stay behind: {pids:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_leader_is_killed_at_the_prompt_and_writes_go_on() {
    let _turn = one_at_a_time();
    let home = tempfile::tempdir().unwrap();
    let (mut demo, mut at) = (Driven::at_terminal(demo(&home)), 0);
    let greeting = demo.wait_for(&mut at, "demo> ");
    assert!(greeting.contains("20,000 sample payments"), "{greeting}");
    let nodes = pids(&home);

    demo.write("account get 1\r");
    demo.wait_for(&mut at, "100.00");
    demo.write("load start 100\r");
    demo.wait_for(&mut at, "acknowledged/s");
    demo.write("kill-leader\r");
    demo.wait_for(&mut at, "which led, was killed");
    let said = demo.wait_for(&mut at, "leads in term");
    assert!(said.contains("The next write was acknowledged"), "{said}");
    demo.write("load stop\r");
    demo.wait_for(&mut at, "longest time");
    // At the prompt Ctrl-C ends everything.
    demo.wait_for(&mut at, "demo> ");
    demo.write("\u{3}");
    demo.wait_for(&mut at, "their directory is removed");
    assert!(demo.end().success(), "{}", demo.said());
    assert_eq!(dirs(&home), Vec::<PathBuf>::new());
    assert!(nodes.iter().all(|pid| !is_there(*pid)), "{nodes:?}");
}

#[test]
fn a_node_is_cut_off_and_connected_again_and_a_killed_demo_leaves_no_node() {
    let _turn = one_at_a_time();
    let home = tempfile::tempdir().unwrap();
    let (mut demo, mut at) = (Driven::piped(demo(&home)), 0);
    demo.write("partition leader\nstatus\n");
    demo.wait_for(&mut at, "which led, was cut off.");
    // The others elect another leader, and the one that is cut off answers nobody.
    let said = demo.wait_for(&mut at, "is cut off; `heal`");
    assert!(said.contains("The next write was acknowledged"), "{said}");
    assert_eq!(said.matches("no answer").count(), 1, "{said}");
    assert_eq!(said.matches("leader").count(), 1, "{said}");
    demo.write("heal\nverify\n");
    demo.wait_for(&mut at, "connected again");
    // All three have the same digest at one index, the one that was cut off among them.
    demo.wait_for(&mut at, "3 nodes have the same digest");
    // Two are not heard of: nothing is acknowledged, and it is said why.
    demo.write("pause follower\nkill follower\n");
    demo.wait_for(&mut at, "was paused");
    demo.wait_for(&mut at, "No write was acknowledged within");

    let nodes = pids(&home);
    demo.signal(Signal::KILL);
    wait_until_gone(&nodes);
}

#[test]
fn a_node_that_was_added_is_not_said_to_be_cut_off_and_a_demo_that_was_kept_goes_on() {
    let _turn = one_at_a_time();
    let home = tempfile::tempdir().unwrap();
    let mut kept = demo(&home);
    kept.args(["--keep", "--keep-going"]);
    let (mut demo, mut at) = (Driven::piped(kept), 0);
    demo.write("cluster add\npartition 4\n");
    demo.wait_for(&mut at, "added after the demo began");
    demo.write(
        "transfer create --id 77 --debit 1 --credit 2 --amount 1 --ledger 978 --code 1\nexit\n",
    );
    demo.wait_for(&mut at, "cluster up` starts them again");
    demo.end();
    let cluster = dirs(&home)[0].join("cluster");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
        command.arg("--dir").arg(&cluster).args(args);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text} {output:?}");
        text
    };
    run(&["cluster", "up"]);
    assert!(run(&["transfer", "get", "77"]).contains("1.00"));
    assert!(run(&["verify"]).contains("4 nodes have the same digest"));
    run(&["cluster", "down"]);
}
