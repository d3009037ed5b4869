//! `farthing.v1.Packed`: the throughput path. The bytes a client packed are the bytes in the log.

use farthing_ledger::{AccountId, SectionKind, TransferId};
use farthing_proto::error::Refused;
use farthing_proto::packed::{LookupAnswer, check_lookup, check_request, write_results};
use farthing_proto::v1;
use farthing_proto::v1::packed_server::Packed;
use futures::StreamExt;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::context::{Context, message_deadline, storage_failed, unary_deadline};
use crate::storage::Lead;

/// Messages of one stream under way at once; the rest waits in the connection's window.
const IN_FLIGHT_MAX: usize = 64;

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

impl Service {
    async fn submit(
        &self,
        request: &v1::SubmitRequest,
        until: std::time::Instant,
    ) -> Result<v1::SubmitReply, Refused> {
        check_request(request)?;
        let mut sections: Vec<(SectionKind, usize, &[u8])> =
            Vec::with_capacity(request.sections.len());
        for section in &request.sections {
            // Checked above: the kinds of the wire are the client's part of the log's kinds, by number.
            let kind = u16::try_from(section.kind)
                .ok()
                .and_then(SectionKind::from_code);
            let kind = kind.ok_or_else(|| Refused::invalid(Vec::new()))?;
            sections.push((kind, section.count as usize, &section.items));
        }
        let answer = self.0.submit(&sections, until).await?;
        Ok(v1::SubmitReply {
            request_number: request.request_number,
            results: answer
                .results
                .sections
                .iter()
                .map(|results| write_results(results))
                .collect(),
            log_index: answer.log_index,
            refusal: None,
        })
    }

    async fn lookup(
        &self,
        request: v1::LookupRequest,
        until: std::time::Instant,
    ) -> Result<v1::LookupReply, Refused> {
        let (kind, ids) = check_lookup(&request)?;
        let reader = self.0.reader(request.consistency.into(), until).await?;
        let answer = tokio::task::block_in_place(|| {
            let mut answer = LookupAnswer::with_capacity(kind, ids.len());
            match kind {
                v1::LookupKind::Accounts => {
                    let ids: Vec<AccountId> = ids.into_iter().map(AccountId).collect();
                    for account in reader.accounts(&ids)? {
                        match account {
                            Some(account) => answer.push_found(&account.to_bytes()),
                            None => answer.push_not_found(),
                        }
                    }
                }
                v1::LookupKind::Transfers => {
                    let ids: Vec<TransferId> = ids.into_iter().map(TransferId).collect();
                    for seen in reader.transfers(&ids)? {
                        match seen {
                            Some(Lead::Transfer(row)) => {
                                answer.push_found(&row.transfer.to_bytes())
                            }
                            Some(Lead::Refused) => answer.push_refused(),
                            None => answer.push_not_found(),
                        }
                    }
                }
                v1::LookupKind::Pendings => {
                    let ids: Vec<TransferId> = ids.into_iter().map(TransferId).collect();
                    for pending in reader.pendings(&ids)? {
                        match pending {
                            Some(pending) => answer.push_found(&pending.to_bytes()),
                            None => answer.push_not_found(),
                        }
                    }
                }
                v1::LookupKind::Unspecified => {}
            }
            Ok(answer)
        });
        let answer = answer
            .map_err(|error: crate::storage::Error| storage_failed(self.0.storage(), &error))?;
        Ok(answer.finish(request.request_number, reader.applied_index()))
    }
}

#[tonic::async_trait]
impl Packed for Service {
    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitReply>, Status> {
        let until = unary_deadline(request.metadata(), request.get_ref().deadline_ms);
        Ok(self
            .0
            .reply(Service::submit(self, request.get_ref(), until).await?))
    }

    type SubmitStreamStream = BoxStream<'static, Result<v1::SubmitReply, Status>>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<v1::SubmitRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let service = self.clone();
        let replies = request.into_inner().map(move |message| {
            let service = service.clone();
            async move {
                let request = message?;
                let until = message_deadline(request.deadline_ms);
                Ok(Service::submit(&service, &request, until)
                    .await
                    .unwrap_or_else(|refused| v1::SubmitReply {
                        request_number: request.request_number,
                        refusal: Some(refused.into()),
                        ..Default::default()
                    }))
            }
        });
        Ok(self
            .0
            .reply(replies.buffer_unordered(IN_FLIGHT_MAX).boxed()))
    }

    async fn lookup(
        &self,
        request: Request<v1::LookupRequest>,
    ) -> Result<Response<v1::LookupReply>, Status> {
        let until = unary_deadline(request.metadata(), request.get_ref().deadline_ms);
        Ok(self
            .0
            .reply(Service::lookup(self, request.into_inner(), until).await?))
    }

    type LookupStreamStream = BoxStream<'static, Result<v1::LookupReply, Status>>;

    async fn lookup_stream(
        &self,
        request: Request<Streaming<v1::LookupRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        let service = self.clone();
        let replies = request.into_inner().map(move |message| {
            let service = service.clone();
            async move {
                let request = message?;
                let request_number = request.request_number;
                let until = message_deadline(request.deadline_ms);
                Ok(Service::lookup(&service, request, until)
                    .await
                    .unwrap_or_else(|refused| v1::LookupReply {
                        request_number,
                        refusal: Some(refused.into()),
                        ..Default::default()
                    }))
            }
        });
        Ok(self
            .0
            .reply(replies.buffer_unordered(IN_FLIGHT_MAX).boxed()))
    }
}
