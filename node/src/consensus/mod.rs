//! Raft: how entries become the same on every node.
//!
//! This is the only folder that names openraft. Outside it there is a [`Handle`]: propose an entry, get a read index,
//! watch who leads. It knows nothing of accounts or clients; entries are bytes. Start reading at [`start`].
//!
//! Raft and the peers' listener run on one thread with a runtime of their own, so that a flood of clients cannot
//! delay a heartbeat.

pub mod clocks;
mod convert;
mod founding;
mod log_store;
mod machine;
mod network;
mod peer;
mod read_index;
mod retention;
mod snapshot;
mod status;
mod types;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ClientWriteError, RaftError};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use self::clocks::{Clock, Clocks};
use self::log_store::LogStore;
use self::machine::Machine;
use self::network::Network;
use self::peer::{Identity, PeerService};
use self::read_index::ReadIndexes;
use self::types::{Command, Raft};
use crate::log::Log;
use crate::state::{self, Outcome};
use crate::storage;

pub use self::status::{MemberStatus, Role, Status};
pub use self::types::Member;

/// How this node takes part in Raft.
#[derive(Debug, Clone)]
pub struct Config {
    /// Cluster this node belongs to; calls from another one are refused.
    pub cluster_id: u128,
    /// This node's number, unique for ever in its cluster.
    pub node_id: u64,
    /// Members to found a new cluster with; not consulted once a log exists.
    pub initial_members: BTreeMap<u64, Member>,
    /// Time between heartbeats.
    pub heartbeat: Duration,
    /// A follower that hears nothing for a random time in this range stands for election.
    pub election_timeout: (Duration, Duration),
    /// Bytes of log to keep for followers that fall behind; beyond it they get a snapshot.
    pub log_keep_bytes: u64,
}

/// Why a proposal, a read or a transfer of leadership did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another node leads, or none does for the moment.
    #[error("this node does not lead{}", leader.as_ref().map(|(id, _)| format!("; node {id} does")).unwrap_or_default())]
    NotLeader {
        /// The leader as far as this node knows.
        leader: Option<(u64, Member)>,
    },
    /// The entry was overwritten by another leader's: it certainly did not happen.
    #[error("another leader discarded the entry")]
    Discarded,
    /// No majority answers; for a proposal the outcome is unknown.
    #[error("no majority of the voters answers: {0}")]
    NoQuorum(String),
    /// Raft has stopped or the node is stopping; for a proposal the outcome is unknown.
    #[error("raft has stopped: {0}")]
    Stopped(String),
}

/// A proposal that was applied.
#[derive(Debug)]
pub struct Committed {
    /// Term in which it was proposed.
    pub term: u64,
    /// What applying it answered.
    pub outcome: Arc<Outcome>,
}

/// Everything the layers above may ask of Raft. Cheap to clone; works from any runtime.
#[derive(Clone)]
pub struct Handle {
    raft: Raft,
    state: state::Handle,
    reads: ReadIndexes,
    clock: Arc<dyn Clock>,
    clocks: Arc<Clocks>,
    node_id: u64,
}

/// Parts that Raft stands on.
pub struct Parts {
    /// The open log.
    pub log: Log,
    /// The apply thread.
    pub state: state::Handle,
    /// Readers' side of the state.
    pub storage: storage::Handle,
    /// Source of time.
    pub clock: Arc<dyn Clock>,
}

/// A running Raft: its handle and the means to end its thread.
pub struct Running {
    /// For the layers above.
    pub handle: Handle,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    /// Hands leadership over if this node leads, then stops Raft and the peers' listener.
    pub async fn stop(self) {
        self.handle
            .hand_over(None, Duration::from_secs(3))
            .await
            .ok();
        let _ = self.handle.raft.shutdown().await;
        let _ = self.stop.send(());
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// Starts Raft and the peers' listener on their own thread. Returns when Raft runs; whether there is a leader yet is
/// another question.
pub async fn start(
    config: Config,
    parts: Parts,
    listener: std::net::TcpListener,
) -> anyhow::Result<Running> {
    let (ready, started) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("raft".into())
        .spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(anyhow::Error::from(error)));
                    return;
                }
            };
            runtime.block_on(async move {
                let result = run(config, parts, listener).await;
                let _ = ready.send(result);
                let _ = stopped.await;
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
    let handle = started.await??;
    Ok(Running {
        handle,
        stop,
        thread,
    })
}

async fn run(
    config: Config,
    parts: Parts,
    listener: std::net::TcpListener,
) -> anyhow::Result<Handle> {
    let identity = Identity {
        cluster_id: config.cluster_id,
        node_id: config.node_id,
    };
    let clocks = Arc::new(Clocks::default());
    let network = Network::new(identity, Arc::clone(&parts.clock), Arc::clone(&clocks));
    let initialized = founding::has_history(&parts.log, &parts.storage);

    // The peers' listener answers before Raft runs: nodes that start together ask each other first.
    let slot = Arc::new(OnceLock::new());
    let service = PeerService {
        identity,
        clock: Arc::clone(&parts.clock),
        storage: parts.storage.clone(),
        started: Arc::clone(&slot),
        initialized,
    };
    tokio::spawn(serve_peers(listener, service)?);

    let raft = Raft::new(
        config.node_id,
        Arc::new(raft_config(&config)?),
        network.clone(),
        LogStore::new(parts.log.clone()),
        Machine::new(parts.state.clone(), parts.storage.clone()),
    )
    .await?;
    let reads = ReadIndexes::start(raft.clone(), network.clone(), config.node_id);
    let handle = Handle {
        raft: raft.clone(),
        state: parts.state.clone(),
        reads,
        clock: parts.clock,
        clocks,
        node_id: config.node_id,
    };
    let _ = slot.set((raft.clone(), handle.clone()));
    if !initialized {
        tokio::spawn(founding::found(raft.clone(), network, config.clone()));
    }
    tokio::spawn(retention::run(
        raft,
        parts.log,
        parts.storage,
        config.log_keep_bytes,
    ));
    Ok(handle)
}

fn serve_peers(
    listener: std::net::TcpListener,
    service: PeerService,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    listener.set_nonblocking(true)?;
    let incoming = TcpIncoming::from(TcpListener::from_std(listener)?).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder()
        .initial_stream_window_size(network::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(network::CONNECTION_WINDOW_BYTES)
        .max_frame_size(network::FRAME_BYTES)
        .max_concurrent_streams(64)
        .http2_adaptive_window(Some(false))
        .http2_keepalive_interval(Some(Duration::from_secs(5)))
        .http2_keepalive_timeout(Some(Duration::from_secs(5)))
        .add_service(service.into_server());
    Ok(async move {
        if let Err(error) = server.serve_with_incoming(incoming).await {
            tracing::error!(%error, "the peers' listener ended");
        }
    })
}

fn raft_config(config: &Config) -> anyhow::Result<openraft::Config> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let raft_config = openraft::Config {
        cluster_name: format!("{:032x}", config.cluster_id),
        heartbeat_interval: millis(config.heartbeat),
        election_timeout_min: millis(config.election_timeout.0),
        election_timeout_max: millis(config.election_timeout.1),
        enable_pre_vote: Some(true),
        // A node that was the leader is elected again instead of going on by itself: its directory may have gone back
        // in time, and a term must not have two entries at one index.
        enable_leader_restore: Some(false),
        // Five voters in a partial partition can deadlock without it.
        quorum_loss_probe_interval: Some(2_000),
        // Snapshots and purges are decided by bytes of log, in `retention`.
        snapshot_policy: openraft::SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: u64::MAX / 2,
        replication_lag_threshold: u64::MAX / 2,
        install_snapshot_timeout: 600_000,
        max_payload_entries: 1_024,
        ..openraft::Config::default()
    };
    Ok(raft_config.validate()?)
}

impl Handle {
    /// Proposes an entry envelope; resolves when it is durable on a quorum and applied here.
    ///
    /// # Errors
    /// [`Error::NotLeader`] and [`Error::Discarded`] mean it did not happen; any other error leaves the outcome unknown.
    pub async fn propose(&self, entry: Bytes) -> Result<Committed, Error> {
        match self.raft.client_write(Command(entry)).await {
            Ok(response) => match response.data.0 {
                Some(outcome) => Ok(Committed {
                    term: response.log_id.leader_id.term,
                    outcome,
                }),
                None => Err(Error::Stopped(
                    "an entry was applied without an outcome".into(),
                )),
            },
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Err(Error::NotLeader {
                    leader: forward.leader_id.zip(forward.leader_node),
                })
            }
            Err(RaftError::APIError(ClientWriteError::LogEntryDiscarded(_))) => {
                Err(Error::Discarded)
            }
            Err(RaftError::APIError(other)) => Err(Error::Stopped(other.to_string())),
            Err(RaftError::Fatal(fatal)) => Err(Error::Stopped(fatal.to_string())),
        }
    }

    /// An index such that a state which has applied it is at least as new as everything acknowledged before this call;
    /// on a follower it is obtained from the leader.
    ///
    /// # Errors
    /// When no leader is known or no majority answers.
    pub async fn read_index(&self) -> Result<u64, Error> {
        self.reads.get().await
    }

    /// The same, answered only while this node leads.
    pub(crate) async fn own_read_index(&self) -> Result<u64, Error> {
        read_index::own(&self.raft).await
    }

    /// Highest time that may be proposed now, and this node's wall clock; both in ns since 1970.
    pub fn proposal_times_ns(&self) -> (u64, u64) {
        let voters: Vec<u64> = self.raft.voter_ids().collect();
        let wall_ns = self.clock.wall_ns();
        (
            self.clocks
                .proposal_max_ns(self.node_id, &voters, wall_ns, self.clock.monotonic()),
            wall_ns,
        )
    }

    /// Whether this node believes that it leads.
    pub fn is_leader(&self) -> bool {
        self.raft.is_leader()
    }

    /// The apply thread's handle.
    pub fn state(&self) -> &state::Handle {
        &self.state
    }

    /// Where this node stands.
    pub fn status(&self) -> Status {
        status::read(&self.raft, &self.clocks)
    }

    /// Resolves with the reason when Raft has ended by itself: a storage error or a broken invariant.
    pub async fn ended(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_watched().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "raft has stopped".into();
            }
        }
    }

    /// Gives leadership to `to`, or to the voter that is furthest.
    ///
    /// # Errors
    /// When this node does not lead, there is no other voter, or the transfer did not finish within `timeout`.
    pub async fn hand_over(&self, to: Option<u64>, timeout: Duration) -> Result<u64, Error> {
        let status = self.status();
        if status.role != Role::Leader {
            let leader = status.leader.and_then(|id| Some((id, status.member(id)?)));
            return Err(Error::NotLeader { leader });
        }
        let target = to.or_else(|| status.furthest_voter(self.node_id));
        let Some(target) = target.filter(|id| *id != self.node_id) else {
            return Err(Error::NoQuorum("there is no other voter to lead".into()));
        };
        self.raft
            .trigger()
            .transfer_leader(target)
            .await
            .map_err(|fatal| Error::Stopped(fatal.to_string()))?;
        let node_id = self.node_id;
        let moved = self
            .raft
            .wait(Some(timeout))
            .metrics(
                |metrics| {
                    metrics
                        .current_leader
                        .is_some_and(|leader| leader != node_id)
                },
                "leadership moved",
            )
            .await;
        match moved {
            Ok(metrics) => Ok(metrics.current_leader.unwrap_or(target)),
            Err(error) => Err(Error::NoQuorum(format!(
                "leadership did not move within {timeout:?}: {error}"
            ))),
        }
    }

    /// Builds a snapshot now.
    ///
    /// # Errors
    /// When Raft has stopped.
    pub async fn snapshot(&self) -> Result<(), Error> {
        self.raft
            .trigger()
            .snapshot()
            .await
            .map_err(|fatal| Error::Stopped(fatal.to_string()))
    }
}
