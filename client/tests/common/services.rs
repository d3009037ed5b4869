//! The services of one pretended node.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use farthing_ledger::{Seen, View};
use farthing_proto::convert;
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::convert::id::format_id;
use farthing_proto::error::{FieldError, Reason, Refused};
use farthing_proto::metadata;
use farthing_proto::packed::{self, LookupAnswer};
use farthing_proto::v1::admin_server::Admin;
use farthing_proto::v1::ledgers_server::Ledgers;
use farthing_proto::v1::packed_server::Packed;
use farthing_proto::v1::records_server::Records;
use farthing_proto::v1::*;
use futures::Stream;
use futures::stream::{StreamExt, empty};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{Fault, Shared};

#[derive(Clone)]
pub struct Node {
    pub number: usize,
    pub shared: Arc<Mutex<Shared>>,
    pub streams: Arc<AtomicUsize>,
}

/// What a request comes to.
enum End {
    Reply(SubmitReply),
    Refused(Refused),
    Silence,
    Break,
}

impl Node {
    /// Holds the call to the cluster id, as a true node does.
    fn admit<T>(&self, request: Request<T>) -> Result<T, Status> {
        let (ours, careless) = {
            let shared = self.shared.lock().unwrap();
            (shared.cluster_id, shared.careless)
        };
        match metadata::cluster_id(request.metadata()) {
            Ok(None) => {}
            _ if careless => {}
            Ok(Some(id)) if id == ours => {}
            _ => {
                let mut status =
                    Refused::new(Reason::ClusterIdMismatch, "another cluster").into_status();
                metadata::set_cluster_id(status.metadata_mut(), ours);
                return Err(status);
            }
        }
        Ok(request.into_inner())
    }

    fn answer<T>(&self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        let id = self.shared.lock().unwrap().cluster_id;
        metadata::set_cluster_id(response.metadata_mut(), id);
        response
    }

    fn leads(&self, shared: &Shared) -> Result<(), Refused> {
        if shared.leader == self.number {
            return Ok(());
        }
        let reason = if shared.leader == 0 {
            Reason::NoLeader
        } else {
            Reason::NotLeader
        };
        Err(Refused::new(reason, "this node does not lead").with_leader(shared.leader_address()))
    }

    async fn take(&self, request: SubmitRequest) -> End {
        let delay = self.shared.lock().unwrap().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut shared = self.shared.lock().unwrap();
        if let Err(refused) = self.leads(&shared) {
            return End::Refused(refused);
        }
        shared.requests.push(request.clone());
        match shared.faults.pop_front() {
            None => match shared.apply(&request) {
                Ok(reply) => End::Reply(reply),
                Err(refused) => End::Refused(refused),
            },
            Some(Fault::Hang) => End::Silence,
            Some(Fault::Refuse(refused)) => End::Refused(refused),
            Some(Fault::HangAfterApply) => {
                shared.apply(&request).unwrap();
                End::Silence
            }
            Some(Fault::LoseReply) => {
                shared.apply(&request).unwrap();
                End::Break
            }
            Some(Fault::ApplyAndRefuse(refused)) => {
                shared.apply(&request).unwrap();
                End::Refused(refused)
            }
            Some(Fault::NewerStatus) => {
                let mut reply = shared.apply(&request).unwrap();
                let mut results = packed::read_results(&reply.results[0]).unwrap();
                results[0].status = 9_999;
                reply.results[0] = packed::write_results(&results);
                End::Reply(reply)
            }
            Some(Fault::GarbleReply) => {
                let mut reply = shared.apply(&request).unwrap();
                let short = reply.results[0].slice(..reply.results[0].len() - 16);
                reply.results[0] = short;
                End::Reply(reply)
            }
        }
    }

    fn look_up(&self, request: &LookupRequest) -> Result<LookupReply, Refused> {
        let (kind, ids) = packed::check_lookup(request)?;
        let mut shared = self.shared.lock().unwrap();
        if Consistency::from(request.consistency) == Consistency::Linearizable {
            self.leads(&shared)?;
        }
        shared.lookups.push(request.clone());
        if let Some(refused) = shared.refuse_lookups.pop_front() {
            return Err(refused);
        }
        let mut answer = LookupAnswer::with_capacity(kind, ids.len());
        for id in ids {
            match kind {
                LookupKind::Accounts => match shared.state.account(id.into()) {
                    Some(account) => answer.push_found(&account.to_bytes()),
                    None => answer.push_not_found(),
                },
                LookupKind::Transfers => match shared.state.transfer(id.into()) {
                    Some(Seen::Applied { transfer, .. }) => answer.push_found(&transfer.to_bytes()),
                    Some(Seen::Refused) => answer.push_refused(),
                    None => answer.push_not_found(),
                },
                LookupKind::Pendings => match shared.state.pending(id.into()) {
                    Some(pending) => answer.push_found(&pending.to_bytes()),
                    None => answer.push_not_found(),
                },
                LookupKind::Unspecified => unreachable!("checked"),
            }
        }
        Ok(answer.finish(request.request_number, shared.log_index))
    }
}

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Packed for Node {
    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<SubmitReply>, Status> {
        let request = self.admit(request)?;
        match self.take(request).await {
            End::Reply(reply) => Ok(self.answer(reply)),
            End::Refused(refused) => Err(refused.into_status()),
            End::Silence | End::Break => std::future::pending().await,
        }
    }

    type SubmitStreamStream = Replies<SubmitReply>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let mut requests = self.admit(request)?;
        self.streams.fetch_add(1, Ordering::SeqCst);
        let (replies, outgoing) = mpsc::channel(16);
        let node = self.clone();
        tokio::spawn(async move {
            while let Some(Ok(request)) = requests.next().await {
                let (node, replies) = (node.clone(), replies.clone());
                tokio::spawn(async move {
                    let request_number = request.request_number;
                    let reply = match node.take(request).await {
                        End::Reply(reply) => Ok(reply),
                        End::Refused(refused) => Ok(SubmitReply {
                            request_number,
                            refusal: Some(refused.into()),
                            ..SubmitReply::default()
                        }),
                        End::Silence => return,
                        End::Break => Err(Status::unavailable("the connection broke")),
                    };
                    let _ = replies.send(reply).await;
                });
            }
        });
        Ok(self.answer(Box::pin(ReceiverStream::new(outgoing)) as Self::SubmitStreamStream))
    }

    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupReply>, Status> {
        let request = self.admit(request)?;
        Ok(self.answer(self.look_up(&request)?))
    }

    type LookupStreamStream = Replies<LookupReply>;

    async fn lookup_stream(
        &self,
        request: Request<Streaming<LookupRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        let requests = self.admit(request)?;
        let node = self.clone();
        let replies = requests.map(move |request| {
            let request = request?;
            Ok(node
                .look_up(&request)
                .unwrap_or_else(|refused| LookupReply {
                    request_number: request.request_number,
                    refusal: Some(refused.into()),
                    ..LookupReply::default()
                }))
        });
        Ok(self.answer(Box::pin(replies) as Self::LookupStreamStream))
    }
}

#[tonic::async_trait]
impl Ledgers for Node {
    async fn create_ledgers(
        &self,
        _: Request<CreateLedgersRequest>,
    ) -> Result<Response<CreateLedgersReply>, Status> {
        Err(Refused::new(Reason::Unsupported, "packed only").into_status())
    }

    async fn lookup_ledgers(
        &self,
        request: Request<LookupLedgersRequest>,
    ) -> Result<Response<LookupLedgersReply>, Status> {
        let request = self.admit(request)?;
        let reply = {
            let shared = self.shared.lock().unwrap();
            self.leads(&shared)?;
            let found = |ledger: &farthing_ledger::Ledger| LookedUpLedger {
                ledger: Some(convert::ledger::to_wire(ledger)),
            };
            let mut reply = LookupLedgersReply {
                applied_index: shared.log_index,
                ..Default::default()
            };
            if request.numbers.is_empty() {
                // Pages of two, so that paging is really used.
                let from: u32 = request.page_token.parse().unwrap_or(0);
                let mut rows = shared.state.ledgers().filter(|row| row.ledger > from);
                reply.ledgers = rows.by_ref().take(2).map(found).collect();
                if rows.next().is_some() {
                    let last = reply
                        .ledgers
                        .last()
                        .and_then(|row| row.ledger.as_ref())
                        .unwrap();
                    reply.next_page_token = last.number.to_string();
                }
            } else {
                reply.ledgers = request
                    .numbers
                    .iter()
                    .map(|number| {
                        shared
                            .state
                            .ledger(*number)
                            .as_ref()
                            .map(found)
                            .unwrap_or_default()
                    })
                    .collect();
            }
            reply
        };
        Ok(self.answer(reply))
    }
}

#[tonic::async_trait]
impl Records for Node {
    async fn write_records(
        &self,
        _: Request<WriteRecordsRequest>,
    ) -> Result<Response<WriteRecordsReply>, Status> {
        Err(Refused::new(Reason::Unsupported, "packed only").into_status())
    }

    async fn lookup_records(
        &self,
        request: Request<LookupRecordsRequest>,
    ) -> Result<Response<LookupRecordsReply>, Status> {
        let request = self.admit(request)?;
        let keys = convert::record::keys_from_wire(&request.keys)
            .map_err(|violations: Vec<FieldError>| Refused::invalid(violations).into_status())?;
        let reply = {
            let shared = self.shared.lock().unwrap();
            if Consistency::from(request.consistency) == Consistency::Linearizable {
                self.leads(&shared)?;
            }
            let records = keys
                .iter()
                .map(|key| convert::record::to_wire(key, shared.state.record(key).as_ref()));
            LookupRecordsReply {
                records: records.collect(),
                applied_index: shared.log_index,
            }
        };
        Ok(self.answer(reply))
    }
}

#[tonic::async_trait]
impl Admin for Node {
    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<StatusReply>, Status> {
        self.admit(request)?;
        let reply = {
            let shared = self.shared.lock().unwrap();
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
        let index = self.shared.lock().unwrap().log_index;
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
            let mut shared = self.shared.lock().unwrap();
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
        Err(Refused::new(Reason::Unsupported, "not here").into_status())
    }

    async fn compact(&self, _: Request<CompactRequest>) -> Result<Response<CompactReply>, Status> {
        Err(Refused::new(Reason::Unsupported, "not here").into_status())
    }
}
