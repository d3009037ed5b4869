//! The way in: what the other nodes ask of this one, on the peers' listener.
//!
//! It checks who calls whom, decodes, asks Raft, answers. Nothing is decided here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::peer_server::{Peer, PeerServer};
use futures::StreamExt;
use futures::stream::BoxStream;
use openraft::errors::RaftError;
use openraft::raft::{TransferLeaderRequest, VoteRequest, VoteResponse};
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use super::appends::{Heard, Voice, accepted, check_room, leader_of, lock};
use super::claims::Claims;
use super::clocks::Clock;
use super::convert;
use super::identity::{Identity, speaks_for_itself};
use super::network::MESSAGE_BYTES_MAX;
use super::refill::Giver;
use super::snapshot::Receiver;
use super::types::{Raft, TypeConfig};
use super::{Ended, Error, Handle, Suspicion, exchange};
use crate::log::Log;
use crate::storage;
use crate::vitals::{self, Level, Verdict};

/// The peer service. It listens before Raft exists, because a node that starts asks its peers first.
pub(crate) struct PeerService {
    pub(crate) identity: Identity,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) storage: Arc<dyn storage::Store>,
    pub(crate) giver: Giver,
    pub(crate) started: Arc<OnceLock<(Raft, Handle)>>,
    /// What to answer to a probe before Raft runs.
    pub(crate) initialized: bool,
    pub(crate) vitals: vitals::Handle,
    /// Starts of this node's directory.
    pub(crate) incarnation: u64,
    pub(crate) log: Log,
    pub(crate) claims: Claims,
    pub(crate) suspicion: Suspicion,
    /// This node joins, and nobody has said yet that its number is new: it may be an emptied directory.
    pub(crate) joining: AtomicBool,
    /// Told when a leader knows more of this node than the node itself.
    pub(crate) ending: watch::Sender<Option<Ended>>,
}

impl PeerService {
    pub(crate) fn into_server(self) -> PeerServer<Self> {
        PeerServer::new(self)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    fn raft(&self) -> Result<&Raft, Status> {
        self.started
            .get()
            .map(|(raft, _)| raft)
            .ok_or_else(|| Status::unavailable("the node is starting"))
    }

    /// A node whose state a majority says is wrong has no say in who leads, and no reads to answer for.
    fn check_state(&self) -> Result<(), Status> {
        match self.started.get() {
            Some((_, handle)) if !handle.verdict().serves() => Err(Status::failed_precondition(
                "this node's state is not to be trusted",
            )),
            _ => Ok(()),
        }
    }

    /// What this node says of itself with every answer to an append.
    fn voice(&self) -> Voice {
        Voice {
            clock: Arc::clone(&self.clock),
            suspicion: self.suspicion.clone(),
            incarnation: self.incarnation,
        }
    }

    /// Takes over what a leader knows of everybody. A leader that knows of more starts of this directory than there
    /// were has seen it when it was newer.
    fn learn(&self, table: &[wire::Claim]) -> Result<(), Status> {
        let joining = self.joining.load(Ordering::Acquire);
        for row in table {
            let (node, claim) = convert::claim_from_wire(row);
            if node != self.identity.node_id {
                self.claims.record(node, &claim);
            } else if claim.incarnation > self.incarnation || (joining && claim.vote.is_some()) {
                let why = format!(
                    "the leader knows of {} starts of this directory and a vote of {:?}, the directory itself of {} starts",
                    claim.incarnation, claim.vote, self.incarnation
                );
                let status = Status::failed_precondition(why.clone());
                self.ending.send_replace(Some(Ended::Forgot(why)));
                return Err(status);
            }
        }
        // A leader's own row is in its table soon after it was elected.
        if joining && !table.is_empty() {
            self.joining.store(false, Ordering::Release);
        }
        self.check_joined()
    }

    /// A node that joins without a history hears from a leader what is known of its number before it votes or
    /// acknowledges anything: nobody else can tell it that it was somebody before.
    fn check_joined(&self) -> Result<(), Status> {
        if self.joining.load(Ordering::Acquire) {
            return Err(Status::unavailable(
                "this node waits for the leader to say what it knows of it",
            ));
        }
        Ok(())
    }

    /// Whether this node's state may take the place of another's.
    fn may_give_state(&self) -> bool {
        match self.started.get() {
            Some((_, handle)) => handle.verdict() == Verdict::Sound,
            None => self.vitals.damage().is_none(),
        }
    }

    /// A vote and the question that precedes it differ only in what Raft is asked.
    async fn ask_for_vote<Fut>(
        &self,
        request: Request<wire::VoteRequest>,
        ask: impl FnOnce(Raft, VoteRequest<TypeConfig>) -> Fut,
    ) -> Result<Response<wire::VoteReply>, Status>
    where
        Fut: Future<Output = Result<VoteResponse<TypeConfig>, RaftError<TypeConfig>>>,
    {
        let from = self.identity.check(request.metadata())?;
        let request = convert::vote_request_from_wire(request.into_inner())
            .map_err(|error| malformed(&error))?;
        speaks_for_itself(from, &request.vote)?;
        self.check_state()?;
        self.check_joined()?;
        if self.suspicion.is_active() {
            return Err(Status::unavailable(
                "this node has lost part of its log and does not vote before it is refilled",
            ));
        }
        let reply = ask(self.raft()?.clone(), request)
            .await
            .map_err(|error| fatal(&error))?;
        Ok(Response::new(wire::VoteReply {
            incarnation: self.incarnation,
            ..convert::vote_reply_to_wire(&reply)
        }))
    }
}

fn malformed(error: &convert::Malformed) -> Status {
    Status::invalid_argument(error.to_string())
}

fn fatal(error: &impl std::fmt::Display) -> Status {
    Status::unavailable(format!("raft does not run: {error}"))
}

#[tonic::async_trait]
impl Peer for PeerService {
    type AppendStreamStream = BoxStream<'static, Result<wire::AppendReply, Status>>;

    async fn append_stream(
        &self,
        request: Request<Streaming<wire::AppendRequest>>,
    ) -> Result<Response<Self::AppendStreamStream>, Status> {
        let from = self.identity.check(request.metadata())?;
        check_room(&self.vitals)?;
        self.check_joined()?;
        let raft = self.raft()?.clone();
        let voice = self.voice();
        let heard = Heard::default();
        let replies = raft
            .stream_append(accepted(
                from,
                request.into_inner(),
                self.vitals.clone(),
                Arc::clone(&heard),
            ))
            .map(move |result| match result {
                Ok(result) => Ok(voice.reply(&result, *lock(&heard))),
                Err(error) => Err(fatal(&error)),
            });
        Ok(Response::new(replies.boxed()))
    }

    async fn append(
        &self,
        request: Request<wire::AppendRequest>,
    ) -> Result<Response<wire::AppendReply>, Status> {
        let from = self.identity.check(request.metadata())?;
        let raft = self.raft()?;
        let request = request.into_inner();
        self.learn(&request.claims)?;
        let request = convert::append_from_wire(request).map_err(|error| malformed(&error))?;
        speaks_for_itself(from, &request.vote)?;
        let from_leader = leader_of(&request);
        let mut replies = Box::pin(raft.stream_append(futures::stream::iter([request])));
        match replies.next().await {
            Some(Ok(result)) => Ok(Response::new(self.voice().reply(&result, from_leader))),
            Some(Err(error)) => Err(fatal(&error)),
            None => Err(Status::unavailable("raft does not run")),
        }
    }

    async fn vote(
        &self,
        request: Request<wire::VoteRequest>,
    ) -> Result<Response<wire::VoteReply>, Status> {
        self.ask_for_vote(
            request,
            |raft, request| async move { raft.vote(request).await },
        )
        .await
    }

    async fn pre_vote(
        &self,
        request: Request<wire::VoteRequest>,
    ) -> Result<Response<wire::VoteReply>, Status> {
        self.ask_for_vote(request, |raft, request| async move {
            raft.pre_vote(request).await
        })
        .await
    }

    async fn install_snapshot(
        &self,
        request: Request<Streaming<wire::SnapshotChunk>>,
    ) -> Result<Response<wire::SnapshotReply>, Status> {
        let from = self.identity.check(request.metadata())?;
        self.check_joined()?;
        if self.vitals.level() >= Level::Reserve {
            return Err(Status::unavailable("the disk has no room for a snapshot"));
        }
        let raft = self.raft()?.clone();
        let (vote, snapshot) = Receiver::new(Arc::clone(&self.storage), from)
            .receive(request.into_inner())
            .await?;
        let reply = raft
            .install_full_snapshot(vote, snapshot)
            .await
            .map_err(|error| fatal(&error))?;
        Ok(Response::new(wire::SnapshotReply {
            vote: Some(convert::vote_to_wire(&reply.vote)),
        }))
    }

    async fn transfer_leader(
        &self,
        request: Request<wire::TransferLeaderRequest>,
    ) -> Result<Response<wire::TransferLeaderReply>, Status> {
        let from = self.identity.check(request.metadata())?;
        let request = request.into_inner();
        let vote =
            convert::vote_from_wire(request.from_leader).map_err(|error| malformed(&error))?;
        speaks_for_itself(from, &vote)?;
        let last = request.last_log_id.as_ref().map(convert::log_id_from_wire);
        if self.suspicion.is_active() {
            let reason = "this node has lost part of its log".to_owned();
            return Ok(Response::new(wire::TransferLeaderReply {
                accepted: false,
                reason,
            }));
        }
        let request = TransferLeaderRequest::<TypeConfig>::new(vote, request.to, last);
        let reply = self
            .raft()?
            .handle_transfer_leader(request)
            .await
            .map_err(|error| fatal(&error))?;
        let reason = reply
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default();
        Ok(Response::new(wire::TransferLeaderReply {
            accepted: reply.is_ok(),
            reason,
        }))
    }

    async fn read_index(
        &self,
        request: Request<wire::ReadIndexRequest>,
    ) -> Result<Response<wire::ReadIndexReply>, Status> {
        self.identity.check(request.metadata())?;
        self.check_state()?;
        let (_, handle) = self
            .started
            .get()
            .ok_or_else(|| Status::unavailable("the node is starting"))?;
        let reply = match handle.own_read_index().await {
            Ok(index) => wire::ReadIndexReply {
                index: Some(index),
                leader: self.identity.node_id,
            },
            Err(Error::NotLeader { leader }) => wire::ReadIndexReply {
                index: None,
                leader: leader.map_or(0, |(id, _)| id),
            },
            Err(error) => return Err(Status::unavailable(error.to_string())),
        };
        Ok(Response::new(reply))
    }

    async fn probe(
        &self,
        request: Request<wire::ProbeRequest>,
    ) -> Result<Response<wire::ProbeReply>, Status> {
        self.identity.check(request.metadata())?;
        let reply = match self.started.get() {
            None => wire::ProbeReply {
                initialized: self.initialized,
                last_log_index: 0,
            },
            Some((_, handle)) => {
                let status = handle.status();
                let initialized = status.last_log_index.is_some() || status.term > 0;
                wire::ProbeReply {
                    initialized,
                    last_log_index: status.last_log_index.unwrap_or(0),
                }
            }
        };
        Ok(Response::new(reply))
    }

    async fn exchange(
        &self,
        request: Request<wire::Vitals>,
    ) -> Result<Response<wire::Vitals>, Status> {
        let from = self.identity.check(request.metadata())?;
        self.vitals
            .heard(from, exchange::from_wire(request.into_inner()));
        Ok(Response::new(exchange::to_wire(&self.vitals.own())))
    }

    type FetchCheckpointStream = BoxStream<'static, Result<wire::SnapshotChunk, Status>>;

    async fn fetch_checkpoint(
        &self,
        request: Request<wire::FetchCheckpointRequest>,
    ) -> Result<Response<Self::FetchCheckpointStream>, Status> {
        let from = self.identity.check(request.metadata())?;
        if !self.may_give_state() {
            return Err(Status::failed_precondition(
                "this node's state is not to be trusted",
            ));
        }
        let answer = self
            .giver
            .give(from, request.into_inner().index_min)
            .await?;
        Ok(Response::new(answer))
    }

    async fn remember(
        &self,
        request: Request<wire::RememberRequest>,
    ) -> Result<Response<wire::RememberReply>, Status> {
        let from = self.identity.check(request.metadata())?;
        let known = self.claims.of(from);
        Ok(Response::new(wire::RememberReply {
            vote: self.log.vote().as_ref().map(convert::log_vote_to_wire),
            known: known.map(|claim| convert::claim_to_wire(from, &claim)),
            empty: !self.initialized && self.started.get().is_none(),
        }))
    }
}
