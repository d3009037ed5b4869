//! The final reads: everything the run ever named, on every node by itself, and the digests.

use std::sync::Arc;
use std::time::Duration;

use farthing_client::PendingStatus;
use farthing_proto::v1::DigestRequest;
use farthing_proto::v1::admin_client::AdminClient;
use tokio::time::{Instant, sleep, timeout};

use super::watch::{channel, status};
use crate::history::{
    Consistency, Facts, FinalRead, Function, Kind, Lookup, PendingRow, Process, Value,
};
use crate::nemesis::Field;
use crate::workload::{Remote, Shared};

/// Ids of one lookup.
const IDS: usize = 4000;
/// Longest wait for all nodes to have applied the same.
const EQUAL: Duration = Duration::from_secs(20);
/// The longest timeout of a pending transfer, and room for the pulse that ends it.
const EXPIRE: Duration = Duration::from_secs(5);
const CALL: Duration = Duration::from_secs(10);
/// A read that met an entry in between is made again.
const TRIES: usize = 4;

/// Reads every node and notes what it holds. What cannot be read leaves the dump incomplete, which the checkers see.
/// Without hope for all nodes to agree (`ready` is false) it is read once.
pub(super) async fn read_everything(field: &Arc<Field>, shared: &Shared, ready: bool) {
    sleep(EXPIRE).await;
    let tries = if ready { TRIES } else { 1 };
    for _ in 0..tries {
        let index = same_index(field).await;
        let mut equal = index.is_some();
        for node in &field.cluster.nodes {
            match dump(node.direct, shared, node.id, field).await {
                Some(read_at) => equal &= index == Some(read_at),
                None => equal = false,
            }
        }
        equal &= digests(field, index).await;
        if equal {
            field.reached("final.equal");
            return;
        }
    }
}

/// The index all nodes have applied, once they agree on it and nothing is on its way.
async fn same_index(field: &Field) -> Option<u64> {
    let until = Instant::now() + EQUAL;
    let mut last = None;
    while Instant::now() < until {
        let mut found = Vec::new();
        for node in &field.cluster.nodes {
            let status = match channel(node) {
                Some(channel) => status(&channel).await,
                None => None,
            };
            found.push(status.map(|status| status.applied_index));
        }
        let first = found.first().copied().flatten();
        let agree = first.is_some() && found.iter().all(|index| *index == first);
        if agree && last == first {
            return first;
        }
        last = if agree { first } else { None };
        sleep(Duration::from_millis(300)).await;
    }
    None
}

/// Reads one node, whatever the others hold. The index at which all of it is exact, if there is one.
async fn dump(
    address: std::net::SocketAddr,
    shared: &Shared,
    node: u64,
    field: &Field,
) -> Option<u64> {
    let remote = Remote::new(address);
    let (accounts, transfers, pendings) = shared.used();
    let stale = Consistency::Stale;
    let mut parts: Vec<FinalRead> = Vec::new();
    let mut first = FinalRead::default();
    // All accounts in one lookup: sums over them hold only at one index.
    for ids in accounts.chunks(8000) {
        let reply = remote.read_accounts(ids, stale, CALL).await.ok()?;
        first.applied_index = reply.applied_index;
        for (id, row) in ids.iter().zip(reply.rows) {
            match row {
                Some(account) => first.accounts.push(account),
                None => first.accounts_absent.push(*id),
            }
        }
    }
    parts.push(first);
    for ids in transfers.chunks(IDS) {
        let reply = remote.read_transfers(ids, stale, CALL).await.ok()?;
        let mut part = FinalRead {
            applied_index: reply.applied_index,
            ..FinalRead::default()
        };
        for (id, row) in ids.iter().zip(reply.rows) {
            match row {
                Lookup::Found(transfer) => part.transfers.push(transfer),
                Lookup::Refused => part.refused.push(*id),
                Lookup::Absent => part.absent.push(*id),
            }
        }
        parts.push(part);
    }
    for ids in pendings.chunks(IDS) {
        let reply = remote.read_pendings(ids, stale, CALL).await.ok()?;
        let rows = ids.iter().zip(reply.rows).filter_map(|(id, row)| {
            let status: PendingStatus = row?.0;
            Some(PendingRow { id: *id, status })
        });
        parts.push(FinalRead {
            applied_index: reply.applied_index,
            pendings: rows.collect(),
            ..FinalRead::default()
        });
    }
    let index = parts[0].applied_index;
    let exact = parts.iter().all(|part| part.applied_index == index);
    let count = parts.len() as u32;
    for (number, mut part) in parts.into_iter().enumerate() {
        part.part = number as u32;
        part.parts = count;
        let facts = Facts {
            node: Some(node),
            ..Facts::default()
        };
        let value = Value::FinalRead(Box::new(part));
        field.recorder.note(
            Kind::Info,
            Process::Harness,
            Function::FinalRead,
            value,
            facts,
        );
    }
    exact.then_some(index)
}

/// Notes every node's digest. True when all are of this index; whether they are equal is for the checkers.
async fn digests(field: &Field, index: Option<u64>) -> bool {
    let mut all = true;
    for node in &field.cluster.nodes {
        let Some(channel) = channel(node) else {
            all = false;
            continue;
        };
        let mut admin = AdminClient::new(channel);
        let asked = admin.digest(DigestRequest { at_index: 0 });
        let reply = timeout(CALL, asked).await.ok().and_then(Result::ok);
        let Some(reply) = reply.map(tonic::Response::into_inner) else {
            all = false;
            continue;
        };
        let Ok(digest) = <[u8; 16]>::try_from(&reply.digest[..]) else {
            field.trouble(format!(
                "node {} gives a digest of a strange length",
                node.id
            ));
            continue;
        };
        all &= index == Some(reply.index);
        let facts = Facts {
            node: Some(node.id),
            log_index: Some(reply.index),
            digest: Some(u128::from_be_bytes(digest)),
            ..Facts::default()
        };
        field.recorder.note(
            Kind::Info,
            Process::Harness,
            Function::Digest,
            Value::None,
            facts,
        );
    }
    all
}
