//! Which source wins, and what is refused.
#![allow(clippy::unwrap_used)]

use clap::Parser;

use super::*;

fn load(arguments: &[&str]) -> Result<Config, Error> {
    let required = [
        "farthing-node",
        "--dir",
        "d",
        "--node-id",
        "1",
        "--cluster-id",
        "00000000-0000-0000-0000-000000000001",
        "--client-address",
        "127.0.0.1:1",
        "--peer-address",
        "127.0.0.1:2",
    ];
    Config::load(Flags::try_parse_from(required.iter().chain(arguments)).unwrap())
}

#[test]
fn defaults_are_complete_and_a_lone_node_is_its_own_cluster() {
    let config = load(&[]).unwrap();
    assert_eq!(config.members.len(), 1);
    assert_eq!(config.log_keep_bytes, 1 << 30);
}

#[test]
fn a_node_that_joins_has_no_members_of_its_own() {
    assert!(load(&["--join"]).unwrap().members.is_empty());
    let error = load(&["--join", "--member", "1=a:1,a:2"]).unwrap_err();
    assert!(error.to_string().contains("leave them out"), "{error}");
}

#[test]
fn members_are_read_and_doubles_refused() {
    let config = load(&[
        "--member",
        "1=127.0.0.1:1,127.0.0.1:2",
        "--member",
        "2=h:3,h:4",
    ])
    .unwrap();
    assert_eq!(config.members[&2].peer_address, "h:4");
    let twice = load(&["--member", "1=a:1,a:2", "--member", "1=b:1,b:2"]).unwrap_err();
    assert!(twice.to_string().contains("listed twice"), "{twice}");
    let zero = load(&["--member", "0=a:1,a:2"]).unwrap_err();
    assert!(zero.to_string().contains("0 is no node id"), "{zero}");
    assert!(load(&["--member", "x"]).is_err());
}

#[test]
fn what_cannot_work_is_refused_with_a_reason() {
    let error = load(&["--heartbeat-ms", "400"]).unwrap_err().to_string();
    assert!(error.contains("heartbeats"), "{error}");
    assert!(load(&["--heartbeat-ms", "6148914691236517206"]).is_err());
    let flags = Flags::try_parse_from(["farthing-node", "--node-id", "1"]).unwrap();
    let error = Config::load(flags).unwrap_err().to_string();
    assert!(
        error.contains("cluster_id is not set") && error.contains("FARTHING_NODE_CLUSTER_ID"),
        "{error}"
    );
}

#[test]
fn connections_are_bounded_whatever_is_said() {
    let connections = load(&[]).unwrap().connections;
    assert_eq!(
        (connections.max, connections.preface.as_secs()),
        (10_000, 10)
    );
    let connections = load(&["--connections-max", "5", "--connections-preface-ms", "700"])
        .unwrap()
        .connections;
    assert_eq!((connections.max, connections.preface.as_millis()), (5, 700));
    for (flag, value) in [
        ("--connections-max", "0"),
        ("--connections-preface-ms", "10001"),
        ("--connections-preface-ms", "0"),
        ("--connections-keepalive-ms", "0"),
        ("--connections-keepalive-timeout-ms", "0"),
    ] {
        let error = load(&[flag, value]).unwrap_err().to_string();
        assert!(error.starts_with("connections."), "{flag} {value}: {error}");
    }
}

#[test]
fn other_addresses_than_loopback_wait_for_transport_security() {
    let flags = Flags::try_parse_from([
        "farthing-node",
        "--dir",
        "d",
        "--node-id",
        "1",
        "--cluster-id",
        "00000000000000000000000000000001",
        "--client-address",
        "0.0.0.0:1",
        "--peer-address",
        "127.0.0.1:2",
    ]);
    assert!(
        Config::load(flags.unwrap())
            .unwrap_err()
            .to_string()
            .contains("loopback")
    );
}

#[test]
fn a_file_is_overridden_by_flags_and_unknown_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.toml");
    std::fs::write(
        &path,
        "node_id = 7\nheartbeat_ms = 50\n[log]\nkeep_bytes = 5\n",
    )
    .unwrap();
    let config = load(&["--config", path.to_str().unwrap(), "--heartbeat-ms", "60"]).unwrap();
    assert_eq!(
        (config.node_id, config.heartbeat_ms, config.log_keep_bytes),
        (1, 60, 5)
    );
    std::fs::write(&path, "nod_id = 7\n").unwrap();
    let error = load(&["--config", path.to_str().unwrap()])
        .unwrap_err()
        .to_string();
    assert!(error.contains("nod_id"), "{error}");
}
