//! `DIR/members.meta`: the last membership this node knew, beside its log and its state.
//!
//! A node whose state is damaged and whose log no longer reaches back to the last change of members could not say
//! otherwise whom to ask for help. Nothing else is decided by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bincode::{Decode, Encode};
use openraft::async_runtime::watch::WatchReceiver as _;

use super::blocking;
use super::types::{Member, Raft, RaftMembership, decode_membership, encode_membership};
use crate::{cold, meta};

/// The file in the node's directory.
const FILE: &str = "members.meta";
/// Pause after a membership could not be written.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Encode, Decode)]
struct Stored {
    /// Log index of the membership.
    index: u64,
    /// As in the log.
    membership: Vec<u8>,
}

/// What was written last, with its log index. A file that cannot be read is no more than missing.
pub(super) fn read(dir: &Path) -> Option<(u64, RaftMembership)> {
    let bytes = std::fs::read(dir.join(FILE)).ok()?;
    match from_bytes(&bytes) {
        Ok(found) => Some(found),
        Err(error) => {
            tracing::error!(%error, "{FILE} is damaged and not used; it is written again with the next membership");
            None
        }
    }
}

/// Reads [`to_bytes`].
pub(super) fn from_bytes(bytes: &[u8]) -> std::io::Result<(u64, RaftMembership)> {
    let stored: Stored = cold::decode(cold::Kind::Members, bytes).map_err(std::io::Error::other)?;
    Ok((stored.index, decode_membership(&stored.membership)?))
}

/// The bytes of the file.
pub(super) fn to_bytes(index: u64, membership: &RaftMembership) -> std::io::Result<Vec<u8>> {
    let stored = Stored {
        index,
        membership: encode_membership(membership)?.to_vec(),
    };
    cold::encode(cold::Kind::Members, &stored).map_err(std::io::Error::other)
}

fn write(dir: &Path, index: u64, membership: &RaftMembership) -> std::io::Result<()> {
    meta::replace(dir, FILE, &to_bytes(index, membership)?)
}

/// Whether anybody but node `own` is known who could give back what this directory has lost: by the last membership, or
/// by the founders a node is told of.
pub fn has_others(dir: &Path, founders: &BTreeMap<u64, Member>, own: u64) -> bool {
    match read(dir) {
        Some((_, membership)) => membership.nodes().any(|(id, _)| *id != own),
        None => founders.keys().any(|id| *id != own),
    }
}

/// Keeps the file at the membership that Raft goes by, until Raft ends.
pub(super) async fn keep_saved(raft: Raft, dir: PathBuf) {
    let mut metrics = raft.metrics();
    let mut written = None;
    loop {
        let found = metrics.borrow_watched().membership_config.clone();
        let at = found.log_id().as_ref().map(|id| id.index);
        if let Some(index) = at
            && written != at
        {
            let (dir, membership) = (dir.clone(), found.membership().clone());
            let saved = blocking::run(move || write(&dir, index, &membership)).await;
            match saved {
                Ok(Ok(())) => written = at,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "{FILE} could not be written; trying again");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Err(_) => return, // the runtime ends
            }
        }
        if metrics.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    fn membership(ids: &[u64]) -> RaftMembership {
        let voters: BTreeSet<u64> = ids.iter().copied().collect();
        let member = |id: &u64| Member {
            client_address: format!("c{id}"),
            peer_address: format!("p{id}"),
        };
        let members: BTreeMap<u64, Member> = ids.iter().map(|id| (*id, member(id))).collect();
        RaftMembership::new(vec![voters], members).unwrap()
    }

    #[test]
    fn the_last_membership_is_who_could_help() {
        let dir = tempfile::tempdir().unwrap();
        let founders = BTreeMap::from([(1, Member::default()), (2, Member::default())]);
        let alone = BTreeMap::from([(1, Member::default())]);
        assert!(has_others(dir.path(), &founders, 1));
        assert!(!has_others(dir.path(), &alone, 1));
        // A node that joined is told of nobody; a cluster of two became one of one.
        write(dir.path(), 7, &membership(&[3, 4])).unwrap();
        assert!(has_others(dir.path(), &BTreeMap::new(), 4));
        write(dir.path(), 9, &membership(&[1])).unwrap();
        assert!(!has_others(dir.path(), &founders, 1));
        assert_eq!(read(dir.path()), Some((9, membership(&[1]))));
        std::fs::write(dir.path().join(FILE), b"?").unwrap();
        assert_eq!(read(dir.path()), None);
    }

    /// The bytes are a promise to later versions.
    #[test]
    fn the_file_has_these_bytes() {
        let stored = Stored {
            index: 300,
            membership: b"m".to_vec(),
        };
        let bytes = cold::encode(cold::Kind::Members, &stored).unwrap();
        assert_eq!(&bytes[..12], b"FART\x01\x00\x07\x00\x05\x00\x00\x00");
        assert_eq!(&bytes[16..], b"\xfb\x2c\x01\x01m");
    }
}
