//! Metadata that travels beside every message.
//!
//! A client that knows the cluster's id sends it with each call; a node of another
//! cluster refuses. Replies carry the id as well, so that a client that did not know
//! it learns it from its first answer and holds every later answer to it.

use tonic::metadata::{MetadataMap, MetadataValue};

use crate::convert::id::{format_id, parse_id};

/// Metadata key of the cluster id, a UUID.
pub const CLUSTER_ID: &str = "farthing-cluster-id";

/// Writes the cluster id into a call's or a reply's metadata.
pub fn set_cluster_id(metadata: &mut MetadataMap, cluster_id: u128) {
    // A UUID is always a valid ASCII value; the else branch cannot be reached.
    if let Ok(value) = MetadataValue::try_from(format_id(cluster_id)) {
        metadata.insert(CLUSTER_ID, value);
    }
}

/// The cluster id in a call's or a reply's metadata.
///
/// # Errors
/// The text of the value, when there is one that is not an id. A value that cannot
/// be read is never taken for a missing one.
pub fn cluster_id(metadata: &MetadataMap) -> Result<Option<u128>, String> {
    let Some(value) = metadata.get(CLUSTER_ID) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| "not ASCII text".to_owned())?;
    parse_id(text).map(Some).map_err(|_| text.to_owned())
}
