//! Linearizable reads: an index that covers everything acknowledged before the read began.
//!
//! A round that begins after a read arrived is fresh for it, so all reads that arrive while rounds are under way share
//! the next one. An index is never reused for a read that arrived after its round began.

use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use openraft::ReadPolicy;
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{LinearizableReadError, RaftError};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::Error;
use super::network::Network;
use super::types::{Member, Raft};

/// Reads waiting for a round; beyond it callers wait in line.
const WAITING_MAX: usize = 4_096;
/// Rounds under way at once: a read waits for at most a part of a round before its own begins.
const ROUNDS_MAX: usize = 4;
/// A round that takes longer has no majority.
const ROUND_MAX: Duration = Duration::from_secs(2);

type Answer = Result<u64, Error>;

/// Shares rounds among reads.
#[derive(Clone)]
pub(super) struct ReadIndexes {
    waiting: mpsc::Sender<oneshot::Sender<Answer>>,
}

impl ReadIndexes {
    pub(super) fn start(raft: Raft, network: Network, node_id: u64) -> Self {
        let (waiting, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(gather(receiver, raft, network, node_id));
        Self { waiting }
    }

    pub(super) async fn get(&self) -> Answer {
        if crate::planted::is("read-index-skipped") {
            return Ok(0);
        }
        let stopped = || Error::Stopped("no read rounds any more".into());
        let (answer, index) = oneshot::channel();
        self.waiting.send(answer).await.map_err(|_| stopped())?;
        index.await.unwrap_or_else(|_| Err(stopped()))
    }
}

async fn gather(
    mut waiting: mpsc::Receiver<oneshot::Sender<Answer>>,
    raft: Raft,
    network: Network,
    node_id: u64,
) {
    let rounds = std::sync::Arc::new(Semaphore::new(ROUNDS_MAX));
    while let Some(first) = waiting.recv().await {
        let Ok(permit) = std::sync::Arc::clone(&rounds).acquire_owned().await else {
            return;
        };
        let mut sharing = vec![first];
        while let Ok(next) = waiting.try_recv() {
            sharing.push(next);
        }
        let (raft, network) = (raft.clone(), network.clone());
        tokio::spawn(async move {
            let answer =
                match tokio::time::timeout(ROUND_MAX, round(&raft, &network, node_id)).await {
                    Ok(answer) => answer,
                    Err(_) => Err(Error::NoQuorum(format!(
                        "no read index within {ROUND_MAX:?}"
                    ))),
                };
            drop(permit);
            for read in sharing {
                let _ = read.send(answer.clone());
            }
        });
    }
}

async fn round(raft: &Raft, network: &Network, node_id: u64) -> Answer {
    let leader = match own(raft).await {
        Err(Error::NotLeader {
            leader: Some(leader),
        }) if leader.0 != node_id => leader,
        Err(Error::NotLeader { leader: None }) => {
            known_leader(raft).ok_or(Error::NotLeader { leader: None })?
        }
        answer => return answer,
    };
    let unavailable = |why: String| {
        Error::NoQuorum(format!(
            "the leader, node {}, does not answer: {why}",
            leader.0
        ))
    };
    let mut client = network
        .control(&leader.1.peer_address)
        .map_err(unavailable)?;
    let request = network.request(leader.0, wire::ReadIndexRequest {});
    let reply = client
        .read_index(request)
        .await
        .map_err(|status| unavailable(status.to_string()))?
        .into_inner();
    reply.index.ok_or(Error::NotLeader { leader: None })
}

fn known_leader(raft: &Raft) -> Option<(u64, Member)> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let id = metrics.current_leader?;
    let member = metrics
        .membership_config
        .membership()
        .get_node(&id)?
        .clone();
    Some((id, member))
}

/// A round of this node as leader: a majority confirms that it still leads after the round began.
pub(super) async fn own(raft: &Raft) -> Answer {
    if crate::planted::is("stale-read") && raft.is_leader() {
        let applied = raft.metrics().borrow_watched().last_applied;
        return Ok(applied.map_or(0, |id| id.index));
    }
    match raft.get_read_log_id(ReadPolicy::ReadIndex).await {
        Ok((read, _)) => Ok(read.index()),
        Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
            Err(Error::NotLeader {
                leader: forward.leader_id.zip(forward.leader_node),
            })
        }
        Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(why))) => {
            Err(Error::NoQuorum(why.to_string()))
        }
        Err(RaftError::Fatal(fatal)) => Err(Error::Stopped(fatal.to_string())),
    }
}
