//! Linearizable reads: an index that covers everything acknowledged before the read began.
//!
//! A leader takes the index it has committed and asks the voters whether they have voted for anybody since. A majority
//! that has not means that nobody else led, and acknowledged anything, before the round began. Raft's own way, a
//! heartbeat to everybody, says the same, but a follower answers a heartbeat when all that it was sent before is on its
//! disk: a read would wait for a sync under every load, and for a slow one under some. It is used where the short way
//! has no answer.
//!
//! A round that begins after a read arrived is fresh for it, so all reads that arrive while rounds are under way share
//! the next one. An index is never reused for a read that arrived after its round began.

use std::collections::BTreeSet;
use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use openraft::ReadPolicy;
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{LinearizableReadError, RaftError};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::network::Network;
use super::types::{Member, Raft};
use super::{Error, convert};
use crate::log::{Log, Vote};

/// Reads waiting for a round; beyond it callers wait in line.
const WAITING_MAX: usize = 4_096;
/// Rounds under way at once: a read waits for at most a part of a round before its own begins.
const ROUNDS_MAX: usize = 4;
/// A round that takes longer has no majority.
const ROUND_MAX: Duration = Duration::from_secs(2);
/// Voters that say nothing for so long are asked by heartbeat.
const CONFIRM_MAX: Duration = Duration::from_millis(200);

type Answer = Result<u64, Error>;

/// Who waits for a round.
enum Waiting {
    /// A read on this node, for a round of whoever leads.
    Read(oneshot::Sender<Answer>),
    /// A read on another node, for a round of this one as leader.
    Peer(oneshot::Sender<Answer>),
}

/// Shares rounds among reads. It holds none of what a round needs: peers call it, and it would call them for ever.
#[derive(Clone)]
pub(super) struct ReadIndexes {
    waiting: mpsc::Sender<Waiting>,
}

impl ReadIndexes {
    pub(super) fn start(rounds: Rounds) -> Self {
        let (waiting, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(gather(receiver, rounds));
        Self { waiting }
    }

    /// A round of this node alone, answered only while it leads.
    pub(super) async fn own(&self) -> Answer {
        self.wait(Waiting::Peer).await
    }

    pub(super) async fn get(&self) -> Answer {
        if crate::planted::is("read-index-skipped") {
            return Ok(0);
        }
        self.wait(Waiting::Read).await
    }

    async fn wait(&self, who: fn(oneshot::Sender<Answer>) -> Waiting) -> Answer {
        let stopped = || Error::Stopped("no read rounds any more".into());
        let (answer, index) = oneshot::channel();
        self.waiting
            .send(who(answer))
            .await
            .map_err(|_| stopped())?;
        index.await.unwrap_or_else(|_| Err(stopped()))
    }
}

async fn gather(mut waiting: mpsc::Receiver<Waiting>, rounds: Rounds) {
    let places = std::sync::Arc::new(Semaphore::new(ROUNDS_MAX));
    while let Some(first) = waiting.recv().await {
        let Ok(permit) = std::sync::Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let mut sharing = vec![first];
        while let Ok(next) = waiting.try_recv() {
            sharing.push(next);
        }
        let rounds = rounds.clone();
        tokio::spawn(async move {
            let own = in_time(rounds.own()).await;
            let mut reads = vec![];
            for who in sharing {
                match who {
                    Waiting::Peer(peer) => drop(peer.send(own.clone())),
                    Waiting::Read(read) => reads.push(read),
                }
            }
            if !reads.is_empty() {
                let answer = in_time(rounds.round_after(own)).await;
                for read in reads {
                    let _ = read.send(answer.clone());
                }
            }
            drop(permit);
        });
    }
}

async fn in_time(round: impl Future<Output = Answer>) -> Answer {
    let late = || Error::NoQuorum(format!("no read index within {ROUND_MAX:?}"));
    tokio::time::timeout(ROUND_MAX, round)
        .await
        .unwrap_or_else(|_| Err(late()))
}

/// What a round needs.
#[derive(Clone)]
pub(super) struct Rounds {
    pub(super) raft: Raft,
    pub(super) network: Network,
    pub(super) log: Log,
    pub(super) node_id: u64,
}

impl Rounds {
    /// A round of the leader that this node knows, unless its own has an answer.
    async fn round_after(&self, own: Answer) -> Answer {
        let leader = match own {
            Err(Error::NotLeader {
                leader: Some(leader),
            }) if leader.0 != self.node_id => leader,
            Err(Error::NotLeader { leader: None }) => {
                known_leader(&self.raft).ok_or(Error::NotLeader { leader: None })?
            }
            answer => return answer,
        };
        let unavailable = |why: String| {
            Error::NoQuorum(format!(
                "the leader, node {}, does not answer: {why}",
                leader.0
            ))
        };
        let mut client = self
            .network
            .control(&leader.1.peer_address)
            .map_err(unavailable)?;
        let request = self.network.request(leader.0, wire::ReadIndexRequest {});
        let reply = client
            .read_index(request)
            .await
            .map_err(|status| unavailable(status.to_string()))?
            .into_inner();
        reply.index.ok_or(Error::NotLeader { leader: None })
    }

    /// A round of this node as leader: a majority confirms that it still leads after the round began.
    async fn own(&self) -> Answer {
        if crate::planted::is("stale-read") && self.raft.is_leader() {
            let applied = self.raft.metrics().borrow_watched().last_applied;
            return Ok(applied.map_or(0, |id| id.index));
        }
        match self.by_votes().await {
            Some(index) => Ok(index),
            None => by_heartbeats(&self.raft).await,
        }
    }

    /// The short way; nothing when it has no answer.
    async fn by_votes(&self) -> Option<u64> {
        let own = |vote: &Vote| vote.committed && vote.node == self.node_id;
        let vote = self.log.vote().filter(own)?;
        // Of what Raft says here only the index counts: that it has led lately proves nothing, the voters do.
        let (read, _) = self
            .raft
            .get_read_log_id(ReadPolicy::LeaseRead)
            .await
            .ok()?;
        let confirmed = tokio::time::timeout(CONFIRM_MAX, self.is_confirmed(vote)).await;
        (confirmed == Ok(true)).then(|| read.index())
    }

    /// Whether a majority of the voters, and this node, have voted for nobody else since `vote`. Each of them is asked
    /// after this began, and whoever has voted for another leader says so before that one can lead.
    async fn is_confirmed(&self, vote: Vote) -> bool {
        // Cloned, because the borrow holds a lock that Raft waits for.
        let membership = self
            .raft
            .metrics()
            .borrow_watched()
            .membership_config
            .clone();
        let membership = membership.membership();
        let others = membership.voter_ids().filter(|id| *id != self.node_id);
        let mut asked: FuturesUnordered<_> = others
            .filter_map(|id| Some((id, membership.get_node(&id)?.clone())))
            .map(|(id, member)| async move { (id, self.confirms(id, &member, vote).await) })
            .collect();
        let mut confirmed = BTreeSet::from([self.node_id]);
        loop {
            let has_majority =
                |config: &BTreeSet<u64>| 2 * config.intersection(&confirmed).count() > config.len();
            if membership.get_joint_config().iter().all(has_majority) {
                return self.log.vote() == Some(vote);
            }
            match asked.next().await {
                Some((id, true)) => drop(confirmed.insert(id)),
                Some((_, false)) => {}
                None => return false,
            }
        }
    }

    async fn confirms(&self, id: u64, member: &Member, vote: Vote) -> bool {
        let Ok(mut client) = self.network.control(&member.peer_address) else {
            return false;
        };
        let vote = Some(convert::log_vote_to_wire(&vote));
        let request = self.network.request(id, wire::ConfirmRequest { vote });
        let reply = client.confirm(request).await;
        reply.is_ok_and(|reply| reply.into_inner().confirmed)
    }
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

/// Raft's own way: a heartbeat to everybody. Its replies carry the voters' clocks as well.
pub(super) async fn by_heartbeats(raft: &Raft) -> Answer {
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
