//! The shape Farthing gives to Raft's moving parts, and the conversions between openraft's types and our own.
//!
//! Only this folder names openraft; everything outside speaks of [`LogId`], [`Member`] and plain numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use openraft::impls::leader_id_std;

use crate::cold;
use crate::log;
use crate::state::Outcome;

openraft::declare_raft_types!(
    /// Raft as Farthing runs it: one leader a term, entries are byte envelopes.
    pub(crate) TypeConfig:
        D = Command,
        R = Response,
        NodeId = u64,
        Node = Member,
        LeaderId = leader_id_std::LeaderId<u64, u64>,
        AsyncRuntime = Runtime,
);

#[cfg(not(feature = "simulation"))]
type Runtime = openraft::TokioRuntime;
#[cfg(feature = "simulation")]
type Runtime = super::runtime::Seeded;

pub(crate) type Raft = openraft::Raft<TypeConfig, super::machine::Machine>;
pub(crate) type RaftLogId = openraft::alias::LogIdOf<TypeConfig>;
pub(crate) type RaftVote = openraft::alias::VoteOf<TypeConfig>;
pub(crate) type RaftEntry = openraft::alias::EntryOf<TypeConfig>;
pub(crate) type RaftMembership = openraft::Membership<u64, Member>;
pub(crate) type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
pub(crate) type CommittedLeader = openraft::alias::CommittedLeaderIdOf<TypeConfig>;

/// Where a member of the cluster listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// `host:port` of the gRPC listener for clients.
    pub client_address: String,
    /// `host:port` of the listener for the other nodes.
    pub peer_address: String,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.peer_address)
    }
}

/// One entry envelope on its way through Raft. Cloning shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command(pub(crate) Bytes);

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What applying an entry answered: nothing for blank and membership entries.
#[derive(Debug, Clone)]
pub(crate) struct Response(pub(crate) Option<Arc<Outcome>>);

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", if self.0.is_some() { "outcome" } else { "none" })
    }
}

/// Position of an entry as the log and the state know it. The node part is not known to Raft's log ids (one leader a
/// term makes it redundant) and stays zero.
pub(crate) fn to_log_id(id: &RaftLogId) -> log::LogId {
    log::LogId {
        term: id.leader_id.term,
        node: 0,
        index: id.index,
    }
}

/// The reverse of [`to_log_id`].
pub(crate) fn from_log_id(id: &log::LogId) -> RaftLogId {
    RaftLogId::new(CommittedLeader::new(id.term), id.index)
}

/// A vote as the log keeps it.
pub(crate) fn to_vote(vote: &RaftVote) -> log::Vote {
    log::Vote {
        term: vote.leader_id.term,
        node: vote.leader_id.voted_for,
        committed: vote.committed,
    }
}

/// The reverse of [`to_vote`].
pub(crate) fn from_vote(vote: &log::Vote) -> RaftVote {
    let leader_id = leader_id_std::LeaderId {
        term: vote.term,
        voted_for: vote.node,
    };
    RaftVote {
        leader_id,
        committed: vote.committed,
    }
}

/// A membership at rest: our own mirror, so that openraft's layout may change under us.
#[derive(Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub(crate) struct MembershipRecord {
    /// Voter sets; two while a change is under way.
    pub(crate) configs: Vec<Vec<u64>>,
    /// Every member, voter or learner: id, client address, peer address.
    pub(crate) members: Vec<(u64, String, String)>,
}

/// Bytes of a membership entry.
pub(crate) fn encode_membership(membership: &RaftMembership) -> std::io::Result<Bytes> {
    let record = MembershipRecord {
        configs: membership
            .get_joint_config()
            .iter()
            .map(|set| set.iter().copied().collect())
            .collect(),
        members: membership
            .nodes()
            .map(|(id, m)| (*id, m.client_address.clone(), m.peer_address.clone()))
            .collect(),
    };
    cold::encode(cold::Kind::Membership, &record)
        .map(Bytes::from)
        .map_err(std::io::Error::other)
}

/// The reverse of [`encode_membership`]; refuses bytes that are no membership.
pub(crate) fn decode_membership(bytes: &[u8]) -> std::io::Result<RaftMembership> {
    let invalid = |why: String| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    let record: MembershipRecord =
        cold::decode(cold::Kind::Membership, bytes).map_err(|error| invalid(error.to_string()))?;
    let configs: Vec<BTreeSet<u64>> = record
        .configs
        .into_iter()
        .map(|set| set.into_iter().collect())
        .collect();
    let members: BTreeMap<u64, Member> = record
        .members
        .into_iter()
        .map(|(id, client_address, peer_address)| {
            (
                id,
                Member {
                    client_address,
                    peer_address,
                },
            )
        })
        .collect();
    RaftMembership::new(configs, members).map_err(|error| invalid(error.to_string()))
}

/// An entry as the log stores it.
pub(crate) fn to_log_entry(entry: &RaftEntry) -> std::io::Result<log::Entry> {
    use openraft::EntryPayload::{Blank, Membership, Normal};
    let (kind, payload) = match &entry.payload {
        Blank => (log::EntryKind::Blank, Bytes::new()),
        Normal(command) => (log::EntryKind::Normal, command.0.clone()),
        Membership(membership) => (log::EntryKind::Membership, encode_membership(membership)?),
    };
    Ok(log::Entry {
        log_id: to_log_id(&entry.log_id),
        kind,
        payload,
    })
}

/// The reverse of [`to_log_entry`].
pub(crate) fn from_log_entry(entry: log::Entry) -> std::io::Result<RaftEntry> {
    use openraft::EntryPayload;
    let payload = match entry.kind {
        log::EntryKind::Blank => EntryPayload::Blank,
        log::EntryKind::Normal => EntryPayload::Normal(Command(entry.payload)),
        log::EntryKind::Membership => EntryPayload::Membership(decode_membership(&entry.payload)?),
    };
    Ok(RaftEntry {
        log_id: from_log_id(&entry.log_id),
        payload,
    })
}
