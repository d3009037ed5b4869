//! The configuration written for a node.

use serde::Serialize;

use super::layout::{Description, NodeEntry};
use crate::failure::{Code, Failure};

#[derive(Serialize)]
struct NodeConfig<'a> {
    /// Relative to the node's directory, which is also its working directory, so that DIR can be moved.
    dir: &'a str,
    node_id: u64,
    cluster_id: &'a str,
    client_address: String,
    peer_address: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    join: bool,
    #[serde(skip_serializing_if = "<[NodeEntry]>::is_empty")]
    members: &'a [NodeEntry],
}

/// The text of the `node.toml` of a node that founds the cluster with the others.
///
/// # Errors
/// [`Code::Internal`] when it cannot be encoded, which would be a bug.
pub(super) fn render(description: &Description, node: &NodeEntry) -> Result<String, Failure> {
    let about = "# The members are those the cluster began with, the same on every node.";
    text(description, node, &description.nodes, about)
}

/// The text of the `node.toml` of a node that joins a cluster that runs.
///
/// # Errors
/// As [`render`].
pub(super) fn render_joining(
    description: &Description,
    node: &NodeEntry,
) -> Result<String, Failure> {
    let about = "# It joined a cluster that ran already and learned its members from the leader.";
    text(description, node, &[], about)
}

fn text(
    description: &Description,
    node: &NodeEntry,
    members: &[NodeEntry],
    about: &str,
) -> Result<String, Failure> {
    let config = NodeConfig {
        dir: "data",
        node_id: node.id,
        cluster_id: &description.cluster_id,
        client_address: node.client_address.to_string(),
        peer_address: node.peer_address.to_string(),
        join: members.is_empty(),
        members,
    };
    let text = toml::to_string(&config).map_err(|error| {
        Failure::new(Code::Internal, "cannot encode a node's configuration").because(error)
    })?;
    Ok(format!(
        "# Made by `farthing cluster`, which never writes it again: edit it, then restart the node.\n{about}\n{text}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_node_and_all_members() {
        let node = |id: u64| NodeEntry {
            id,
            client_address: format!("127.0.0.1:{}", 4_000 + id).parse().unwrap(),
            peer_address: format!("127.0.0.1:{}", 5_000 + id).parse().unwrap(),
        };
        let description = Description {
            format_version: 1,
            cluster_id: "0b7e5f6a-0000-4000-8000-000000000001".into(),
            nodes: vec![node(1), node(2)],
        };
        let text = render(&description, &description.nodes[1]).unwrap();
        let value: toml::Table = text.parse().unwrap();
        assert_eq!(value["node_id"].as_integer(), Some(2));
        assert_eq!(value["dir"].as_str(), Some("data"));
        assert_eq!(value["client_address"].as_str(), Some("127.0.0.1:4002"));
        let members = value["members"].as_array().unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(members[0]["peer_address"].as_str(), Some("127.0.0.1:5001"));
    }
}
