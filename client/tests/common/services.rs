//! One pretended node: who leads, what becomes of a request. Its services are in the modules.

mod admin;
pub mod events;
mod ledgers;
mod packed;
mod records;

use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use farthing_ledger::{Seen, View};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::metadata;
use farthing_proto::packed::{LookupAnswer, check_lookup, read_results, write_results};
use farthing_proto::v1::*;
use futures::Stream;
use tonic::{Request, Response, Status};

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
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// Holds the call to the cluster id, as a true node does.
    fn admit<T>(&self, request: Request<T>) -> Result<T, Status> {
        let (ours, careless) = {
            let mut shared = self.lock();
            if let Some(timeout) = request.metadata().get("grpc-timeout") {
                shared.unary_timeout = Some(timeout.to_str().unwrap().to_owned());
            }
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
        let id = self.lock().cluster_id;
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
        let delay = self.lock().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut shared = self.lock();
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
                let mut results = read_results(&reply.results[0]).unwrap();
                results[0].status = 9_999;
                reply.results[0] = write_results(&results);
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
        let (kind, ids) = check_lookup(request)?;
        let mut shared = self.lock();
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

/// What only the true node can do.
fn unsupported<T>() -> Result<T, Status> {
    Err(Refused::new(Reason::Unsupported, "not here").into_status())
}
