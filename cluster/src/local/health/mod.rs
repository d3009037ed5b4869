//! What each node of a cluster is doing, asked of all of them at once.

use std::time::Duration;

use farthing_client::{Client, Role, StatusReply};
use futures::future::join_all;
use serde::Serialize;

use super::layout::{Description, Layout};
use super::process::{Activity, Identity};
use crate::connect;
use crate::failure::Failure;
use crate::output::{self, Align, Report, Table};

/// How long one node may take to say how it is; a paused node does not answer at all.
const ASK_DEADLINE: Duration = Duration::from_secs(2);

/// The whole cluster.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterHealth {
    /// The cluster's id, UUID text; empty when no node answered and no description is at hand.
    pub cluster_id: String,
    /// The leader's id: of the node that says it leads in the highest term.
    pub leader: Option<u64>,
    /// The nodes, by id.
    pub nodes: Vec<NodeHealth>,
}

/// What a node's process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It runs.
    Running,
    /// It is stopped by a signal (`farthing cluster pause`).
    Paused,
    /// It is not there.
    Stopped,
    /// It is not a process of this machine's cluster directory.
    Elsewhere,
}

impl ProcessState {
    const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One node.
#[derive(Clone, Debug, Serialize)]
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
    /// Accounts and transfers it holds.
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
    fn silent(id: u64, client_address: String, process: ProcessState, pid: Option<i32>) -> Self {
        Self {
            id,
            client_address,
            process,
            pid,
            reachable: false,
            role: String::new(),
            term: 0,
            leader: None,
            last_log_index: 0,
            committed_index: 0,
            applied_index: 0,
            state_durable_index: 0,
            snapshot_index: 0,
            purged_index: 0,
            account_count: 0,
            transfer_count: 0,
            election_count: 0,
            rss_bytes: 0,
            disk_bytes: 0,
            state_bytes: 0,
            log_bytes: 0,
            uptime_s: 0,
            version: String::new(),
            alarms: Vec::new(),
        }
    }

    fn answered(self, status: StatusReply) -> Self {
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

impl ClusterHealth {
    /// True when every node answered, every one knows the same leader, and that one leads.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.leader.is_some()
            && self
                .nodes
                .iter()
                .all(|node| node.reachable && node.leader == self.leader)
    }

    /// A node by its id.
    #[must_use]
    pub fn node(&self, id: u64) -> Option<&NodeHealth> {
        self.nodes.iter().find(|node| node.id == id)
    }

    fn of(cluster_id: String, nodes: Vec<NodeHealth>) -> Self {
        // A deposed leader that has not heard of it still says it leads, in an older term.
        let leader = nodes
            .iter()
            .filter(|node| node.is_leader())
            .max_by_key(|node| node.term)
            .map(|node| node.id);
        Self {
            cluster_id,
            leader,
            nodes,
        }
    }
}

/// Asks the nodes of a cluster, again and again if need be, over connections it keeps.
#[derive(Debug)]
pub struct Asker {
    client: Client,
}

impl Asker {
    /// An asker of the nodes at these addresses. It connects when it asks.
    ///
    /// # Errors
    /// [`crate::failure::Code::Usage`] when an address cannot be read.
    pub fn new(endpoints: &[String]) -> Result<Self, Failure> {
        let builder = Client::builder()
            .endpoints(endpoints)
            .deadline(ASK_DEADLINE);
        let client = builder.build().map_err(connect::failure)?;
        Ok(Self { client })
    }

    /// Asks every node of a local cluster, and looks at its process.
    pub async fn local(&self, layout: &Layout, description: &Description) -> ClusterHealth {
        let nodes = description.nodes.iter().map(|entry| {
            let identity = Identity::load(&layout.node_pid(entry.id));
            let activity = identity.as_ref().and_then(Identity::activity);
            let state = match activity {
                Some(Activity::Running) => ProcessState::Running,
                Some(Activity::Stopped) => ProcessState::Paused,
                None => ProcessState::Stopped,
            };
            let pid = activity.and(identity).map(|identity| identity.pid);
            self.ask(NodeHealth::silent(
                entry.id,
                entry.client_address.to_string(),
                state,
                pid,
            ))
        });
        ClusterHealth::of(description.cluster_id.clone(), join_all(nodes).await)
    }

    /// Asks nodes that are known by their addresses only.
    pub async fn remote(&self, endpoints: &[String]) -> ClusterHealth {
        let silent = |endpoint: &String| {
            NodeHealth::silent(0, endpoint.clone(), ProcessState::Elsewhere, None)
        };
        let nodes = endpoints.iter().map(|endpoint| self.ask(silent(endpoint)));
        let mut nodes = join_all(nodes).await;
        nodes.sort_by(|a, b| (a.id, &a.client_address).cmp(&(b.id, &b.client_address)));
        let cluster_id = self
            .client
            .cluster_id()
            .map(output::uuid)
            .unwrap_or_default();
        ClusterHealth::of(cluster_id, nodes)
    }

    async fn ask(&self, silent: NodeHealth) -> NodeHealth {
        // A process that is not there or does not run cannot answer; asking it would only take its time.
        if matches!(silent.process, ProcessState::Stopped | ProcessState::Paused) {
            return silent;
        }
        match self.client.status(&silent.client_address).await {
            Ok(status) => silent.answered(status),
            Err(_) => silent,
        }
    }
}

impl Report for ClusterHealth {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("node", Align::Right),
            ("address", Align::Left),
            ("process", Align::Left),
            ("role", Align::Left),
            ("term", Align::Right),
            ("last log", Align::Right),
            ("committed", Align::Right),
            ("applied", Align::Right),
            ("snapshot", Align::Right),
            ("transfers", Align::Right),
            ("memory", Align::Right),
            ("disk", Align::Right),
            ("of it log", Align::Right),
        ]);
        for node in &self.nodes {
            let mut cells = vec![
                node.id.to_string(),
                node.client_address.clone(),
                node.process.name().to_owned(),
            ];
            if node.reachable {
                cells.push(node.role.clone());
                cells.extend(
                    [
                        node.term,
                        node.last_log_index,
                        node.committed_index,
                        node.applied_index,
                        node.snapshot_index,
                        node.transfer_count,
                    ]
                    .map(|number| number.to_string()),
                );
                cells.extend([node.rss_bytes, node.disk_bytes, node.log_bytes].map(output::bytes));
            } else {
                cells.push("no answer".to_owned());
            }
            table.row(cells);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let alarms = self.nodes.iter().flat_map(|node| {
            let lines = node.alarms.iter();
            lines.map(|alarm| format!("node {}: {alarm}", node.id))
        });
        let leader = if self.leader.is_none() {
            vec!["No node leads at the moment.".to_owned()]
        } else {
            Vec::new()
        };
        leader.into_iter().chain(alarms).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u64, role: &str, term: u64, leader: u64) -> NodeHealth {
        NodeHealth {
            reachable: true,
            role: role.to_owned(),
            term,
            leader: Some(leader),
            ..NodeHealth::silent(id, String::new(), ProcessState::Running, None)
        }
    }

    #[test]
    fn the_leader_of_the_highest_term_counts() {
        let cluster = ClusterHealth::of(
            String::new(),
            vec![
                node(1, "leader", 3, 1),
                node(2, "leader", 4, 2),
                node(3, "follower", 4, 2),
            ],
        );
        assert_eq!(cluster.leader, Some(2));
        assert!(!cluster.is_healthy(), "node 1 still believes that it leads");
    }

    #[test]
    fn healthy_is_everyone_knowing_the_same_leader() {
        let all = || {
            vec![
                node(1, "leader", 3, 1),
                node(2, "follower", 3, 1),
                node(3, "follower", 3, 1),
            ]
        };
        assert!(ClusterHealth::of(String::new(), all()).is_healthy());
        let mut one_silent = all();
        one_silent[2].reachable = false;
        assert!(!ClusterHealth::of(String::new(), one_silent).is_healthy());
        let none_leads = all().split_off(1);
        assert!(!ClusterHealth::of(String::new(), none_leads).is_healthy());
    }
}
