//! The heal, and the wait until every node serves again.

use std::sync::Arc;
use std::time::Duration;

use farthing_proto::v1::Role;
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::watch::{channel, status};
use crate::disk::Faults;
use crate::history::{Facts, Function, Kind, Process, Value};
use crate::nemesis::{self, Field};

/// A damaged node gets so long to come back by itself before the one hand replaces it.
const BY_ITSELF: Duration = Duration::from_secs(20);

/// Everything arrives, everybody runs, with right clocks and no points set.
pub(super) fn heal(field: &Field) {
    field.cluster.links.heal();
    for node in &field.cluster.nodes {
        if let Some(disk) = &node.disk {
            disk.store().set_faults(Faults::default());
        }
        node.signal(Signal::CONT);
        if node.has_flags() {
            node.kill();
            node.set_flags(Vec::new());
        }
        field.start(node.id);
    }
}

/// Waits until every node follows or leads and has applied what was committed when it began to wait. Returns whether
/// all do: a node that is there and stays behind does not serve.
pub(super) async fn wait_ready(field: &Arc<Field>, within: Duration) -> bool {
    let began = Instant::now();
    let mut waiting = field.cluster.ids();
    let mut replaced = Vec::new();
    let mut goal = 0;
    while !waiting.is_empty() && began.elapsed() < within {
        if goal == 0 {
            goal = committed(field).await;
        }
        let mut still = Vec::new();
        for id in waiting {
            if goal != 0 && !field.is_replacing(id) && serves(field, id, goal).await {
                let facts = Facts {
                    node: Some(id),
                    ..Facts::default()
                };
                field.recorder.note(
                    Kind::Info,
                    Process::Harness,
                    Function::Ready,
                    Value::None,
                    facts,
                );
            } else {
                still.push(id);
            }
        }
        waiting = still;
        if began.elapsed() > BY_ITSELF {
            // One at a time, and only while somebody leads: what two nodes lost, an empty one could not give back.
            let silent = |id: &&u64| {
                field.is_damaged(**id) && !field.is_replacing(**id) && !replaced.contains(*id)
            };
            let is_calm =
                goal != 0 && !field.cluster.ids().iter().any(|id| field.is_replacing(*id));
            if let Some(id) = waiting.iter().find(silent).copied().filter(|_| is_calm) {
                let why = "damaged, and not back by itself".to_owned();
                tokio::spawn(nemesis::replace(Arc::clone(field), id, why));
                replaced.push(id);
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    waiting.is_empty()
}

/// What the cluster had committed, as far as its leader knows; 0 = nobody leads.
async fn committed(field: &Field) -> u64 {
    let mut leading = (0, 0);
    for node in &field.cluster.nodes {
        let Some(channel) = channel(node) else {
            continue;
        };
        if let Some(status) = status(&channel).await
            && status.role() == Role::Leader
        {
            leading = leading.max((status.term, status.committed_index));
        }
    }
    leading.1
}

async fn serves(field: &Field, id: u64, goal: u64) -> bool {
    let Some(channel) = channel(field.cluster.node(id)) else {
        return false;
    };
    let Some(status) = status(&channel).await else {
        return false;
    };
    matches!(status.role(), Role::Leader | Role::Follower)
        && status.leader_id != 0
        && status.applied_index >= goal
}
