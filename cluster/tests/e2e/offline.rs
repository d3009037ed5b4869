//! `farthing inspect`: the directory of a node that is stopped, whole and damaged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::support::Cluster;

/// Every file below a directory with its bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.insert(path.clone(), vec![]);
                dirs.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_directory_is_shown_unchanged_and_damage_is_found() {
    // Small segments are quick to read, and a short interval leaves the state in files.
    let cluster = Cluster::start_with(&[
        ("FARTHING_NODE_LOG_SEGMENT_BYTES", "8388608"),
        ("FARTHING_NODE_RUN_INTERVAL_MS", "100"),
    ]);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/sample/payments.csv");
    cluster.ok(["import", sample]);
    let level = cluster.wait_until_level();
    let applied = level["nodes"][0]["applied_index"].as_u64();
    cluster.wait_for("the state in files", |status| {
        status["nodes"][0]["state_durable_index"].as_u64() >= applied
    });
    let dir = cluster.path().join("cluster/node-1");
    let node = dir.to_str().unwrap();
    let busy = cluster.run(["inspect", node]);
    assert_eq!(busy.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&busy.stderr).contains("[BUSY]"));
    cluster.ok(["cluster", "down"]);

    let before = contents(&dir);
    let report = cluster.json(["inspect", "--verify", node]);
    let text = cluster.ok(["inspect", "--verify", node]);
    assert!(contents(&dir) == before, "something was changed");
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["identity"]["node_id"], 1);
    assert_eq!(report["members"]["members"].as_array().unwrap().len(), 3);
    assert_eq!(report["state"]["commit"]["transfer_count"], 20_000);
    let families = report["state"]["families"].as_array().unwrap();
    let rows = |name: &str| {
        let mut families = families.iter();
        families.find(|family| family["name"] == name).unwrap()["rows"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(rows("ids"), 20_000);
    let unread = cluster.json(["inspect", node]);
    let unread = unread["state"]["families"].as_array().unwrap();
    assert!(
        unread
            .iter()
            .any(|family| family["name"] == "ids" && family["rows"] == 20_000)
    );
    let segments = report["log"]["segments"].as_array().unwrap();
    assert!(segments[0]["records"].as_u64() > Some(3), "{report:#}");
    assert!(text.contains("Everything was read and is right"), "{text}");
    let told = |line: &str| line.starts_with("transfers ") && line.ends_with(" 20,000");
    assert!(text.lines().any(told), "{text}");

    // A bit of the state: found only when all of it is read.
    let state = dir.join("data/state/00000001");
    let largest = std::fs::read_dir(&state)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let largest = largest.filter(|path| path.extension().is_some_and(|end| end == "sst"));
    let largest = largest
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .unwrap();
    flip(&largest, 1_000);
    cluster.ok(["inspect", node]);
    let wrong = cluster.run(["inspect", "--verify", node]);
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert!(said.contains("WRONG: state: "), "{said}");
    flip(&largest, 1_000);

    // A bit of the log, in a record that later ones prove: told as the node would tell it.
    let segment = dir
        .join("data/log")
        .join(segments[0]["file"].as_str().unwrap());
    flip(&segment, 4096 + 3 * 64 + 20);
    let before = contents(&dir);
    let output = cluster.run(["-o", "json", "inspect", node]);
    assert_eq!(output.status.code(), Some(1));
    assert!(contents(&dir) == before, "something was changed");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["log"]["damage"]["offset"],
        4096 + 3 * 64,
        "{report:#}"
    );
    assert_eq!(
        report["log"]["damage"]["reason"],
        "the checksum does not match"
    );
    let told = report["problems"][0].as_str().unwrap();
    assert!(
        told.contains("the log is damaged") && told.contains("at byte 4288, record 4"),
        "{told}"
    );
    flip(&segment, 4096 + 3 * 64 + 20);

    // Whose it is: one of two files is enough to look at the rest, and it is told.
    flip(&dir.join("data/node.meta"), 14);
    let output = cluster.run(["-o", "json", "inspect", node]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["identity"]["node_id"]),
        (&false.into(), &1.into())
    );
    flip(&dir.join("data/node.meta"), 14);
    cluster.ok(["inspect", "--verify", node]);

    let nothing = cluster.run(["inspect", cluster.path().to_str().unwrap()]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("node.meta is missing"));
}

#[test]
fn a_configuration_is_checked_as_the_node_would() {
    let cluster = Cluster::start();
    let file = cluster.path().join("cluster/node-1/node.toml");
    let path = file.to_str().unwrap();
    let said = cluster.ok(["config", "check", path]);
    assert!(said.contains("a node would start with it"), "{said}");
    let shown = cluster.ok([
        "config",
        "show",
        "--origin",
        path,
        "--",
        "--heartbeat-ms",
        "50",
    ]);
    let line = |key: &str| {
        let mut lines = shown.lines();
        lines
            .find(|line| line.starts_with(key))
            .unwrap_or_default()
            .to_owned()
    };
    assert!(line("heartbeat_ms").ends_with("--heartbeat-ms"), "{shown}");
    assert!(line("node_id").contains("node.toml:"), "{shown}");
    assert!(line("run_transfers").ends_with("default"), "{shown}");

    let good = std::fs::read_to_string(&file).unwrap();
    let bad = cluster.path().join("bad.toml");
    std::fs::write(
        &bad,
        good.replace("node_id = 1", "node_id = 0\nheartbeat_mss = 3"),
    )
    .unwrap();
    let output = cluster.run(["config", "check", bad.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("node_id: it must be at least 1") && said.contains("perhaps heartbeat_ms"),
        "{said}"
    );
    let missing = cluster.run(["config", "check", "/nonexistent/node.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    let flags = cluster.run(["config", "show", "--", "--heartbeat-ms", "often"]);
    assert_eq!(flags.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&flags.stderr).contains("--heartbeat-ms"));
}
