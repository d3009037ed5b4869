//! How a cluster begins: once, by agreement.
//!
//! A node with an empty log founds its cluster only if it is the lowest of the initial members and every other one
//! answers that it has no history either. A node whose data was lost therefore never founds a second cluster beside
//! the first: its peers have a history.

use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use openraft::async_runtime::watch::WatchReceiver as _;

use super::Config;
use super::network::Network;
use super::types::Raft;
use crate::log::Log;
use crate::storage;

/// Pause between two rounds of asking.
const PAUSE: Duration = Duration::from_millis(100);
/// A peer that does not answer within this is asked again in the next round.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Whether this node has ever taken part in a cluster.
pub(super) fn has_history(log: &Log, storage: &dyn storage::Store) -> bool {
    let state = log.state();
    state.last.is_some()
        || state.last_purged.is_some()
        || log.vote().is_some()
        || storage.applied().log_id.is_some()
}

/// Founds the cluster, or ends when somebody else did.
pub(super) async fn found(raft: Raft, network: Network, config: Config) {
    if config.initial_members.keys().next() != Some(&config.node_id) {
        return; // the lowest founds; the others hear from it
    }
    loop {
        let begun = raft.metrics().borrow_watched().last_log_index.is_some();
        if begun {
            return;
        }
        match survey(&network, &config).await {
            Survey::Pristine => match raft.initialize(config.initial_members.clone()).await {
                Ok(()) => {
                    tracing::info!(
                        members = config.initial_members.len(),
                        "founded the cluster"
                    );
                    return;
                }
                Err(error) => tracing::warn!(%error, "could not found the cluster"),
            },
            Survey::HasHistory(peer) => {
                tracing::warn!(
                    peer,
                    "this node is empty but its cluster is not: it waits to be added or to be caught up by the leader"
                );
                return;
            }
            Survey::Waiting(peer) => {
                tracing::debug!(peer, "waiting for a member before founding the cluster")
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

enum Survey {
    Pristine,
    HasHistory(u64),
    Waiting(u64),
}

async fn survey(network: &Network, config: &Config) -> Survey {
    for (id, member) in config
        .initial_members
        .iter()
        .filter(|(id, _)| **id != config.node_id)
    {
        let Ok(mut client) = network.control(&member.peer_address) else {
            return Survey::Waiting(*id);
        };
        let probe = client.probe(network.request(*id, wire::ProbeRequest {}));
        match tokio::time::timeout(ANSWER_MAX, probe).await {
            Ok(Ok(reply)) if reply.get_ref().initialized => return Survey::HasHistory(*id),
            Ok(Ok(_)) => {}
            Ok(Err(status)) => {
                tracing::debug!(peer = id, %status, "no answer to a probe");
                return Survey::Waiting(*id);
            }
            Err(_) => return Survey::Waiting(*id),
        }
    }
    Survey::Pristine
}
