//! A node without a state, and a log that does not reach back to the first entry: a peer's checkpoint fills the hole.
//!
//! It happens after the others were asked what they remember and before Raft begins, so a node never votes nor
//! acknowledges anything while it lacks what its log was purged up to. Its log and its vote stay. Raft could not do it:
//! a leader sends a snapshot only to a node whose *log* is too short.

use std::sync::Arc;
use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use tokio::time::Instant;
use tonic::Status;

use super::blocking;
use super::network::Network;
use super::snapshot::{self, Receiver, SnapshotFiles};
use super::start::Parts;
use super::types::Member;
use crate::log::{self, Log};
use crate::state;
use crate::storage::{self, Manifest};

/// Pause between two rounds of asking.
const PAUSE: Duration = Duration::from_millis(500);
/// A peer may have to write a run before it can answer.
const BEGIN_MAX: Duration = Duration::from_secs(60);
/// The whole of a checkpoint has arrived within this, or another peer is asked.
const RECEIVE_MAX: Duration = Duration::from_secs(600);
/// How often a node that waits says so.
const SAY_INTERVAL: Duration = Duration::from_secs(5);

/// The index up to which the state must be given by a peer, because the log begins behind it; `None` when it need not.
pub(super) fn wanted(parts: &Parts) -> Option<u64> {
    let purged = parts.log.state().last_purged.map(|id| id.index);
    let applied = parts.storage.applied().log_id.map(|id| id.index);
    purged.filter(|_| applied < purged)
}

/// Asks the peers in turn until the state reaches the log.
pub(super) async fn run(
    network: &Network,
    parts: &Parts,
    peers: &[(u64, Member)],
) -> anyhow::Result<()> {
    let mut said: Option<Instant> = None;
    while let Some(index) = wanted(parts) {
        if peers.is_empty() {
            anyhow::bail!(
                "the log begins after entry {index}, the state ends before it, and there is no other node"
            );
        }
        for (id, member) in peers {
            match receive(network, parts, (*id, member), index).await {
                Ok((dir, manifest)) => {
                    tracing::warn!(from = id, log_id = ?manifest.log_id, "a peer's checkpoint takes the place of the state");
                    make_room(&parts.log, &manifest).await?;
                    fail::fail_point!("refill.before_install");
                    parts.state.install(dir, manifest).await?;
                    break;
                }
                Err(status) => tracing::debug!(peer = id, %status, "no checkpoint from this one"),
            }
        }
        if said.is_none_or(|at| at.elapsed() >= SAY_INTERVAL) && wanted(parts).is_some() {
            said = Some(Instant::now());
            tracing::warn!(
                index,
                "waiting for another node's checkpoint that reaches this entry; this node takes no part before"
            );
        }
        if wanted(parts).is_some() {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

async fn receive(
    network: &Network,
    parts: &Parts,
    (id, member): (u64, &Member),
    index_min: u64,
) -> Result<(std::path::PathBuf, Manifest), Status> {
    let late = |what| Status::deadline_exceeded(format!("{what} took too long"));
    let mut client = network
        .snapshots(&member.peer_address)
        .map_err(Status::unavailable)?;
    let request = network.request(id, wire::FetchCheckpointRequest { index_min });
    let chunks = tokio::time::timeout(BEGIN_MAX, client.fetch_checkpoint(request))
        .await
        .map_err(|_| late("the first answer"))??
        .into_inner();
    let receiver = Receiver::new(parts.storage.clone(), id);
    let files = tokio::time::timeout(RECEIVE_MAX, receiver.receive_files(chunks, index_min))
        .await
        .map_err(|_| late("receiving a checkpoint"))??;
    match files {
        SnapshotFiles::Received { dir, manifest } => Ok((dir, manifest)),
        _ => Err(Status::internal("nothing was received")),
    }
}

/// The log must not end before the state nor disagree with it: entries that the checkpoint's own replaces go first. A
/// node that dies in between begins again with a log behind its state, which is where it is now.
async fn make_room(log: &Log, manifest: &Manifest) -> anyhow::Result<()> {
    let id = log::LogId {
        term: manifest.log_id.term,
        node: 0,
        index: manifest.log_id.index,
    };
    let own = log.log_id_at(id.index);
    if own.is_some_and(|own| own.term == id.term) {
        return Ok(());
    }
    // What the own log has there was never committed, or it ends before.
    if own.is_some() {
        let before = id.index.checked_sub(1).and_then(|at| log.log_id_at(at));
        let (done, cut) = tokio::sync::oneshot::channel();
        log.truncate_after(before, move |result| {
            let _ = done.send(result);
        });
        cut.await??;
    }
    let (done, reset) = tokio::sync::oneshot::channel();
    log.purge(id, move |result| {
        let _ = done.send(result);
    });
    reset.await??;
    Ok(())
}

/// The other side: gives checkpoints of the own state, one at a time.
pub(crate) struct Giver {
    state: state::Handle,
    storage: Arc<dyn storage::Store>,
    making: tokio::sync::Mutex<()>,
}

impl Giver {
    pub(super) fn new(state: state::Handle, storage: Arc<dyn storage::Store>) -> Self {
        Self {
            state,
            storage,
            making: tokio::sync::Mutex::default(),
        }
    }

    /// The messages of a checkpoint that contains at least entry `index_min`.
    pub(super) async fn give(
        &self,
        to: u64,
        index_min: u64,
    ) -> Result<BoxStream<'static, Result<wire::SnapshotChunk, Status>>, Status> {
        let checkpoint = self.checkpoint(index_min).await?;
        tracing::info!(to, log_id = ?checkpoint.manifest().log_id, "giving a checkpoint to a node that lacks its state");
        let (chunks, failed) = snapshot::send(None, SnapshotFiles::Own(checkpoint));
        let failed = failed.map(|why| Err(Status::internal(why))).into_stream();
        // The failure never comes when all was read: the end of the chunks ends the answer.
        let ends = chunks.map(Some).chain(futures::stream::iter([None]));
        let failed = failed.map(|failure| failure.map(Some));
        let answer = futures::stream::select(ends.map(Ok), failed)
            .take_while(|item| futures::future::ready(!matches!(item, Ok(None))))
            .filter_map(|item| futures::future::ready(item.transpose()));
        Ok(answer.boxed())
    }

    /// The newest, or one made now.
    async fn checkpoint(&self, index_min: u64) -> Result<Arc<dyn storage::SnapshotSource>, Status> {
        let reaches =
            |found: &Arc<dyn storage::SnapshotSource>| found.manifest().log_id.index >= index_min;
        let internal = |error: &dyn std::fmt::Display| Status::internal(error.to_string());
        let Ok(_one_at_a_time) = self.making.try_lock() else {
            return Err(Status::unavailable("a checkpoint is being made"));
        };
        if let Some(newest) = self.storage.current_checkpoint().filter(reaches) {
            return Ok(newest);
        }
        let applied = self.storage.applied().log_id.map(|id| id.index);
        if applied < Some(index_min) {
            return Err(Status::unavailable("this node's state is not so far"));
        }
        let ticket = self.state.seal().await.map_err(|error| internal(&error))?;
        let storage = self.storage.clone();
        blocking::run(move || storage.build_checkpoint(&ticket))
            .await
            .map_err(|error| internal(&error))?
            .map_err(|error| internal(&error))
    }
}
