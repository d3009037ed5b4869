//! A process that is pointed at the wrong directory, address or configuration does not start, says why with its own exit
//! code, and leaves everything as it was.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::Duration;

use support::{Cluster, Exit, account, fresh_id, fresh_ledger, run_to_exit, uuid};

fn expect(exit: &Exit, code: i32, words: &[&str]) {
    assert_eq!(exit.code, Some(code), "{exit:?}");
    for word in words {
        assert!(exit.stderr.contains(word), "{word:?} is not said: {exit:?}");
    }
}

/// A node with an account on it, ended.
async fn ended_node() -> (Cluster, u128) {
    let cluster = Cluster::start(1);
    let id = fresh_id();
    cluster
        .leader_client()
        .await
        .create_accounts(&[account(id, fresh_ledger())])
        .await
        .unwrap();
    let (exit, _) = cluster.node(1).terminate().await;
    expect(&exit, 0, &[]);
    (cluster, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_of_another_node_or_cluster_is_refused() {
    let (cluster, id) = ended_node().await;
    let node = cluster.node(1);
    let other = uuid(fresh_id());
    let own = format!("{:032x}", cluster.cluster_id);
    let dir = node.dir.to_str().unwrap();
    for changed in [("--node-id", "2"), ("--cluster-id", other.as_str())] {
        let exit = node.start_refused(&[changed]);
        // Whose it is, who came, and what to look at.
        expect(
            &exit,
            5,
            &[
                "belongs to node 1 of cluster",
                &own,
                dir,
                "check dir, node_id and cluster_id",
            ],
        );
    }
    node.start();
    assert_eq!(
        cluster.leader_client().await.account(id).await.id.0,
        id,
        "the refused starts changed something"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_a_directory_is_refused() {
    let cluster = Cluster::start(1);
    let id = fresh_id();
    let client = cluster.leader_client().await;
    client
        .create_accounts(&[account(id, fresh_ledger())])
        .await
        .unwrap();
    let node = cluster.node(1);
    // With addresses of its own, so that only the directory is in its way.
    let exit = node.start_refused(&[
        ("--client-address", "127.0.0.1:0"),
        ("--peer-address", "127.0.0.1:0"),
    ]);
    expect(
        &exit,
        1,
        &[node.dir.to_str().unwrap(), "in use by another process"],
    );
    assert_eq!(
        client.account(id).await.id.0,
        id,
        "the first process no longer serves"
    );
    let digest = client.digest().await.unwrap();
    node.kill();
    node.start();
    let (index, _) = cluster.leader_client().await.digest().await.unwrap();
    assert!(index >= digest.0);
    assert_eq!(cluster.leader_client().await.account(id).await.id.0, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken_is_refused() {
    let (cluster, _) = ended_node().await;
    let node = cluster.node(1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--client-address", "--peer-address"] {
        let exit = node.start_refused(&[(flag, &address)]);
        expect(&exit, 1, &["cannot listen on", &address]);
    }
    node.start();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_identity_is_not_replaced_by_a_new_one() {
    let (cluster, _) = ended_node().await;
    let node = cluster.node(1);
    let path = node.dir.join("node.meta");
    let copy = node.dir.join("node.meta.copy");
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&flipped[..], &good[..good.len() - 1], &[]] {
        std::fs::write(&path, damaged).unwrap();
        std::fs::write(&copy, damaged).unwrap();
        let exit = node.start_refused(&[]);
        expect(&exit, 4, &[path.to_str().unwrap()]);
        assert_eq!(
            std::fs::read(&path).unwrap(),
            damaged,
            "the damage was overwritten"
        );
    }
    // One of the two is enough.
    std::fs::write(&copy, good).unwrap();
    node.start();
}

/// Flags with their values.
type Flags<'a> = &'a [(&'a str, &'a str)];

/// Wrong settings: exit code 2, the setting is named, and nothing is created.
#[test]
fn settings_that_cannot_work() {
    let dir = tempfile::tempdir().unwrap();
    let node_dir = dir.path().join("node");
    let file = dir.path().join("node.toml");
    std::fs::write(&file, "nod_id = 7\n").unwrap();
    let missing = dir.path().join("missing.toml");
    let (node_dir, file, missing) = (
        node_dir.to_str().unwrap(),
        file.to_str().unwrap(),
        missing.to_str().unwrap(),
    );
    let cluster_id = uuid(fresh_id());
    let good = [
        ("--dir", node_dir),
        ("--node-id", "1"),
        ("--cluster-id", cluster_id.as_str()),
        ("--client-address", "127.0.0.1:0"),
        ("--peer-address", "127.0.0.1:0"),
    ];
    let mut rows: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (left_out, _) in good {
        let arguments = good
            .iter()
            .filter(|(flag, _)| *flag != left_out)
            .flat_map(|(flag, value)| [*flag, *value]);
        // Whoever left it out learns of all the ways to give it.
        rows.push((
            arguments.collect(),
            vec!["is not set", left_out, "FARTHING_NODE_"],
        ));
    }
    let more: [(Flags<'_>, &[&str]); 17] = [
        (&[("--node-id", "0")], &["node_id"]),
        (&[("--node-id", "-1")], &["-1"]),
        (&[("--node-id", "one")], &["--node-id"]),
        (&[("--cluster-id", "x")], &["cluster_id"]),
        (
            &[("--cluster-id", "00000000-0000-0000-0000-000000000000")],
            &["cluster_id", "zero"],
        ),
        (
            &[("--client-address", "0.0.0.0:0")],
            &["client_address", "loopback"],
        ),
        (
            &[("--peer-address", "0.0.0.0:0")],
            &["peer_address", "loopback"],
        ),
        (&[("--client-address", "nowhere")], &["client_address"]),
        (&[("--member", "1")], &["members"]),
        (&[("--member", "1=a:1")], &["members"]),
        (
            &[("--member", "1=a:1,a:2"), ("--member", "1=b:1,b:2")],
            &["members", "twice"],
        ),
        (&[("--heartbeat-ms", "0")], &["election_timeout_min_ms"]),
        (
            &[("--election-timeout-min-ms", "900")],
            &["election_timeout_min_ms"],
        ),
        (&[("--log-segment-bytes", "1")], &["segment_bytes"]),
        (&[("--log-format", "poetry")], &["--log-format"]),
        (&[("--config", file)], &["nod_id", file]),
        (&[("--config", missing)], &[missing]),
    ];
    for (flags, words) in more {
        let kept = good
            .iter()
            .filter(|(flag, _)| !flags.iter().any(|(changed, _)| changed == flag));
        let arguments = kept.chain(flags).flat_map(|(flag, value)| [*flag, *value]);
        rows.push((arguments.collect(), words.to_vec()));
    }
    rows.push((vec!["--no-such-flag"], vec!["--no-such-flag"]));
    for (arguments, words) in rows {
        let exit = run_to_exit(&arguments, Duration::from_secs(10));
        assert_eq!(exit.code, Some(2), "{arguments:?}: {exit:?}");
        for word in words {
            assert!(
                exit.stderr.contains(word),
                "{word:?} is not said to {arguments:?}: {exit:?}"
            );
        }
        assert!(
            !std::path::Path::new(node_dir).exists(),
            "{arguments:?} created the directory"
        );
    }
    for asked in ["--help", "--version"] {
        assert_eq!(
            run_to_exit(&[asked], Duration::from_secs(10)).code,
            Some(0),
            "{asked}"
        );
    }
}
