//! Who calls whom between nodes: written into every call, checked on every call.

use tonic::Status;
use tonic::metadata::MetadataMap;

use super::types::RaftVote;

/// Metadata of every peer call.
const CLUSTER_ID: &str = "farthing-cluster-id";
const FROM: &str = "farthing-from";
const TO: &str = "farthing-to";

/// Which node of which cluster this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) cluster_id: u128,
    pub(crate) node_id: u64,
}

impl Identity {
    /// Writes who calls whom into outgoing metadata.
    pub(crate) fn stamp(&self, metadata: &mut MetadataMap, to: u64) {
        let values = [
            (CLUSTER_ID, format!("{:032x}", self.cluster_id)),
            (FROM, self.node_id.to_string()),
            (TO, to.to_string()),
        ];
        for (key, value) in values {
            if let Ok(value) = value.parse() {
                metadata.insert(key, value);
            }
        }
    }

    /// Refuses a call from another cluster or meant for another node: a reused address must not mix two clusters.
    pub(crate) fn check(&self, metadata: &MetadataMap) -> Result<u64, Status> {
        let text = |key: &str| {
            metadata
                .get(key)
                .and_then(|value| value.to_str().ok())
                .ok_or_else(|| {
                    Status::unauthenticated(format!(
                        "metadata {key} is missing: this is a peer listener"
                    ))
                })
        };
        let cluster_id = text(CLUSTER_ID)?;
        if u128::from_str_radix(cluster_id, 16) != Ok(self.cluster_id) {
            let why = format!(
                "this node belongs to cluster {:032x}, the caller to {cluster_id}",
                self.cluster_id
            );
            return Err(Status::failed_precondition(why));
        }
        let to = text(TO)?;
        if to.parse() != Ok(self.node_id) {
            let why = format!("this is node {}, the call is for node {to}", self.node_id);
            return Err(Status::failed_precondition(why));
        }
        text(FROM)?
            .parse()
            .map_err(|_| Status::unauthenticated("metadata farthing-from is no node id"))
    }
}

/// Refuses a node that speaks for another: votes, appends and snapshots carry the sender's own vote. Whether the sender
/// is a member cannot be asked here, because a node that is behind may not know its leader's membership yet.
pub(super) fn speaks_for_itself(from: u64, vote: &RaftVote) -> Result<(), Status> {
    let named = vote.leader_id.voted_for;
    if named == from {
        return Ok(());
    }
    Err(Status::permission_denied(format!(
        "node {from} speaks for node {named}"
    )))
}
