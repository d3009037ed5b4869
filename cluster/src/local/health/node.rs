//! How one node is.

use farthing_client::{Role, StatusReply};
use serde::Serialize;

/// What a node's process is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It runs.
    Running,
    /// It is stopped by a signal (`farthing cluster pause`).
    Paused,
    /// It is not there.
    Stopped,
    /// It is not a process of this machine's cluster directory.
    #[default]
    Elsewhere,
}

impl ProcessState {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One node.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NodeHealth {
    /// Node id; 0 when only its address is known and it did not answer.
    pub id: u64,
    /// Where clients connect.
    pub client_address: String,
    /// Its process.
    pub process: ProcessState,
    /// Process id, when it runs here.
    pub pid: Option<i32>,
    /// Whether it answered.
    pub reachable: bool,
    /// `leader`, `follower`, `learner`, `candidate` or `starting`; empty when it did not answer.
    pub role: String,
    /// Raft term.
    pub term: u64,
    /// The leader this node knows of.
    pub leader: Option<u64>,
    /// Index of the last entry in its log.
    pub last_log_index: u64,
    /// Highest index it knows to be on a quorum.
    pub committed_index: u64,
    /// Highest index in its state.
    pub applied_index: u64,
    /// Highest index its state on disk holds.
    pub state_durable_index: u64,
    /// Index of its last snapshot, 0 when it has none.
    pub snapshot_index: u64,
    /// Highest index no longer in its log, 0 when it has all.
    pub purged_index: u64,
    /// Accounts it holds.
    pub account_count: u64,
    /// Transfers it holds.
    pub transfer_count: u64,
    /// Elections since it started.
    pub election_count: u64,
    /// Memory, in bytes.
    pub rss_bytes: u64,
    /// Disk used by its directory, in bytes.
    pub disk_bytes: u64,
    /// Of it, the live files of the state.
    pub state_bytes: u64,
    /// Of it, the log.
    pub log_bytes: u64,
    /// Seconds since it started.
    pub uptime_s: u64,
    /// Its build.
    pub version: String,
    /// What a person must look at.
    pub alarms: Vec<String>,
}

impl NodeHealth {
    /// One that has not answered.
    pub(super) fn silent(
        id: u64,
        client_address: String,
        process: ProcessState,
        pid: Option<i32>,
    ) -> Self {
        Self {
            id,
            client_address,
            process,
            pid,
            ..Self::default()
        }
    }

    /// The same with its answer.
    pub(super) fn answered(self, status: StatusReply) -> Self {
        Self {
            id: status.node_id,
            client_address: self.client_address,
            process: self.process,
            pid: self.pid,
            reachable: true,
            role: role_name(status.role()).to_owned(),
            term: status.term,
            leader: Some(status.leader_id).filter(|id| *id != 0),
            last_log_index: status.last_log_index,
            committed_index: status.committed_index,
            applied_index: status.applied_index,
            state_durable_index: status.state_durable_index,
            snapshot_index: status.snapshot_index,
            purged_index: status.purged_index,
            account_count: status.account_count,
            transfer_count: status.transfer_count,
            election_count: status.election_count,
            rss_bytes: status.rss_bytes,
            disk_bytes: status.disk_bytes,
            state_bytes: status.state_bytes,
            log_bytes: status.log_bytes,
            uptime_s: status.uptime_s,
            version: status.version,
            alarms: status.alarms,
        }
    }

    /// True when it leads, as it believes itself.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.role == "leader"
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Leader => "leader",
        Role::Follower => "follower",
        Role::Learner => "learner",
        Role::Candidate => "candidate",
        Role::Starting => "starting",
        Role::Unspecified => "",
    }
}
