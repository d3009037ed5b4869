//! What every service needs: the layers below, who this node is, deadlines, and refusals in the words of the wire.

mod deadlines;
mod refusals;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farthing_ledger::{RequestBuilder, SectionKind};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::metadata;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::Status;
use tonic::metadata::MetadataMap;

pub(super) use self::deadlines::{deadline, message_deadline, unary_deadline};
pub(super) use self::refusals::storage_failed;
use super::scales::Scales;
use crate::admission::{self, Answer, Work};
use crate::listener::Gauges;
use crate::{consensus, events, query, storage};

/// Subscribers at a time: each may hold a few parts of the stream in memory.
const SUBSCRIBERS_MAX: usize = 1_000;

/// Which node of which cluster answers.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Cluster id.
    pub cluster_id: u128,
    /// Node id.
    pub node_id: u64,
    /// Address told to clients.
    pub client_address: String,
    /// Address told to peers.
    pub peer_address: String,
    /// The node's directory.
    pub data_dir: PathBuf,
    /// Raft term of the last start, before this one's elections.
    pub term_at_start: u64,
}

/// What the node's listeners count, for status.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The clients' listener.
    pub clients: Gauges,
    /// The peers' listener.
    pub peers: Gauges,
}

/// The layers below, and the log for what its status says.
pub struct Layers {
    /// Requests that change something.
    pub admission: admission::Handle,
    /// Questions.
    pub query: query::Handle,
    /// The order of everything.
    pub consensus: consensus::Handle,
    /// The state.
    pub storage: storage::Handle,
    /// The node's own log.
    pub log: crate::log::Log,
    /// The event stream.
    pub events: events::Handle,
}

struct Inner {
    identity: Identity,
    doors: Doors,
    admission: admission::Handle,
    query: query::Handle,
    consensus: consensus::Handle,
    storage: storage::Handle,
    log: crate::log::Log,
    scales: Scales,
    events: events::Handle,
    subscribers: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    started: Instant,
}

/// Shared by all services. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

impl Context {
    /// Over the layers below.
    pub fn new(identity: Identity, doors: Doors, layers: Layers) -> Self {
        let Layers {
            admission,
            query,
            consensus,
            storage,
            log,
            events,
        } = layers;
        let scales = Scales::default();
        let inner = Inner {
            identity,
            doors,
            admission,
            query,
            consensus,
            storage,
            log,
            scales,
            events,
            subscribers: Arc::new(Semaphore::new(SUBSCRIBERS_MAX)),
            stopping: watch::Sender::new(false),
            started: Instant::now(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub(super) fn doors(&self) -> &Doors {
        &self.inner.doors
    }

    pub(super) fn consensus(&self) -> &consensus::Handle {
        &self.inner.consensus
    }

    pub(super) fn storage(&self) -> &storage::Handle {
        &self.inner.storage
    }

    pub(super) fn log(&self) -> &crate::log::Log {
        &self.inner.log
    }

    pub(super) fn admission(&self) -> &admission::Handle {
        &self.inner.admission
    }

    pub(super) fn events(&self) -> &events::Handle {
        &self.inner.events
    }

    /// Streams that would not end by themselves end.
    pub(super) fn stop(&self) {
        let _ = self.inner.stopping.send_replace(true);
    }

    /// Resolves when they shall.
    pub(super) async fn stopping(&self) {
        let mut stopping = self.inner.stopping.subscribe();
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// A place for one more subscriber, as long as it is held.
    pub(super) fn subscriber(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let places = Arc::clone(&self.inner.subscribers);
        places.try_acquire_owned().map_err(|_| {
            let message = format!(
                "this node has {SUBSCRIBERS_MAX} subscribers, as many as it takes; ask another node"
            );
            Refused::new(Reason::Overloaded, message).with_retry_after(Duration::from_secs(1))
        })
    }

    pub(super) fn scales(&self) -> &Scales {
        &self.inner.scales
    }

    pub(super) fn uptime(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// Refuses a caller that names another cluster. One that names none is let in: it learns the id from the answer.
    pub(super) fn check_cluster(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let own = self.inner.identity.cluster_id;
        let told = metadata::cluster_id(metadata);
        if matches!(told, Ok(None)) || told == Ok(Some(own)) {
            return Ok(());
        }
        let own = farthing_proto::convert::id::format_id(own);
        let message =
            format!("this node belongs to cluster {own}; check the endpoints or the cluster id");
        Err(Refused::new(Reason::ClusterIdMismatch, message).into_status())
    }

    /// An answer that carries the cluster's id.
    pub(super) fn reply<T>(&self, message: T) -> tonic::Response<T> {
        let mut response = tonic::Response::new(message);
        metadata::set_cluster_id(response.metadata_mut(), self.inner.identity.cluster_id);
        response
    }

    /// Carries out the sections of one request.
    pub(super) async fn submit(
        &self,
        sections: &[(SectionKind, usize, &[u8])],
        deadline: Instant,
    ) -> Result<Answer, Refused> {
        if deadline <= Instant::now() {
            let message = "the deadline passed before the request was begun; nothing was done";
            return Err(Refused::new(Reason::Deadline, message));
        }
        let bytes = sections.iter().map(|(_, _, items)| items.len()).sum();
        let permit = self
            .inner
            .admission
            .permit(bytes)
            .map_err(|refusal| self.refused(refusal))?;
        let work = Work::of(sections.iter().map(|(kind, _, items)| (*kind, *items)));
        // The caller's principal comes with authentication; until then a request has none.
        let request = sections
            .iter()
            .fold(RequestBuilder::new(&[]), |builder, (kind, count, items)| {
                builder.section(*kind, *count, items)
            })
            .finish()
            .map_err(|error| Refused::new(Reason::TooLarge, error.to_string()))?;
        self.inner
            .admission
            .submit(permit, request, work, deadline)
            .await
            .map_err(|refusal| self.refused(refusal))
    }

    /// A consistent cut as new as asked.
    pub(super) async fn reader(
        &self,
        consistency: Consistency,
        deadline: Instant,
    ) -> Result<storage::Reader, Refused> {
        if !self.consensus().verdict().serves() {
            let message = "this node's state is damaged or differs from the majority's, so it serves no reads; ask another node";
            return Err(Refused::new(Reason::NodeSuspect, message));
        }
        if self.consensus().is_rebuilding() {
            let message = "this node's state was damaged and is being made again, so it serves no reads yet; ask another node";
            return Err(Refused::new(Reason::NodeSuspect, message));
        }
        let consistency = match consistency {
            Consistency::Linearizable => query::Consistency::Linearizable,
            Consistency::MinLogIndex(index) => query::Consistency::AtLeast(index),
            Consistency::Stale => query::Consistency::Stale,
        };
        self.inner
            .query
            .reader(consistency, deadline)
            .await
            .map_err(|error| self.unread(error))
    }
}
