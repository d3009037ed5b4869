//! What a busy operator does, over and over: leadership moved, snapshots taken, state compacted.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::verify_reply;
use farthing_proto::v1::{
    CompactRequest, SnapshotRequest, StatusRequest, TransferLeaderRequest, VerifyRequest,
};
use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;
use tonic::transport::Channel;

use super::field::Field;
use super::plan::Step;
use crate::history::Phase;
use crate::hosts::CLIENTS;

/// Longest wait for one command.
const COMMAND: Duration = Duration::from_secs(2);
/// Longest wait until a node has read its whole state.
const VERIFY: Duration = Duration::from_secs(5);

async fn command<T, F: Future<Output = Result<T, Status>>>(
    field: &Field,
    node: u64,
    call: impl FnOnce(AdminClient<Channel>) -> F,
) -> bool {
    let address = format!("http://{}", field.cluster.node(node).direct);
    let run = async {
        let client = AdminClient::connect(address).await.ok()?;
        call(client).await.ok()
    };
    matches!(timeout(COMMAND, run).await, Ok(Some(_)))
}

/// What a node knows to be committed, and how far its own log goes. Nothing from one that knows no leader or has lost
/// part of its log and is not refilled: it may not vote, so it stands in for nobody.
pub(super) async fn positions(field: &Field, node: u64) -> Option<(u64, u64)> {
    let address = format!("http://{}", field.cluster.node(node).direct);
    let ask = async {
        let mut admin = AdminClient::connect(address).await.ok()?;
        let status = admin.status(StatusRequest {}).await.ok()?.into_inner();
        let positions = (status.committed_index, status.durable_log_index);
        let takes_part = status.leader_id != 0 && status.suspect.is_empty();
        takes_part.then_some(positions)
    };
    timeout(COMMAND, ask).await.ok()?
}

/// Whether a node reads its whole state and finds nothing wrong. Its log it has read when it started.
pub(super) async fn verifies(field: &Field, node: u64) -> bool {
    let address = format!("http://{}", field.cluster.node(node).direct);
    let ask = async {
        let mut admin = AdminClient::connect(address).await.ok()?;
        let mut steps = admin.verify(VerifyRequest {}).await.ok()?.into_inner();
        while let Some(step) = steps.message().await.ok()? {
            if let Some(verify_reply::Step::Report(report)) = step.step {
                return Some(report.ok);
            }
        }
        None
    };
    timeout(VERIFY, ask).await.ok().flatten() == Some(true)
}

/// N19.
pub(super) async fn storm(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    field.note("storm", Phase::Begin, &[], "");
    let until = Instant::now() + step.hold;
    let mut moved = 0;
    while Instant::now() < until {
        let leader = field.leader_or_any(random);
        let to = match random.random_range(0..=field.cluster.nodes.len() as u64) {
            0 => 0,
            place => field.cluster.node(place).member(),
        };
        let done = command(field, leader, |mut admin| async move {
            admin.transfer_leader(TransferLeaderRequest { to }).await
        });
        if done.await {
            moved += 1;
            field.reached("storm.moved");
        }
        sleep(Duration::from_millis(random.random_range(50..400))).await;
    }
    field.note("storm", Phase::End, &[], format!("moved {moved} times"));
}

/// N20. One node is cut off meanwhile, so that it finds the log purged when it comes back.
pub(super) async fn snapshots(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let all = field.cluster.ids();
    let away = all[random.random_range(0..all.len())];
    let is_cut = random.random_range(0..3) != 0;
    let others = || all.iter().copied().filter(|node| *node != away);
    let cut = |broken: bool| {
        for node in others().chain([CLIENTS]).filter(|_| is_cut) {
            for (from, to) in [(node, away), (away, node)] {
                field
                    .cluster
                    .links
                    .change(from, to, |link| link.cut = broken);
            }
        }
    };
    let detail = if is_cut { "and one is cut off" } else { "" };
    field.note("snapshot", Phase::Begin, &[away], detail);
    cut(true);
    let until = Instant::now() + step.hold;
    while Instant::now() < until {
        let node = all[random.random_range(0..all.len())];
        let done = if random.random_range(0..3) == 0 {
            let call = |mut admin: AdminClient<Channel>| async move {
                admin.compact(CompactRequest {}).await
            };
            command(field, node, call).await
        } else {
            let call = |mut admin: AdminClient<Channel>| async move {
                admin.snapshot(SnapshotRequest {}).await
            };
            command(field, node, call).await
        };
        if done {
            field.reached("snapshot.taken");
        }
        sleep(Duration::from_millis(random.random_range(20..300))).await;
    }
    cut(false);
    field.note("snapshot", Phase::End, &[away], "");
}
