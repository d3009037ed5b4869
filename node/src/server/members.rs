//! Who belongs to the cluster, and how that changes.
//!
//! Node ids are given out by the log: the last one is a record of the ledger's own store, raised by a write that names
//! the version it saw. So no id is given out twice, whoever asks, whichever node leads, whatever is retried.

use std::collections::BTreeSet;
use std::time::Instant;

use farthing_ledger::VERSION_ABSENT;
use farthing_proto::error::{FieldError, Reason, Refused};
use farthing_proto::v1;

use super::context::Context;
use super::own_records::{self, CLUSTER};
use crate::consensus::{ChangeError, Error, Member, Status};

/// Where the last id given out is kept.
const KEY: &[u8] = b"node-id-last";
/// Attempts against others who take an id at the same time.
const ATTEMPTS_MAX: usize = 16;
/// Bytes of an address at most.
const ADDRESS_BYTES_MAX: usize = 256;

/// The members as the wire lists them.
pub(super) fn listed(status: &Status) -> Vec<v1::Member> {
    let listed = status.members.iter().map(|found| v1::Member {
        id: found.id,
        client_address: found.member.client_address.clone(),
        peer_address: found.member.peer_address.clone(),
        role: if found.voter {
            v1::MemberRole::Voter
        } else {
            v1::MemberRole::Learner
        }
        .into(),
    });
    listed.collect()
}

/// Gives out the next node id.
pub(super) async fn allot(context: &Context, until: Instant) -> Result<u64, Refused> {
    raise(context, until, |_, highest| Some(highest + 1)).await
}

/// Writes down the highest id of the members, so that it is not given out again when its node is gone. Ids of the
/// founding members were never given out.
async fn remember_members(context: &Context, until: Instant) -> Result<(), Refused> {
    raise(context, until, |last, highest| {
        (last < highest).then_some(highest)
    })
    .await
    .map(|_| ())
}

/// Raises the last id given out to what `wanted` says, from the last one and the highest that is in use or was given
/// out; leaves it when that is `None`.
async fn raise(
    context: &Context,
    until: Instant,
    wanted: impl Fn(u64, u64) -> Option<u64>,
) -> Result<u64, Refused> {
    for _ in 0..ATTEMPTS_MAX {
        let (last, version) = last_allotted(context, until).await?;
        let members = context.consensus().status().members;
        let highest = members.iter().map(|found| found.id).max().unwrap_or(0);
        let Some(next) = wanted(last, highest.max(last)) else {
            return Ok(last);
        };
        let place = (CLUSTER, KEY);
        if own_records::write(context, place, version, &next.to_le_bytes(), until).await? {
            return Ok(next);
        }
    }
    let message = "others took every id that was tried; try again";
    Err(Refused::new(Reason::MembersChanging, message))
}

/// The last id given out, 0 for none, and the version of its record.
async fn last_allotted(context: &Context, until: Instant) -> Result<(u64, u64), Refused> {
    let found = own_records::read(context, CLUSTER, KEY, until).await?;
    let Some(record) = found else {
        return Ok((0, VERSION_ABSENT));
    };
    let bytes = <[u8; 8]>::try_from(record.value.as_slice());
    match bytes {
        Ok(bytes) if !record.deleted => Ok((u64::from_le_bytes(bytes), record.version)),
        _ => {
            let message = format!(
                "record {:?} of namespace {CLUSTER} does not hold a node id; somebody wrote it",
                String::from_utf8_lossy(KEY)
            );
            Err(Refused::new(Reason::Internal, message))
        }
    }
}

/// Makes a node a learner.
pub(super) async fn add_learner(
    context: &Context,
    request: v1::AddLearnerRequest,
    until: Instant,
) -> Result<v1::MembersReply, Refused> {
    for (field, address) in [
        ("client_address", &request.client_address),
        ("peer_address", &request.peer_address),
    ] {
        let has_port = address.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if !has_port || address.len() > ADDRESS_BYTES_MAX {
            return Err(Refused::invalid(vec![FieldError::new(
                field,
                "is not host:port",
            )]));
        }
    }
    let id = request.node_id;
    let is_member = context.consensus().status().member(id).is_some();
    let (last, _) = last_allotted(context, until).await?;
    if id == 0 || (!is_member && id > last) {
        let message = format!("{id} was not given out by AllotNodeId, whose last is {last}");
        return Err(Refused::invalid(vec![FieldError::new("node_id", message)]));
    }
    let member = Member {
        client_address: request.client_address,
        peer_address: request.peer_address,
    };
    let added = in_time(until, context.consensus().add_learner(id, member)).await?;
    added.map_err(|error| refused(&error))?;
    tracing::info!(id, "a learner was added");
    Ok(reply(context))
}

/// Makes learners voters and removes members.
pub(super) async fn change_voters(
    context: &Context,
    request: &v1::ChangeVotersRequest,
    until: Instant,
) -> Result<v1::MembersReply, Refused> {
    let add: BTreeSet<u64> = request.add.iter().copied().collect();
    let remove: BTreeSet<u64> = request.remove.iter().copied().collect();
    if let Some(both) = add.intersection(&remove).next() {
        let message = format!("node {both} is to be added as well");
        return Err(Refused::invalid(vec![FieldError::new("remove", message)]));
    }
    if !remove.is_empty() {
        remember_members(context, until).await?;
    }
    let changed = in_time(until, context.consensus().change_voters(&add, &remove)).await?;
    changed.map_err(|error| refused(&error))?;
    tracing::info!(?add, ?remove, "the voters changed");
    Ok(reply(context))
}

fn reply(context: &Context) -> v1::MembersReply {
    v1::MembersReply {
        members: listed(&context.consensus().status()),
    }
}

async fn in_time<T>(until: Instant, change: impl Future<Output = T>) -> Result<T, Refused> {
    tokio::time::timeout_at(until.into(), change).await.map_err(|_| {
        let message = "the change was begun and not complete before the deadline; ask again, it changes nothing twice";
        Refused::new(Reason::OutcomeUnknown, message)
    })
}

fn refused(error: &ChangeError) -> Refused {
    let message = error.to_string();
    match error {
        ChangeError::Raft(Error::NotLeader { leader }) => match leader {
            Some((_, member)) => {
                Refused::new(Reason::NotLeader, message).with_leader(member.client_address.clone())
            }
            None => Refused::new(Reason::NoLeader, message),
        },
        ChangeError::Raft(Error::NoQuorum(_)) => Refused::new(Reason::NoLeader, message),
        ChangeError::Raft(_) => Refused::new(Reason::OutcomeUnknown, message),
        ChangeError::UnderWay => Refused::new(Reason::MembersChanging, message),
        ChangeError::Unknown(_) => Refused::new(Reason::NodeUnknown, message),
        ChangeError::Taken { .. } => Refused::invalid(vec![FieldError::new("node_id", message)]),
        ChangeError::Behind { .. } => Refused::new(Reason::MemberBehind, message),
        ChangeError::Unsafe { .. } => Refused::new(Reason::MembersUnsafe, message),
    }
}
