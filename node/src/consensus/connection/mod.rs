//! What this node says to one peer: openraft's calls as gRPC.

mod answers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::peer_client::PeerClient;
use futures::{Stream, StreamExt};
use openraft::RaftNetworkV2;
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult,
    TransferLeaderError, TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use tonic::{Request, Response, Status};

use self::answers::{append_replies, hear};
use super::channel::Channel;
use super::claims::Claim;
use super::network::{Network, Purpose};
use super::snapshot::{self, SnapshotFiles};
use super::types::{RaftVote, TypeConfig, to_vote};
use super::{convert, planted};

type RpcError = RPCError<TypeConfig>;

/// One peer, for one purpose.
pub(crate) struct Connection {
    network: Network,
    target: u64,
    purpose: Purpose,
    client: Result<PeerClient<Channel>, String>,
}

impl Connection {
    /// `client`, or why there is none, which every call over this connection then answers.
    pub(super) fn new(
        network: Network,
        target: u64,
        purpose: Purpose,
        client: Result<PeerClient<Channel>, String>,
    ) -> Self {
        Self {
            network,
            target,
            purpose,
            client,
        }
    }

    fn client(&self) -> Result<PeerClient<Channel>, RpcError> {
        self.client
            .clone()
            .map_err(|why| RPCError::Unreachable(Unreachable::from_string(why)))
    }

    fn request<T>(&self, message: T, timeout: Duration) -> Request<T> {
        let mut request = self.network.request(self.target, message);
        request.set_timeout(timeout);
        request
    }

    async fn append_once(
        &self,
        request: &AppendEntriesRequest<TypeConfig>,
        timeout: Duration,
    ) -> Result<StreamAppendResult<TypeConfig>, RpcError> {
        let mut client = self.client()?;
        let mut message = convert::append_to_wire(request).map_err(|error| network(&error))?;
        if self.purpose == Purpose::Heartbeats {
            let table = self.network.claims.table();
            message.claims = table
                .iter()
                .map(|(node, claim)| convert::claim_to_wire(*node, claim))
                .collect();
        }
        let sent = self.network.clock.monotonic();
        let reply = within(timeout, client.append(self.request(message, timeout)))
            .await?
            .into_inner();
        let now = self.network.clock.monotonic();
        let clocks = &self.network.clocks;
        clocks.record(self.target, now - sent, reply.wall_clock_ns, now);
        hear(&self.network, self.target, &request.vote, reply).await
    }

    /// A vote and the question that precedes it differ only in the method called.
    async fn ask_for_vote<Fut>(
        &self,
        rpc: &VoteRequest<TypeConfig>,
        option: &RPCOption,
        method: impl FnOnce(PeerClient<Channel>, Request<wire::VoteRequest>) -> Fut,
    ) -> Result<VoteResponse<TypeConfig>, RpcError>
    where
        Fut: Future<Output = Result<Response<wire::VoteReply>, Status>>,
    {
        let timeout = option.soft_ttl();
        let request = self.request(convert::vote_request_to_wire(rpc), timeout);
        let reply = within(timeout, method(self.client()?, request))
            .await?
            .into_inner();
        convert::vote_reply_from_wire(reply).map_err(|error| network(&error))
    }
}

/// A status as openraft wants to hear of it: unreachable means back off, network means try again at once.
fn rpc_error(status: &Status) -> RpcError {
    match status.code() {
        tonic::Code::Unavailable
        | tonic::Code::FailedPrecondition
        | tonic::Code::Unauthenticated => RPCError::Unreachable(Unreachable::new(status)),
        _ => RPCError::Network(NetworkError::new(status)),
    }
}

fn network(error: &(impl std::error::Error + 'static)) -> RpcError {
    RPCError::Network(NetworkError::new(error))
}

async fn within<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, RpcError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(result) => result.map_err(|status| rpc_error(&status)),
        Err(_) => Err(RPCError::Unreachable(Unreachable::from_string(format!(
            "no answer within {timeout:?}"
        )))),
    }
}

impl RaftNetworkV2<TypeConfig> for Connection {
    type SnapshotData = SnapshotFiles;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        let result = self.append_once(&rpc, option.soft_ttl()).await?;
        Ok(AppendEntriesResponse::from(result))
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<
        's,
        Result<BoxStream<'s, Result<StreamAppendResult<TypeConfig>, RpcError>>, RpcError>,
    >
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
    {
        Box::pin(async move {
            if self.purpose == Purpose::Heartbeats {
                // A heartbeat is one request: a unary call, whose reply also carries the peer's clock.
                let connection: &'s Self = self;
                let timeout = option.soft_ttl();
                let replies = input.then(move |request| async move {
                    connection.append_once(&request, timeout).await
                });
                return Ok(Box::pin(replies) as BoxStream<'s, _>);
            }
            // Openraft's pause between tries is spent when it is asked for a request, not when a stream is
            // opened: without the request in hand a peer that is down would be called again at once, for ever.
            let mut input = input;
            let Some(first) = input.next().await else {
                return Ok(futures::stream::empty().boxed());
            };
            let vote = first.vote;
            let input = futures::stream::iter([first]).chain(input);
            let mut client = self.client()?;
            if crate::planted::is("ack-before-quorum") {
                let network = self.network.clone();
                return Ok(planted::unheard(network, self.target, client, input));
            }
            let sent = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&sent);
            // A membership too large to encode is skipped here and ends the stream as unanswered; it was refused when
            // it was proposed.
            let messages = input.filter_map(move |request| {
                count.fetch_add(1, Ordering::Relaxed);
                futures::future::ready(convert::append_to_wire(&request).ok())
            });
            let call = client.append_stream(self.network.request(self.target, messages));
            let replies = within(option.soft_ttl().max(Duration::from_millis(500)), call)
                .await?
                .into_inner();
            let replies = append_replies(self.network.clone(), self.target, vote, replies, sent);
            Ok(Box::pin(replies) as BoxStream<'s, _>)
        })
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let (claims, target, asked) =
            (self.network.claims.clone(), self.target, to_vote(&rpc.vote));
        self.ask_for_vote(&rpc, &option, |mut client, request| async move {
            let reply = client.vote(request).await?;
            let (incarnation, granted) = (reply.get_ref().incarnation, reply.get_ref().granted);
            if granted && incarnation > 0 {
                let claim = Claim {
                    incarnation,
                    vote: Some(asked),
                    acknowledged: None,
                };
                claims.record(target, &claim);
            }
            Ok(reply)
        })
        .await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        self.ask_for_vote(&rpc, &option, |mut client, request| async move {
            client.pre_vote(request).await
        })
        .await
    }

    async fn full_snapshot(
        &mut self,
        vote: RaftVote,
        snapshot: openraft::alias::SnapshotOf<TypeConfig, SnapshotFiles>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let mut client = self.client().map_err(StreamingError::from)?;
        let (chunks, failed) = snapshot::send(Some(vote), snapshot.snapshot);
        let call = client.install_snapshot(self.network.request(self.target, chunks));
        tokio::select! {
            biased;
            closed = cancel => Err(StreamingError::Closed(closed)),
            error = failed => Err(StreamingError::Unreachable(Unreachable::from_string(error))),
            reply = call => {
                let reply = reply.map_err(|status| StreamingError::from(rpc_error(&status)))?.into_inner();
                let vote = convert::vote_from_wire(reply.vote).map_err(|error| StreamingError::from(network(&error)))?;
                Ok(SnapshotResponse::new(vote))
            }
        }
    }

    async fn transfer_leader(
        &mut self,
        req: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        let mut client = self.client()?;
        let message = wire::TransferLeaderRequest {
            from_leader: Some(convert::vote_to_wire(req.from_leader())),
            to: *req.to_node_id(),
            last_log_id: req.last_log_id().map(convert::log_id_to_wire),
        };
        let timeout = option.soft_ttl();
        let reply = within(
            timeout,
            client.transfer_leader(self.request(message, timeout)),
        )
        .await?
        .into_inner();
        Ok(if reply.accepted {
            Ok(())
        } else {
            tracing::info!(
                target_node = self.target,
                reason = reply.reason,
                "leadership transfer refused"
            );
            Err(TransferLeaderError::VoteChanged {
                expected: *req.from_leader(),
                actual: *req.from_leader(),
            })
        })
    }

    fn backoff(&self) -> Option<openraft::network::Backoff> {
        None
    }
}
