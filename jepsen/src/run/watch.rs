//! The watcher: asks every node, past the broken network, who leads; and sees when a process is gone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{Role, StatusReply, StatusRequest};
use tokio::time::{sleep, timeout};
use tonic::transport::{Channel, Endpoint};

use crate::history::{Facts, Function, Kind, Process, Value};
use crate::hosts::{Expected, Node};
use crate::nemesis::{self, Field};

const INTERVAL: Duration = Duration::from_millis(150);
/// A node that is paused does not answer at all.
const ANSWER: Duration = Duration::from_millis(400);

/// A way to ask a node that outlives its restarts.
pub(super) fn channel(node: &Node) -> Option<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", node.direct)).ok()?;
    Some(endpoint.connect_timeout(ANSWER).connect_lazy())
}

/// What a node says of itself.
pub(super) async fn status(channel: &Channel) -> Option<StatusReply> {
    let mut admin = AdminClient::new(channel.clone());
    let status = admin.status(StatusRequest {});
    Some(timeout(ANSWER, status).await.ok()?.ok()?.into_inner())
}

/// Watches until it is aborted.
pub(super) async fn watch(field: Arc<Field>) {
    let channels: Vec<Option<Channel>> = field.cluster.hosts().map(channel).collect();
    let mut seen = BTreeSet::new();
    loop {
        ended(&field);
        let asked: Vec<_> = channels
            .iter()
            .map(|channel| {
                let channel = channel.clone();
                tokio::spawn(async move { status(&channel?).await })
            })
            .collect();
        let mut leader = (0, 0);
        for (asked, node) in asked.into_iter().zip(field.cluster.hosts()) {
            let Ok(Some(status)) = asked.await else {
                continue;
            };
            if status.role() == Role::Leader {
                leader = leader.max((status.term, node.id));
                if seen.insert((status.term, status.node_id)) {
                    let facts = Facts {
                        node: Some(status.node_id),
                        term: Some(status.term),
                        ..Facts::default()
                    };
                    field.recorder.note(
                        Kind::Info,
                        Process::Harness,
                        Function::Leader,
                        Value::None,
                        facts,
                    );
                    field.reached("leader.new");
                }
            }
        }
        field.leader.store(leader.1, Ordering::Relaxed);
        sleep(INTERVAL).await;
    }
}

/// What a node answers that is not to come back under its id: only the hand helps.
const FORGOT: i32 = 6;

/// Processes that ended by themselves: wanted, the end of a damaged node, or what must not be.
pub(super) fn ended(field: &Arc<Field>) {
    for node in field.cluster.hosts() {
        let Some((exit, expected)) = node.ended() else {
            continue;
        };
        let text = format!("{}: {}", exit.status, exit.words);
        if expected != Expected::ToRun {
            field.reached("node.ended.wanted");
            if expected == Expected::MayEnd {
                // The others may need it: operators ask them all this time.
                field.start(node.id);
            }
        } else if field.is_damaged(node.id) {
            field.reached("damage.detected");
            // A hand is counted only for what a plain restart does not mend.
            if exit.code != Some(FORGOT) && field.may_restart(node.id) {
                field.reached("damage.restarted");
                field.start(node.id);
            } else {
                tokio::spawn(nemesis::replace(Arc::clone(field), node.id, text));
            }
        } else {
            let facts = Facts {
                node: Some(node.id),
                ..Facts::default()
            };
            field.recorder.note(
                Kind::Info,
                Process::Harness,
                Function::Panic,
                Value::Text(text),
                facts,
            );
            field.start(node.id);
        }
    }
}
