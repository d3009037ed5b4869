//! Appends on their way in: what the leader says with them, and what this node adds to Raft's own answers.

use std::sync::{Arc, Mutex, PoisonError};

use farthing_proto::peer::v1 as wire;
use futures::Stream;
use openraft::raft::{AppendEntriesRequest, StreamAppendResult};
use tonic::{Status, Streaming};

use super::clocks::Clock;
use super::identity::speaks_for_itself;
use super::types::TypeConfig;
use super::{Suspicion, convert};
use crate::vitals::{self, Level};

/// What the leader said with an append: its term, and up to where it has committed.
pub(super) type FromLeader = (u64, Option<u64>);

/// The same of the newest append of a stream. It may be newer than the one that is answered, which only asks more of a
/// node that wants to be whole.
pub(super) type Heard = Arc<Mutex<FromLeader>>;

pub(super) fn lock(heard: &Heard) -> std::sync::MutexGuard<'_, FromLeader> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn leader_of(request: &AppendEntriesRequest<TypeConfig>) -> FromLeader {
    let committed = request.leader_commit.as_ref().map(|id| id.index);
    (request.vote.leader_id.term, committed)
}

/// What a node adds to Raft's own answers to appends.
pub(super) struct Voice {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) suspicion: Suspicion,
    pub(super) incarnation: u64,
}

impl Voice {
    pub(super) fn reply(
        &self,
        result: &StreamAppendResult<TypeConfig>,
        (term, committed): FromLeader,
    ) -> wire::AppendReply {
        if let Ok(Some(matched)) = result {
            let matched = (matched.leader_id.term, matched.index);
            self.suspicion.matched(term, committed, matched);
        }
        wire::AppendReply {
            incarnation: self.incarnation,
            suspect: self.suspicion.is_active(),
            ..convert::append_result_to_wire(result, self.clock.wall_ns())
        }
    }
}

/// Entries are not taken when the log may not find room for them: a log that fails to write ends its node, and one that
/// is behind is filled up when there is room again.
pub(super) fn check_room(vitals: &vitals::Handle) -> Result<(), Status> {
    if vitals.level() == Level::Full {
        return Err(Status::unavailable("the disk has no room for entries"));
    }
    Ok(())
}

/// The appends of a stream up to its first error: a broken stream is started again by the leader, so what was read
/// before the error is still good.
pub(super) fn accepted(
    from: u64,
    requests: Streaming<wire::AppendRequest>,
    vitals: vitals::Handle,
    heard: Heard,
) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static {
    futures::stream::unfold(
        (requests, vitals, heard),
        move |(mut requests, vitals, heard)| async move {
            match requests.message().await {
                Ok(Some(request))
                    if !request.entries.is_empty() && check_room(&vitals).is_err() =>
                {
                    None
                }
                Ok(Some(request)) => match convert::append_from_wire(request) {
                    Ok(request) => match speaks_for_itself(from, &request.vote) {
                        Ok(()) => {
                            *lock(&heard) = leader_of(&request);
                            Some((request, (requests, vitals, heard)))
                        }
                        Err(status) => {
                            tracing::error!(%status, "an append stream is refused");
                            None
                        }
                    },
                    Err(error) => {
                        tracing::error!(%error, "a peer sent an append that does not decode");
                        None
                    }
                },
                Ok(None) => None,
                Err(status) => {
                    tracing::debug!(%status, "append stream ended");
                    None
                }
            }
        },
    )
}
