//! `farthing.v1.Admin`: how a node stands, and the few things an operator may ask of it.

use std::time::Duration;

use bytes::Bytes;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::v1;
use farthing_proto::v1::admin_server::Admin;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

use super::context::{Context, deadline, storage_failed};
use super::{members, status, verify};
use crate::consensus::Error;

/// How long a transfer of leadership may take: it can stick when the target falls behind meanwhile.
const TRANSFER_MAX: Duration = Duration::from_secs(5);

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

#[tonic::async_trait]
impl Admin for Service {
    async fn status(
        &self,
        _request: Request<v1::StatusRequest>,
    ) -> Result<Response<v1::StatusReply>, Status> {
        let context = self.0.clone();
        let reply = tokio::task::block_in_place(|| status::of(&context))
            .map_err(|error| storage_failed(self.0.storage(), &error))?;
        Ok(self.0.reply(reply))
    }

    async fn digest(
        &self,
        request: Request<v1::DigestRequest>,
    ) -> Result<Response<v1::DigestReply>, Status> {
        let at_index = request.into_inner().at_index;
        let (index, digest) = match at_index {
            0 => {
                let applied = self.0.storage().applied();
                (
                    applied.log_id.ok_or_else(|| not_kept(0))?.index,
                    applied.comparable_digest(),
                )
            }
            index => (
                index,
                self.0
                    .storage()
                    .digest_at(index)
                    .ok_or_else(|| not_kept(index))?,
            ),
        };
        Ok(self.0.reply(v1::DigestReply {
            index,
            digest: Bytes::copy_from_slice(&digest.to_be_bytes()),
        }))
    }

    async fn transfer_leader(
        &self,
        request: Request<v1::TransferLeaderRequest>,
    ) -> Result<Response<v1::TransferLeaderReply>, Status> {
        let until = deadline(request.metadata());
        let to = Some(request.into_inner().to).filter(|id| *id != 0);
        let status = self.0.consensus().status();
        if let Some(unknown) = to.filter(|id| {
            !status
                .members
                .iter()
                .any(|member| member.voter && member.id == *id)
        }) {
            let message = format!("node {unknown} is no voter of this cluster");
            return Err(Refused::new(Reason::NodeUnknown, message).into());
        }
        if to == Some(status.node_id) && status.leader == to {
            return Ok(self.0.reply(v1::TransferLeaderReply {
                leader_id: status.node_id,
                term: status.term,
            }));
        }
        let timeout = until
            .saturating_duration_since(std::time::Instant::now())
            .min(TRANSFER_MAX);
        match self.0.consensus().hand_over(to, timeout).await {
            Ok(leader_id) => {
                let term = self.0.consensus().status().term;
                Ok(self.0.reply(v1::TransferLeaderReply { leader_id, term }))
            }
            Err(Error::NotLeader { leader }) => {
                let refused = Refused::new(Reason::NotLeader, "only the leader hands over");
                Err(match leader {
                    Some((_, member)) => refused.with_leader(member.client_address).into(),
                    None => refused.into(),
                })
            }
            Err(error) => Err(Refused::new(Reason::LeaderTransferFailed, error.to_string()).into()),
        }
    }

    type VerifyStream = BoxStream<'static, Result<v1::VerifyReply, Status>>;

    async fn verify(
        &self,
        _request: Request<v1::VerifyRequest>,
    ) -> Result<Response<Self::VerifyStream>, Status> {
        Ok(self.0.reply(verify::run(self.0.storage().clone())))
    }

    async fn snapshot(
        &self,
        _request: Request<v1::SnapshotRequest>,
    ) -> Result<Response<v1::SnapshotReply>, Status> {
        let consensus = self.0.consensus();
        let wanted = consensus.status().applied_index;
        consensus
            .snapshot()
            .await
            .map_err(|error| Refused::new(Reason::ShuttingDown, error.to_string()))?;
        // The snapshot is built in the background; the caller wants to know when it is there.
        for _ in 0..600 {
            let built = consensus.status().snapshot_index;
            if built >= wanted {
                return Ok(self.0.reply(v1::SnapshotReply {
                    index: built.unwrap_or(0),
                }));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Refused::new(
            Reason::Deadline,
            "the snapshot was not built within a minute; see the node's log",
        )
        .into())
    }

    async fn compact(
        &self,
        _request: Request<v1::CompactRequest>,
    ) -> Result<Response<v1::CompactReply>, Status> {
        let storage = self.0.storage().clone();
        let work = tokio::task::spawn_blocking(move || {
            let bytes_before = storage.disk_bytes()?;
            storage.compact()?;
            Ok::<_, crate::storage::Error>(v1::CompactReply {
                bytes_before,
                bytes_after: storage.disk_bytes()?,
            })
        });
        let reply = work
            .await
            .map_err(|error| Refused::new(Reason::Internal, error.to_string()))?;
        Ok(self
            .0
            .reply(reply.map_err(|error| storage_failed(self.0.storage(), &error))?))
    }

    async fn allot_node_id(
        &self,
        request: Request<v1::AllotNodeIdRequest>,
    ) -> Result<Response<v1::AllotNodeIdReply>, Status> {
        let until = deadline(request.metadata());
        let node_id = members::allot(&self.0, until).await?;
        Ok(self.0.reply(v1::AllotNodeIdReply { node_id }))
    }

    async fn add_learner(
        &self,
        request: Request<v1::AddLearnerRequest>,
    ) -> Result<Response<v1::MembersReply>, Status> {
        let until = deadline(request.metadata());
        let reply = members::add_learner(&self.0, request.into_inner(), until).await?;
        Ok(self.0.reply(reply))
    }

    async fn change_voters(
        &self,
        request: Request<v1::ChangeVotersRequest>,
    ) -> Result<Response<v1::MembersReply>, Status> {
        let until = deadline(request.metadata());
        let reply = members::change_voters(&self.0, &request.into_inner(), until).await?;
        Ok(self.0.reply(reply))
    }
}

fn not_kept(index: u64) -> Refused {
    let message = match index {
        0 => "the node has applied nothing yet".to_owned(),
        index => format!("the digest at index {index} is not kept; ask for 0, the applied index"),
    };
    Refused::new(Reason::DigestNotKept, message)
}
