//! Where a node stands, in our own words.

use super::Config;
use super::clocks::{Clock, Clocks};
use super::start::Parts;
use super::types::{Member, Raft, RaftMembership};
use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver as _;

/// A node's part in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Proposes entries.
    Leader,
    /// Takes entries from the leader and votes.
    Follower,
    /// Stands for election.
    Candidate,
    /// Takes entries and does not vote; also a node that is not yet a member.
    Learner,
    /// Ending.
    Stopping,
}

/// One member as this node's last known membership has it.
#[derive(Debug, Clone)]
pub struct MemberStatus {
    /// Its number.
    pub id: u64,
    /// Where it listens.
    pub member: Member,
    /// Whether it votes.
    pub voter: bool,
    /// Index up to which its log matches; only the leader knows.
    pub matched_index: Option<u64>,
    /// Its wall clock minus ours in ns; only the leader samples it.
    pub clock_offset_ns: Option<i64>,
}

/// A consistent reading of Raft's own figures. Indexes are `None` before the first entry.
#[derive(Debug, Clone)]
pub struct Status {
    /// This node.
    pub node_id: u64,
    /// Its part.
    pub role: Role,
    /// Current term.
    pub term: u64,
    /// The leader it knows.
    pub leader: Option<u64>,
    /// Last entry in its log.
    pub last_log_index: Option<u64>,
    /// Last entry known to be on a quorum.
    pub committed_index: Option<u64>,
    /// Last entry given to the state machine.
    pub applied_index: Option<u64>,
    /// Last entry in its newest snapshot.
    pub snapshot_index: Option<u64>,
    /// Last entry removed from its log.
    pub purged_index: Option<u64>,
    /// The members.
    pub members: Vec<MemberStatus>,
}

impl Status {
    /// Addresses of a member.
    pub fn member(&self, id: u64) -> Option<Member> {
        self.members
            .iter()
            .find(|found| found.id == id)
            .map(|found| found.member.clone())
    }

    /// Of these members the one whose log reaches furthest.
    pub fn furthest_of(&self, ids: &[u64]) -> Option<u64> {
        let named = self.members.iter().filter(|found| ids.contains(&found.id));
        named
            .max_by_key(|found| (found.matched_index, std::cmp::Reverse(found.id)))
            .map(|found| found.id)
    }

    /// The voter other than `own` whose log reaches furthest.
    pub fn furthest_voter(&self, own: u64) -> Option<u64> {
        let others = self
            .members
            .iter()
            .filter(|found| found.voter && found.id != own);
        others
            .max_by_key(|found| (found.matched_index, std::cmp::Reverse(found.id)))
            .map(|found| found.id)
    }
}

/// Of a node that does not take part yet.
pub(super) fn before(
    config: &Config,
    parts: &Parts,
    membership: Option<&RaftMembership>,
) -> Status {
    let log = parts.log.state();
    let members = membership.map_or_else(Vec::new, |membership| {
        let voters: Vec<u64> = membership.voter_ids().collect();
        let member = |(id, member): (&u64, &Member)| MemberStatus {
            id: *id,
            member: member.clone(),
            voter: voters.contains(id),
            matched_index: None,
            clock_offset_ns: None,
        };
        membership.nodes().map(member).collect()
    });
    let applied = parts.storage.applied().log_id.map(|id| id.index);
    Status {
        node_id: config.node_id,
        role: Role::Learner,
        term: parts.log.vote().map_or(0, |vote| vote.term),
        leader: None,
        last_log_index: log.last.map(|id| id.index),
        committed_index: applied,
        applied_index: applied,
        snapshot_index: None,
        purged_index: log.last_purged.map(|id| id.index),
        members,
    }
}

pub(super) fn read(raft: &Raft, clocks: &Clocks, clock: &dyn Clock) -> Status {
    let metrics = raft.metrics().borrow_watched().clone();
    let offsets = clocks.offsets_ns(clock.wall_ns(), clock.monotonic());
    let membership = metrics.membership_config.membership();
    let voters: Vec<u64> = membership.voter_ids().collect();
    let members = membership
        .nodes()
        .map(|(id, member)| MemberStatus {
            id: *id,
            member: member.clone(),
            voter: voters.contains(id),
            matched_index: metrics
                .replication
                .as_ref()
                .and_then(|replication| replication.get(id))
                .and_then(|matched| matched.as_ref().map(|log_id| log_id.index)),
            clock_offset_ns: offsets
                .iter()
                .find(|(peer, _)| peer == id)
                .map(|(_, offset)| *offset),
        })
        .collect();
    Status {
        node_id: metrics.id,
        role: match metrics.state {
            ServerState::Leader => Role::Leader,
            ServerState::Follower => Role::Follower,
            ServerState::Candidate => Role::Candidate,
            ServerState::Learner => Role::Learner,
            ServerState::Shutdown => Role::Stopping,
        },
        term: metrics.current_term,
        leader: metrics.current_leader,
        last_log_index: metrics.last_log_index,
        // Whatever is applied is committed, even before a new leader has said so.
        committed_index: [
            metrics.cluster_committed,
            metrics.local_committed,
            metrics.last_applied,
        ]
        .into_iter()
        .flatten()
        .map(|id| id.index)
        .max(),
        applied_index: metrics.last_applied.map(|id| id.index),
        snapshot_index: metrics.snapshot.map(|id| id.index),
        purged_index: metrics.purged.map(|id| id.index),
        members,
    }
}
