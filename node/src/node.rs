//! The parts of a replica put together, started bottom-up and stopped top-down.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::consensus::clocks::{Clock, SkewedClock, SystemClock};
use crate::listener::{self, Listener, TooFewFiles};
use crate::log::{Log, OpenError};
use crate::server::{Context, Doors, Identity, Layers};
use crate::storage::DurableLog;
use crate::{
    admission, consensus, events, log, meta, query, repair, server, state, storage, vitals,
};

/// Why a node did not start or did not go on. Each has its exit code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory is not this node's, or not usable.
    #[error(transparent)]
    Directory(#[from] meta::Error),
    /// The log does not open.
    #[error("the log does not open: {0}")]
    Log(#[from] OpenError),
    /// The state does not open.
    #[error("the state does not open: {0}")]
    State(#[from] storage::Error),
    /// An address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The process may not open enough files.
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    /// Storage failed while running; the node must not go on.
    #[error("storage failed: {0}")]
    Storage(String),
    /// The directory is older than what the node has promised to others.
    #[error(
        "this node has forgotten what it promised: {0}. Its directory went back in time, or it was emptied or replaced by a copy. Others count on what is missing, so it must not go on: remove it from the cluster and add a node with an empty directory under a new id"
    )]
    Forgot(String),
    /// The state is damaged and this node has nobody who could give it back.
    #[error(
        "the state cannot be used: {0}. There is no other node that could give it back; keep the directory"
    )]
    Found(String),
    /// This node's data is damaged; its next start repairs it.
    #[error("this node's data cannot be used: {0}; the next start repairs it")]
    Repair(String),
    /// Anything else that ends a node.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Error {
    /// Exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Storage(_) => 3,
            Self::Log(OpenError::Damaged(_))
            | Self::Directory(meta::Error::Damaged { .. })
            | Self::Found(_) => 4,
            Self::State(error) if error.is_damage() => 4,
            Self::Directory(meta::Error::Foreign { .. }) => 5,
            Self::Forgot(_) => 6,
            Self::Repair(_) => 7,
            Self::Directory(_)
            | Self::Listen { .. }
            | Self::Files(_)
            | Self::Log(_)
            | Self::State(_)
            | Self::Other(_) => 1,
        }
    }
}

/// Connections of peers: three from each, and what they leave behind when they start again; a hundred nodes fit.
const PEER_CONNECTIONS_MAX: usize = 512;

pub(crate) struct Durable(pub(crate) Log);

impl DurableLog for Durable {
    fn wait_durable(&self, index: u64, timeout: Duration) -> bool {
        self.0.wait_durable(index, timeout).unwrap_or(false)
    }
}

/// What a started node tells whoever started it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Ready {
    /// Always true; a line without it is no ready line.
    pub ready: bool,
    /// This node.
    pub node_id: u64,
    /// Where it serves clients, with the port it really has.
    pub client_address: String,
    /// Where it serves the other nodes.
    pub peer_address: String,
}

/// Runs a node until `stop` changes to true or the node cannot go on. `ready` is called once it serves.
///
/// # Errors
/// See [`Error`].
pub async fn run(
    config: Config,
    mut stop: watch::Receiver<bool>,
    ready: impl FnOnce(&Ready),
) -> Result<(), Error> {
    let claim = meta::claim(&config.dir, config.cluster_id, config.node_id)?;
    let limits = server::limits(
        config.connections.keepalive,
        config.connections.keepalive_timeout,
    );
    let (client_listener, peer_listener) = listen(&config, &limits)?;
    let doors = Doors {
        clients: client_listener.gauges(),
        peers: peer_listener.gauges(),
    };

    let (fatal, mut died) = mpsc::channel(1);
    let suspicion = consensus::Suspicion::open(&config.dir).map_err(anyhow::Error::from)?;
    let storage_config = storage::Config {
        cluster_id: config.cluster_id,
        node_id: config.node_id,
        run_transfers_max: config.run_transfers,
        run_interval: Duration::from_millis(config.run_interval_ms),
        block_cache_bytes: config.block_cache_bytes,
        free_bytes_min: config.disk_reserve_bytes,
        disk_quota_bytes: config.disk_quota_bytes,
        ..storage::Config::new(&config.dir)
    };
    let (dir, members, own) = (config.dir.clone(), config.members.clone(), config.node_id);
    let has_others = move || consensus::has_others(&dir, &members, own);
    let repair::Opened {
        log,
        writer,
        storage,
        rebuild_to,
    } = repair::open(
        &config.dir,
        &log_config(&config, fatal),
        &storage_config,
        &suspicion,
        has_others(),
    )?;
    let term_at_start = log.vote().map_or(0, |vote| vote.term);
    tracing::info!(
        node_id = config.node_id,
        cluster_id = format!("{:032x}", config.cluster_id),
        incarnation = claim.meta.incarnation,
        log = ?log.open_report(),
        applied = ?storage.applied().log_id,
        "opened"
    );
    let (state, apply_thread) =
        state::start(writer, storage.clone()).map_err(anyhow::Error::from)?;
    let events = events::start(
        &config.dir,
        config.cluster_id,
        config.node_id,
        storage.clone(),
    )?;
    let vitals = vitals::start(
        vitals_config(&config, events.verifier().key()),
        log.clone(),
        Arc::new(storage.clone()),
    )
    .map_err(anyhow::Error::from)?;
    let raft = consensus::start(
        raft_config(&config, claim.meta.incarnation),
        consensus::Parts {
            log: log.clone(),
            state: state.clone(),
            storage: Arc::new(storage.clone()),
            vitals,
            clock: clock(&config)?,
            suspicion,
            rebuild_to,
        },
        peer_listener,
    )
    .await?;
    let door = admission::Config {
        bytes_max: config.admission_bytes,
        ..admission::Config::default()
    };
    let identity = Identity {
        cluster_id: config.cluster_id,
        node_id: config.node_id,
        client_address: address_of(&client_listener, &config.client_address),
        peer_address: config.peer_address.clone(),
        data_dir: config.dir.clone(),
        term_at_start,
    };
    let layers = Layers {
        admission: admission::start(&door, raft.handle.clone()),
        query: query::Handle::new(raft.handle.clone(), storage.clone()),
        consensus: raft.handle.clone(),
        storage: storage.clone(),
        log: log.clone(),
        events,
    };
    let context = Context::new(identity.clone(), doors, layers);
    let (close, closed) = tokio::sync::oneshot::channel::<()>();
    let mut serving = tokio::spawn(async move {
        let stop = async move {
            let _ = closed.await;
        };
        server::serve(client_listener, &limits, context, stop).await
    });
    ready(&Ready {
        ready: true,
        node_id: identity.node_id,
        client_address: identity.client_address,
        peer_address: identity.peer_address,
    });

    let ended = raft.handle.clone();
    let result = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {
            tracing::info!("stopping: handing leadership over and finishing what is under way");
            Ok(())
        }
        what = repair::due(&config.dir, &raft.handle, &storage, &has_others) => Err(Error::Repair(what)),
        Some(error) = died.recv() => Err(Error::Storage(error)),
        why = ended.ended() => Err(match why {
            consensus::Ended::Failed(why) => Error::Storage(why),
            consensus::Ended::Forgot(why) => Error::Forgot(why),
        }),
        finished = &mut serving => Err(Error::Other(match finished {
            Ok(Ok(())) => anyhow::anyhow!("the clients' listener ended"),
            Ok(Err(error)) => error,
            Err(error) => error.into(),
        })),
    };
    // After an error nothing that may be wrong is written any more; recovery at the next start is the only way back.
    result.map_err(|error| match repair::left(&config.dir, &storage) {
        Some(what) if has_others() => Error::Repair(what),
        Some(what) => Error::Found(what),
        None => error,
    })?;
    raft.stop().await;
    let _ = close.send(());
    let _ = tokio::time::timeout(Duration::from_secs(3), serving).await;
    state.stop().await;
    let _ = tokio::task::spawn_blocking(move || {
        let _ = apply_thread.join();
        storage.shutdown();
        log.close();
    })
    .await;
    tracing::info!("stopped");
    Ok(())
}

fn log_config(config: &Config, fatal: mpsc::Sender<String>) -> log::Config {
    let mut log_config =
        log::Config::new(config.dir.join("log"), config.cluster_id, config.node_id);
    log_config.segment_bytes = u32::try_from(config.log_segment_bytes).unwrap_or(1 << 30);
    log_config.on_fatal = Arc::new(move |error| {
        tracing::error!(%error, "the log cannot go on: this node stops; what it had acknowledged is on the others");
        let _ = fatal.try_send(error.to_string());
    });
    log_config
}

fn raft_config(config: &Config, incarnation: u64) -> consensus::Config {
    let (min, max) = config.election_timeout_ms;
    consensus::Config {
        cluster_id: config.cluster_id,
        node_id: config.node_id,
        dir: config.dir.clone(),
        incarnation,
        initial_members: config.members.clone(),
        heartbeat: Duration::from_millis(config.heartbeat_ms),
        election_timeout: (Duration::from_millis(min), Duration::from_millis(max)),
        log_keep_bytes: config.log_keep_bytes,
    }
}

/// A transfer takes some 300 bytes in memory and less on disk; a window never has more than the limit of its bytes.
fn vitals_config(config: &Config, public_key: vitals::PublicKey) -> vitals::Config {
    let limit = storage::Config::new(&config.dir).run_bytes_max as u64;
    let run_bytes = (config.run_transfers as u64).saturating_mul(320);
    vitals::Config {
        node_id: config.node_id,
        dir: config.dir.clone(),
        ballast_bytes: config.disk_ballast_bytes,
        low_bytes: config.disk_low_bytes,
        reserve_bytes: config.disk_reserve_bytes,
        segment_bytes: config.log_segment_bytes,
        door_bytes: config.admission_bytes as u64,
        run_bytes: run_bytes.min(limit),
        sync_slow: Duration::from_millis(config.disk_sync_slow_ms),
        scrub: vitals::ScrubConfig {
            period: Duration::from_secs(config.disk_scrub_period_s),
            bytes_per_s: config.disk_scrub_bytes_per_s,
        },
        public_key: Some(public_key),
    }
}

fn clock(config: &Config) -> Result<Arc<dyn Clock>, Error> {
    #[cfg(feature = "failpoints")]
    if let Some(path) = &config.clock_file {
        let followed = crate::clock_file::ClockFile::follow(path);
        return Ok(Arc::new(followed.map_err(anyhow::Error::from)?));
    }
    Ok(match config.clock_skew_ms {
        0 => Arc::new(SystemClock),
        skew_ms => Arc::new(SkewedClock {
            offset_ns: skew_ms.saturating_mul(1_000_000),
        }),
    })
}

/// Binds both addresses. Peers have places of their own: however many clients come, the nodes reach each other.
fn listen(config: &Config, limits: &listener::Limits) -> Result<(Listener, Listener), Error> {
    let wanted = config.connections.max;
    let files = u64::try_from(storage::Config::new(&config.dir).open_files_max).unwrap_or(0);
    let connections_max = listener::room_for_connections(wanted, files, PEER_CONNECTIONS_MAX)?;
    if connections_max < wanted {
        tracing::warn!(
            wanted,
            connections_max,
            "the process may not open as many files as connections are allowed: fewer are served; raise its limit (ulimit -Hn) or lower connections.max"
        );
    }
    let clients = listener::Config {
        name: "clients",
        connections_max,
        preface_within: config.connections.preface,
        taken_within: limits.taken_within(),
        held: server::HELD_MAX,
    };
    let peers = listener::Config {
        name: "peers",
        connections_max: PEER_CONNECTIONS_MAX,
        preface_within: config.connections.preface,
        taken_within: consensus::LIMITS.taken_within(),
        held: consensus::HELD_MAX,
    };
    let bind = |address: &str, config| {
        Listener::bind(address, config).map_err(|source| Error::Listen {
            address: address.to_owned(),
            source,
        })
    };
    Ok((
        bind(&config.client_address, clients)?,
        bind(&config.peer_address, peers)?,
    ))
}

/// The address with the port that the system chose for port 0.
fn address_of(listener: &Listener, configured: &str) -> String {
    match (listener.local_addr(), configured.ends_with(":0")) {
        (Ok(address), true) => address.to_string(),
        _ => configured.to_owned(),
    }
}
