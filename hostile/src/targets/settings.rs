//! Configuration files.

use farthing_node::fuzzing::settings;

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "settings",
    run,
    seeds,
    words: &[
        "\nnode_id = ",
        "\njoin = true\n",
        "\nid = 0\n",
        "\n[[members]]\nid = ",
        "\n[disk]\n",
        "\n[log]\nsegment_bytes = ",
        "heartbeat_ms = ",
        "18446744073709551615",
        "-1",
        "\"127.0.0.1:3001\"",
        "election_timeout_max_ms = ",
    ],
};

fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // Every dot of a key is a table.
    let config = match within(2_048 * text.len() + (64 << 10), || settings(text)) {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(config.node_id >= 1 && config.cluster_id != 0);
    let (shortest, longest) = config.election_timeout_ms;
    assert!(config.heartbeat_ms >= 1 && config.heartbeat_ms <= shortest / 3 && shortest < longest);
    assert!(config.log_segment_bytes >= 8 << 20 && config.run_transfers >= 1);
    assert!(!config.members.contains_key(&0), "0 is no node id");
    for address in [&config.client_address, &config.peer_address] {
        let address: std::net::SocketAddr = address.parse().expect("an address");
        assert!(address.ip().is_loopback());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let whole = "dir = \"data\"\nnode_id = 1\ncluster_id = \"01890a5d-ac96-774b-bcce-b302099a8057\"\n\
        client_address = \"127.0.0.1:3001\"\npeer_address = \"127.0.0.1:3002\"\nheartbeat_ms = 100\n\
        election_timeout_min_ms = 500\nelection_timeout_max_ms = 800\nlog_format = \"json\"\n";
    let member = "[[members]]\nid = 1\nclient_address = \"127.0.0.1:3001\"\npeer_address = \"127.0.0.1:3002\"\n";
    let disk = "[disk]\nballast_bytes = 0\nquota_bytes = 1000000\n[log]\nsegment_bytes = 8388608\n";
    [
        String::new(),
        whole.to_owned(),
        format!("{whole}{member}{disk}"),
        format!("{whole}join = true\n{disk}"),
        // 0 is no member's id.
        format!("{whole}{}", member.replace("id = 1", "id = 0")),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}
