//! The way in: what the other nodes ask of this one, on the peers' listener.
//!
//! It checks who calls whom, decodes, asks Raft, answers. Nothing is decided here. The calls are in `calls`; what has to
//! hold before Raft is asked is here.

mod calls;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::peer_server::PeerServer;
use openraft::errors::RaftError;
use openraft::raft::{VoteRequest, VoteResponse};
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::appends::Voice;
use super::claims::Claims;
use super::clocks::Clock;
use super::identity::{Identity, speaks_for_itself};
use super::network::MESSAGE_BYTES_MAX;
use super::refill::Giver;
use super::types::{Raft, RaftMembership, TypeConfig, decode_membership};
use super::{Ended, Handle, Suspicion, convert};
use crate::log::Log;
use crate::storage;
use crate::vitals::{self, Verdict};

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
    /// Told the newest membership that another node has applied, while this one asks who is a member.
    pub(crate) news: watch::Sender<Option<(u64, RaftMembership)>>,
    /// Told when a leader knows more of this node than the node itself.
    pub(crate) ending: watch::Sender<Option<Ended>>,
}

impl PeerService {
    pub(crate) fn into_server(self) -> PeerServer<Self> {
        PeerServer::new(self)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Keeps in mind who the members are, as long as this node is still asking them. What cannot be read is no news.
    fn learn_members(&self, vitals: &wire::Vitals) {
        if self.started.get().is_some() || vitals.membership_index == 0 {
            return;
        }
        let Ok(membership) = decode_membership(&vitals.membership) else {
            return;
        };
        self.news.send_if_modified(|news| {
            let is_newer = news
                .as_ref()
                .is_none_or(|(index, _)| *index < vitals.membership_index);
            if is_newer {
                *news = Some((vitals.membership_index, membership));
            }
            is_newer
        });
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
