//! Puts Raft and the peers' listener together and runs them on their own thread.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use super::clocks::{Clock, Clocks};
use super::identity::Identity;
use super::log_store::LogStore;
use super::machine::Machine;
use super::network::Network;
use super::peer::PeerService;
use super::read_index::ReadIndexes;
use super::types::Raft;
use super::{Config, Handle, founding, guard, members, network, retention};
use crate::log::Log;
use crate::{state, storage, vitals};

/// Parts that Raft stands on.
pub struct Parts {
    /// The open log.
    pub log: Log,
    /// The apply thread.
    pub state: state::Handle,
    /// Readers' side of the state.
    pub storage: storage::Handle,
    /// How this node is.
    pub vitals: vitals::Handle,
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
        #[cfg(feature = "runtime-stats")]
        if let Ok(mut stats) = self.handle.raft.runtime_stats().await {
            stats.build_log_stage_histograms();
            tracing::info!("{}", stats.display().multiline());
        }
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
        vitals: parts.vitals.clone(),
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
        vitals: parts.vitals,
    };
    let _ = slot.set((raft.clone(), handle.clone()));
    tokio::spawn(guard::run(raft.clone(), network.clone(), handle.clone()));
    if !initialized {
        tokio::spawn(founding::found(raft.clone(), network, config.clone()));
    }
    tokio::spawn(members::finish_changes(raft.clone()));
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
