//! What a peer answers to appends: what it promises, and that it answers at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farthing_proto::peer::v1 as wire;
use futures::Stream;
use openraft::errors::{RPCError, Unreachable};
use openraft::raft::{StreamAppendError, StreamAppendResult};

use super::{RpcError, network, rpc_error};
use crate::consensus::claims::{Claim, position};
use crate::consensus::convert;
use crate::consensus::network::Network;
use crate::consensus::types::{RaftVote, TypeConfig, to_log_id, to_vote};

/// An append on the stream that is not answered within this ends the stream; replication starts it again.
const APPEND_ANSWER_MAX: Duration = Duration::from_secs(10);

/// An answer to an append: what it promises is remembered, and a node that has lost part of its log is refilled.
pub(super) async fn hear(
    from: &Network,
    target: u64,
    vote: &RaftVote,
    reply: wire::AppendReply,
) -> Result<StreamAppendResult<TypeConfig>, RpcError> {
    let (incarnation, suspect) = (reply.incarnation, reply.suspect);
    let result = convert::append_result_from_wire(reply).map_err(|error| network(&error))?;
    match &result {
        Ok(matched) if incarnation > 0 => {
            let claim = Claim {
                incarnation,
                vote: Some(to_vote(vote)),
                acknowledged: position(matched.as_ref().map(to_log_id)),
            };
            from.claims.record(target, &claim);
        }
        Err(StreamAppendError::Conflict(at)) if suspect => {
            // Without this a leader takes for granted that what was acknowledged once is still there.
            if let Some(raft) = from.raft.get() {
                tracing::warn!(node = target, conflict = %at, "a node has lost part of its log and says so: refilling it");
                let _ = raft.trigger().allow_next_revert(&target, true).await;
            }
        }
        _ => {}
    }
    Ok(result)
}

/// Replies of an append stream. A request unanswered for [`APPEND_ANSWER_MAX`] ends the stream: keepalive only notices
/// a peer whose process is gone or stopped, not one whose disk hangs.
pub(super) fn append_replies(
    from: Network,
    target: u64,
    vote: RaftVote,
    replies: tonic::Streaming<wire::AppendReply>,
    sent: Arc<AtomicU64>,
) -> impl Stream<Item = Result<StreamAppendResult<TypeConfig>, RpcError>> {
    futures::stream::unfold(Some((replies, 0_u64)), move |state| {
        let (sent, from) = (Arc::clone(&sent), from.clone());
        async move {
            let (mut replies, answered) = state?;
            let reply = loop {
                match tokio::time::timeout(APPEND_ANSWER_MAX, replies.message()).await {
                    Ok(reply) => break reply,
                    Err(_) if sent.load(Ordering::Relaxed) > answered => {
                        let why =
                            format!("an append was not answered within {APPEND_ANSWER_MAX:?}");
                        return Some((
                            Err(RPCError::Unreachable(Unreachable::from_string(why))),
                            None,
                        ));
                    }
                    Err(_) => {} // nothing to answer: the leader is idle
                }
            };
            match reply {
                Ok(Some(reply)) => match hear(&from, target, &vote, reply).await {
                    Ok(result) => Some((Ok(result), Some((replies, answered + 1)))),
                    Err(error) => Some((Err(error), None)),
                },
                Ok(None) => None,
                Err(status) => Some((Err(rpc_error(&status)), None)),
            }
        }
    })
}
