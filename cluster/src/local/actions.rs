//! What a command on a cluster did.

use serde::Serialize;

use crate::output::{Align, Report, Table};

/// What a command did, node by node.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Actions {
    /// Node ids with what was done to each, or that nothing had to be.
    pub nodes: Vec<Action>,
    /// The leader afterwards, where the command waited for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<u64>,
    /// Addresses for clients, where the command started nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

/// What was done to one node.
#[derive(Clone, Debug, Serialize)]
pub struct Action {
    /// Node id.
    pub id: u64,
    /// In words: `started`, `running already`, ...
    pub did: &'static str,
}

impl Actions {
    pub(crate) fn add(&mut self, id: u64, did: &'static str) {
        self.nodes.push(Action { id, did });
    }
}

impl Report for Actions {
    fn table(&self) -> Table {
        let mut table = Table::new(&[("node", Align::Right), ("action", Align::Left)]);
        for action in &self.nodes {
            table.row(vec![action.id.to_string(), action.did.to_owned()]);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(leader) = self.leader {
            notes.push(format!("Node {leader} leads."));
        }
        if !self.endpoints.is_empty() {
            notes.push(format!("Clients connect to {}", self.endpoints.join(",")));
        }
        notes
    }
}
