//! What a node answers: its peers by its own services, callers and operators by orders.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::AccountId;
use farthing_node::admission::{self, Refusal, Work};
use farthing_node::consensus::clocks::Clock as _;
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;

use super::{Machine, Running, member};
use crate::messages::{Order, Reply};
use crate::trace;
use crate::wire::{Service, read_all, whole};

/// How long a call of an operator may take.
const ORDER_MAX: Duration = Duration::from_secs(5);

impl Machine {
    pub(super) async fn answer(
        &self,
        request: Request<Body>,
        door: &Mutex<Option<admission::Handle>>,
        peers: &Mutex<Option<Service>>,
    ) -> Result<Response<Body>, Status> {
        let path = request.uri().path().to_owned();
        if !path.starts_with("/sim/") {
            let peers = peers.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(peers) = peers else {
                return Err(Status::unavailable("the node is starting"));
            };
            return peers(request).await;
        }
        let message = read_all(request.into_body()).await?;
        let door = door.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(door), Some(running)) = (door, self.running()) else {
            return Err(Status::unavailable("the node is starting"));
        };
        let order = Order::decode(&message).ok_or(Status::invalid_argument("no order"))?;
        let reply = match order {
            Order::Submit {
                deadline_ms,
                request,
            } => self.submit(&door, deadline_ms, request).await,
            Order::Read { account } => self.read(&running, AccountId(account)).await,
            Order::HandOver { to } => {
                let moved = running.consensus.hand_over(to, ORDER_MAX).await;
                Reply::done(moved.map_err(|error| error.to_string()))
            }
            Order::Snapshot => {
                let built = running.consensus.snapshot().await;
                Reply::done(built.map_err(|error| error.to_string()))
            }
            Order::AddLearner { id } => {
                let added = running.consensus.add_learner(id, member(id)).await;
                Reply::done(added.map_err(|error| error.to_string()))
            }
            Order::ChangeVoters { add, remove } => {
                let (add, remove) = (add.into_iter().collect(), remove.into_iter().collect());
                let changed = running.consensus.change_voters(&add, &remove).await;
                Reply::done(changed.map_err(|error| error.to_string()))
            }
        };
        Ok(whole(reply.encode()))
    }

    async fn submit(&self, door: &admission::Handle, deadline_ms: u64, request: Bytes) -> Reply {
        let deadline = self.clock.monotonic() + Duration::from_millis(deadline_ms);
        let permit = match door.permit(request.len()) {
            Ok(permit) => permit,
            Err(error) => return Reply::Refused(error.to_string()),
        };
        match door
            .submit(permit, request.to_vec(), Work::New, deadline)
            .await
        {
            Ok(answer) => Reply::Answer {
                log_index: answer.log_index,
                results: answer.results,
            },
            Err(Refusal::NotLeader { leader }) => Reply::NotLeader(leader.map_or(0, |(id, _)| id)),
            Err(error @ (Refusal::Deadline | Refusal::Unknown(_))) => {
                Reply::Unknown(error.to_string())
            }
            Err(error) => Reply::Refused(error.to_string()),
        }
    }

    /// The two steps of a linearizable read: an index that covers what was answered, and a state that has got there.
    async fn read(&self, running: &Running, account: AccountId) -> Reply {
        let index = match running.consensus.read_index().await {
            Ok(index) => index,
            Err(error) => return Reply::Refused(error.to_string()),
        };
        if !running.consensus.is_leader() {
            trace::reached("read at a follower");
        }
        let waited = running.consensus.state().wait_applied(index);
        match tokio::time::timeout(Duration::from_secs(2), waited).await {
            Ok(Ok(())) => {
                let (index, digest, account) = running.memory.read(account);
                Reply::Account {
                    index,
                    digest,
                    account,
                }
            }
            Ok(Err(error)) => Reply::Refused(error.to_string()),
            Err(_) => Reply::Refused("not applied in time".into()),
        }
    }
}
