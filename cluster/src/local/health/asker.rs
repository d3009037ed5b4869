//! Asks the nodes how they are.

use std::time::Duration;

use farthing_client::Client;
use futures::future::join_all;

use super::{ClusterHealth, NodeHealth, ProcessState};
use crate::connect;
use crate::failure::Failure;
use crate::local::layout::{Description, Layout};
use crate::local::process::{Activity, Identity};
use crate::output;

/// How long one node may take to say how it is; a paused node does not answer at all.
const ASK_DEADLINE: Duration = Duration::from_secs(2);

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
