//! Exported histories and proofs: the same from every node, and checked without the cluster.

use std::path::Path;

use serde_json::Value;

use super::super::support::Cluster;

/// The words of a line; paths in it have no spaces.
fn words(line: &str) -> Vec<String> {
    line.split(' ').map(ToOwned::to_owned).collect()
}

/// What a command that must fail with this status says.
fn fails(cluster: &Cluster, args: Vec<String>, status: i32) -> String {
    let output = cluster.run(&args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    said
}

/// A cluster with accounts 1 and 2 and a payment or two.
fn with_payments(count: u64) -> Cluster {
    let cluster = Cluster::start();
    cluster.ok(words("ledger create 840 --currency USD --scale 2"));
    for id in ["1", "2"] {
        cluster.ok(words(&format!(
            "account create --id {id} --ledger 840 --code 10"
        )));
    }
    for id in 1..=count {
        cluster.ok(words(&format!(
            "transfer create --id {} --debit 1 --credit 2 --amount 0.25 --ledger 840 --code 1",
            100 + id
        )));
    }
    cluster
}

/// The size of a node's newest checkpoint, once it covers everything.
fn size(cluster: &Cluster) -> u64 {
    let mut last = 0;
    loop {
        let shown: Value =
            serde_json::from_str(&cluster.ok(words("-o json events checkpoint"))).unwrap();
        let size = shown["size"].as_u64().unwrap();
        if size == last && size > 4 {
            return size;
        }
        last = size;
        std::thread::sleep(std::time::Duration::from_millis(1_500));
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn two_nodes_export_the_same_history_and_anybody_can_check_it() {
    let cluster = with_payments(3);
    let last = size(&cluster);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    for node in [1, 2] {
        let out = file(&format!("{node}.ndjson"));
        cluster.ok(words(&format!(
            "events export --node {node} --until {last} --out {}",
            out.display()
        )));
    }
    let (one, two) = (lines(&file("1.ndjson")), lines(&file("2.ndjson")));
    assert_eq!(
        one.len() as u64,
        last + 2,
        "a header, the events, a checkpoint"
    );
    assert_eq!(one[..one.len() - 1], two[..two.len() - 1]);
    let path = file("1.ndjson").display().to_string();
    // By the keys in the cluster's log.
    let text = cluster.ok(words(&format!("verify --proof {path}")));
    assert!(text.contains("node-"), "{text}");
    // In parts that follow each other.
    let middle = last / 2;
    let (head, tail) = (file("head.ndjson"), file("tail.ndjson"));
    let (head, tail) = (head.display(), tail.display());
    cluster.ok(words(&format!(
        "events export --until {middle} --out {head}"
    )));
    cluster.ok(words(&format!(
        "events export --from {} --until {last} --out {tail}",
        middle + 1
    )));
    cluster.ok(words(&format!("verify --proof {head} {tail}")));
    let said = fails(&cluster, words(&format!("verify --proof {tail} {head}")), 1);
    assert!(said.contains("not everything is what was signed"), "{said}");
    // An amount that somebody would rather have had, and an event less.
    let altered = std::fs::read_to_string(file("1.ndjson")).unwrap();
    let wrong = file("wrong.ndjson");
    std::fs::write(&wrong, altered.replacen("\"25\"", "\"26\"", 1)).unwrap();
    assert_ne!(std::fs::read_to_string(&wrong).unwrap(), altered);
    fails(
        &cluster,
        words(&format!("verify --proof {}", wrong.display())),
        1,
    );
    let mut short = one.clone();
    short.remove(3);
    std::fs::write(&wrong, short.join("\n") + "\n").unwrap();
    fails(
        &cluster,
        words(&format!("verify --proof {}", wrong.display())),
        1,
    );
    // What is there stays.
    let again = fails(&cluster, words(&format!("events export --out {path}")), 2);
    assert!(again.contains("is there already"), "{again}");
    let none = fails(
        &cluster,
        words(&format!("events export --from {}", last + 1_000)),
        2,
    );
    assert!(none.contains("the last one is"), "{none}");
}

#[test]
fn a_proof_outlives_the_cluster_that_gave_it() {
    let cluster = with_payments(2);
    let last = size(&cluster);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let shown: Value =
        serde_json::from_str(&cluster.ok(words("-o json events checkpoint"))).unwrap();
    let earlier = file("earlier", shown["note"].as_str().unwrap());
    let proof = file("event", &cluster.ok(words(&format!("events prove {last}"))));
    cluster.ok(words(
        "transfer create --id 900 --debit 1 --credit 2 --amount 1 --ledger 840 --code 1",
    ));
    size(&cluster);
    let grown = cluster.ok(words(&format!("events prove --since {earlier}")));
    let grown = file("grown", &grown);
    cluster.ok(words(&format!("verify --proof {proof} {grown}")));
    let key = shown["public_key"].as_str().unwrap().to_owned();
    let altered = std::fs::read_to_string(&proof).unwrap();
    let at = altered.find("\"path\":[\"").unwrap() + 9;
    let other = if &altered[at..=at] == "0" { "1" } else { "0" };
    let altered = file(
        "altered",
        &format!("{}{other}{}", &altered[..at], &altered[at + 1..]),
    );
    fails(
        &cluster,
        words(&format!("verify --proof {altered} --key {key}")),
        1,
    );
}
