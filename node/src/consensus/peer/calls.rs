//! The calls of the peer service, one by one.

use std::sync::Arc;

use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::peer_server::Peer;
use futures::StreamExt;
use futures::stream::BoxStream;
use openraft::raft::TransferLeaderRequest;
use tonic::{Request, Response, Status, Streaming};

use super::{PeerService, fatal, malformed};
use crate::consensus::appends::{Heard, accepted, check_room, leader_of, lock};
use crate::consensus::identity::speaks_for_itself;
use crate::consensus::snapshot::Receiver;
use crate::consensus::types::TypeConfig;
use crate::consensus::{Error, convert, exchange};
use crate::log::Vote;
use crate::vitals::Level;

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

    async fn confirm(
        &self,
        request: Request<wire::ConfirmRequest>,
    ) -> Result<Response<wire::ConfirmReply>, Status> {
        let from = self.identity.check(request.metadata())?;
        // Before Raft runs, this node does not know whether it remembers all its votes; suspect, it knows it does not.
        self.raft()?;
        let asked = convert::log_vote_from_wire(request.into_inner().vote);
        // The log says a vote from the moment it is asked to write it: before anybody hears of it.
        let last = self.log.vote();
        let whom = |vote: &Vote| (vote.term, vote.node);
        let confirmed = !self.suspicion.is_active()
            && asked.is_some_and(|asked| asked.node == from)
            && asked.as_ref().map(whom) == last.as_ref().map(whom);
        Ok(Response::new(wire::ConfirmReply { confirmed }))
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
        let told = request.into_inner();
        self.learn_members(&told);
        self.vitals.heard(from, exchange::from_wire(told));
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
