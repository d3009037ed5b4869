//! What each node of a cluster is doing, asked of all of them at once.

mod asker;
mod node;
mod table;

use serde::Serialize;

pub use self::asker::Asker;
pub use self::node::{NodeHealth, ProcessState};

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
