//! A new cluster: its id and its addresses.

use std::fs;

use super::layout::{Description, Layout, NodeEntry, write_whole};
use super::node_config;
pub(crate) use super::ports::free_addresses;
use crate::failure::{Code, Failure};

/// Nodes of a cluster at most: more voters make every write wait for more disks.
pub(super) const NODES_MAX: u64 = 9;

/// The cluster that is there, if it has the wanted number of nodes.
///
/// # Errors
/// [`Code::Usage`] when it has another.
pub(super) fn same_size(
    description: Description,
    wanted: Option<u64>,
) -> Result<Description, Failure> {
    let there = description.nodes.len() as u64;
    match wanted {
        Some(wanted) if wanted != there => Err(Failure::new(
            Code::Usage,
            format!("the cluster has {there} nodes, not {wanted}"),
        )
        .advise("leave --nodes out, or name an empty directory with --dir")),
        _ => Ok(description),
    }
}

/// Makes a cluster of so many nodes: nothing but its description is written.
///
/// # Errors
/// [`Code::Usage`] for a number out of range, [`Code::Process`] when there are no free ports, [`Code::Io`].
pub(super) fn create(layout: &Layout, nodes: u64) -> Result<Description, Failure> {
    if nodes == 0 || nodes > NODES_MAX {
        return Err(Failure::new(
            Code::Usage,
            format!("a cluster has 1 to {NODES_MAX} nodes, not {nodes}"),
        ));
    }
    let addresses = free_addresses(2 * nodes as usize)?;
    let entries = (1..=nodes)
        .zip(addresses.chunks_exact(2))
        .map(|(id, pair)| NodeEntry {
            id,
            client_address: pair[0],
            peer_address: pair[1],
        })
        .collect();
    layout.save(random_uuid(), entries)
}

/// Makes the cluster's directory.
///
/// # Errors
/// [`Code::Io`].
pub(crate) fn make_dir(layout: &Layout) -> Result<(), Failure> {
    let dir = layout.dir();
    fs::create_dir_all(dir).map_err(|error| Failure::io("make the directory", dir, &error))
}

/// Makes a founding node's directory and writes its configuration: it listens where `node` says, and everybody knows
/// it by what the description says.
///
/// # Errors
/// [`Code::Io`].
pub(crate) fn write_config(
    layout: &Layout,
    description: &Description,
    node: &NodeEntry,
) -> Result<(), Failure> {
    let dir = layout.node_dir(node.id);
    fs::create_dir_all(&dir).map_err(|error| Failure::io("make the directory", &dir, &error))?;
    let text = node_config::render(description, node)?;
    write_whole(&layout.node_config(node.id), text.as_bytes())
}

/// A random (version 4) UUID.
pub(crate) fn random_uuid() -> String {
    let random: u128 = rand::random();
    let bits = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    crate::output::uuid(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_say_their_version_and_differ() {
        let uuid = random_uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        assert_ne!(uuid, random_uuid());
    }

    #[test]
    fn a_cluster_is_made_once_with_its_ports() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        assert_eq!(create(&layout, 0).unwrap_err().code, Code::Usage);
        let made = create(&layout, 3).unwrap();
        assert_eq!(layout.existing().unwrap(), made);
        assert_eq!(same_size(made.clone(), None).unwrap(), made);
        assert_eq!(same_size(made, Some(5)).unwrap_err().code, Code::Usage);
    }
}
