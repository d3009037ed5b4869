//! What an administrator asks for.

use farthing_proto::convert::id::format_id;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::v1::admin_server::Admin;
use farthing_proto::v1::*;
use futures::stream::{StreamExt, empty};
use tonic::{Request, Response, Status};

use super::{Node, Replies, unsupported};

#[tonic::async_trait]
impl Admin for Node {
    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<StatusReply>, Status> {
        self.admit(request)?;
        let reply = {
            let shared = self.lock();
            let leads = shared.leader == self.number;
            StatusReply {
                cluster_id: format_id(shared.cluster_id),
                node_id: self.number as u64,
                role: if leads { Role::Leader } else { Role::Follower }.into(),
                term: shared.term,
                leader_id: shared.leader as u64,
                leader_address: shared.leader_address(),
                members: shared
                    .addresses
                    .iter()
                    .enumerate()
                    .map(|(number, address)| Member {
                        id: number as u64 + 1,
                        client_address: address.clone(),
                        ..Member::default()
                    })
                    .collect(),
                applied_index: shared.log_index,
                ..StatusReply::default()
            }
        };
        Ok(self.answer(reply))
    }

    async fn digest(
        &self,
        request: Request<DigestRequest>,
    ) -> Result<Response<DigestReply>, Status> {
        let request = self.admit(request)?;
        if request.at_index != 0 {
            return Err(Refused::new(Reason::DigestNotKept, "only the applied one").into_status());
        }
        let index = self.lock().log_index;
        Ok(self.answer(DigestReply {
            index,
            digest: 77_u128.to_be_bytes().to_vec().into(),
        }))
    }

    async fn transfer_leader(
        &self,
        request: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderReply>, Status> {
        let request = self.admit(request)?;
        let reply = {
            let mut shared = self.lock();
            self.leads(&shared)?;
            shared.leader = request.to as usize;
            shared.term += 1;
            TransferLeaderReply {
                leader_id: request.to,
                term: shared.term,
            }
        };
        Ok(self.answer(reply))
    }

    type VerifyStream = Replies<VerifyReply>;

    async fn verify(
        &self,
        request: Request<VerifyRequest>,
    ) -> Result<Response<Self::VerifyStream>, Status> {
        self.admit(request)?;
        let progress = VerifyProgress {
            phase: "accounts".to_owned(),
            ..Default::default()
        };
        let report = VerifyReport {
            ok: true,
            ..Default::default()
        };
        let steps = [
            verify_reply::Step::Progress(progress),
            verify_reply::Step::Report(report),
        ];
        let steps = steps.map(|step| Ok(VerifyReply { step: Some(step) }));
        Ok(self.answer(Box::pin(futures::stream::iter(steps).chain(empty())) as Self::VerifyStream))
    }

    async fn snapshot(
        &self,
        _: Request<SnapshotRequest>,
    ) -> Result<Response<SnapshotReply>, Status> {
        unsupported()
    }

    async fn compact(&self, _: Request<CompactRequest>) -> Result<Response<CompactReply>, Status> {
        unsupported()
    }

    async fn allot_node_id(
        &self,
        _: Request<AllotNodeIdRequest>,
    ) -> Result<Response<AllotNodeIdReply>, Status> {
        unsupported()
    }

    async fn add_learner(
        &self,
        _: Request<AddLearnerRequest>,
    ) -> Result<Response<MembersReply>, Status> {
        unsupported()
    }

    async fn change_voters(
        &self,
        _: Request<ChangeVotersRequest>,
    ) -> Result<Response<MembersReply>, Status> {
        unsupported()
    }
}
