//! Puts Raft and the peers' listener together and runs them on their own thread.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;

use super::channel::{Dial, Tcp};
use super::claims::{Claim, Claims, position};
use super::clocks::{Clock, Clocks};

use super::handle::Begun;
use super::identity::Identity;
use super::log_store::LogStore;
use super::machine::Machine;
use super::network::Network;
use super::peer::PeerService;
use super::read_index::ReadIndexes;
use super::remember::Circle;
use super::types::Raft;
use super::{
    Config, Ended, Handle, Suspicion, blocking, founding, guard, members, network, remember,
    retention, status,
};
use crate::log::Log;
use crate::{state, storage, vitals};

/// Pause between two looks at what this node could claim for itself.
const OWN_CLAIM_PAUSE: Duration = Duration::from_millis(500);

/// Parts that Raft stands on.
pub struct Parts {
    /// The open log.
    pub log: Log,
    /// The apply thread.
    pub state: state::Handle,
    /// Readers' side of the state.
    pub storage: Arc<dyn storage::Store>,
    /// How this node is.
    pub vitals: vitals::Handle,
    /// Source of time.
    pub clock: Arc<dyn Clock>,
    /// Whether this node has lost part of its log.
    pub suspicion: Suspicion,
}

/// A running Raft: its handle and the means to end its thread.
pub struct Running {
    /// For the layers above.
    pub handle: Handle,
    claims: Claims,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    /// Hands leadership over if this node leads, then stops Raft and the peers' listener.
    pub async fn stop(self) {
        #[cfg(feature = "runtime-stats")]
        if let Ok(begun) = self.handle.begun()
            && let Ok(mut stats) = begun.raft.runtime_stats().await
        {
            stats.build_log_stage_histograms();
            tracing::info!("{}", stats.display().multiline());
        }
        self.handle
            .hand_over(None, Duration::from_secs(3))
            .await
            .ok();
        if let Ok(begun) = self.handle.begun() {
            let _ = begun.raft.shutdown().await;
        }
        let _ = self.stop.send(());
        let _ = tokio::task::spawn_blocking(move || {
            let _ = self.thread.join();
            if let Err(error) = self.claims.save() {
                tracing::warn!(%error, "the others' claims could not be written");
            }
        })
        .await;
    }
}

/// Starts Raft and the peers' listener on their own thread. Returns when the handle can be used: Raft itself begins once
/// the others have said what they know of this node, and whether there is a leader then is another question.
pub async fn start(
    config: Config,
    parts: Parts,
    listener: std::net::TcpListener,
) -> anyhow::Result<Running> {
    let claims = Claims::open(&config.dir)?;
    let known = claims.clone();
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
                let serve = |service| serve_peers(listener, service);
                let result = run(config, parts, known, Arc::new(Tcp), serve).await;
                let _ = ready.send(result);
                let _ = stopped.await;
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
    let handle = started.await??;
    Ok(Running {
        handle,
        claims,
        stop,
        thread,
    })
}

/// The same on the caller's runtime, over the caller's network: a simulator has several nodes on one thread. `serve` is
/// given the peers' side of this node.
///
/// # Errors
/// When Raft does not start.
#[cfg(feature = "simulation")]
pub async fn start_here(
    config: Config,
    parts: Parts,
    dial: Arc<dyn Dial>,
    serve: impl FnOnce(super::channel::Channel),
) -> anyhow::Result<Handle> {
    use tower::ServiceExt;
    let claims = Claims::open(&config.dir)?;
    run(config, parts, claims, dial, |service: PeerService| {
        let service = ServiceExt::<http::Request<tonic::body::Body>>::map_err(
            service.into_server(),
            |never: std::convert::Infallible| match never {},
        );
        serve(tower::util::BoxCloneSyncService::new(service));
        Ok(std::future::ready(()))
    })
    .await
}

async fn run<S: Future<Output = ()> + Send + 'static>(
    config: Config,
    parts: Parts,
    claims: Claims,
    dial: Arc<dyn Dial>,
    serve: impl FnOnce(PeerService) -> anyhow::Result<S>,
) -> anyhow::Result<Handle> {
    let identity = Identity {
        cluster_id: config.cluster_id,
        node_id: config.node_id,
    };
    let clocks = Arc::new(Clocks::default());
    let network = Network::new(
        identity,
        Arc::clone(&parts.clock),
        Arc::clone(&clocks),
        claims.clone(),
        dial,
    );
    let initialized =
        parts.suspicion.is_active() || founding::has_history(&parts.log, &*parts.storage);
    let (ending, ended) = watch::channel(None);

    // The peers' listener answers before Raft runs: nodes that start together ask each other first.
    let slot = Arc::new(OnceLock::new());
    let service = PeerService {
        identity,
        clock: Arc::clone(&parts.clock),
        storage: parts.storage.clone(),
        started: Arc::clone(&slot),
        initialized,
        vitals: parts.vitals.clone(),
        incarnation: config.incarnation,
        log: parts.log.clone(),
        claims: claims.clone(),
        suspicion: parts.suspicion.clone(),
        ending: ending.clone(),
    };
    tokio::spawn(serve(service)?);
    tokio::spawn(claims.keep_saved());

    let (log, storage) = (parts.log.clone(), parts.storage.clone());
    let membership = blocking::run(move || remember::known_membership(&log, &*storage)).await??;
    let circle = Circle::new(
        config.node_id,
        membership.as_ref(),
        &config.initial_members,
        !initialized,
    );
    let handle = Handle {
        begun: Arc::default(),
        waiting: Arc::new(status::before(&config, &parts, membership.as_ref())),
        ending: ended,
        state: parts.state.clone(),
        clock: Arc::clone(&parts.clock),
        clocks,
        node_id: config.node_id,
        vitals: parts.vitals.clone(),
        suspicion: parts.suspicion.clone(),
    };
    let is_alone = circle.is_alone();
    let beginning = begin(Beginning {
        config,
        parts,
        network,
        circle,
        handle: handle.clone(),
        slot,
        initialized,
        ending: ending.clone(),
    });
    if is_alone {
        beginning.await?;
    } else {
        tokio::spawn(async move {
            if let Err(error) = beginning.await {
                ending.send_replace(Some(Ended::Failed(format!("raft does not start: {error}"))));
            }
        });
    }
    Ok(handle)
}

/// All that is needed once the node serves.
struct Beginning {
    config: Config,
    parts: Parts,
    network: Network,
    circle: Circle,
    handle: Handle,
    slot: Arc<OnceLock<(Raft, Handle)>>,
    initialized: bool,
    ending: watch::Sender<Option<Ended>>,
}

/// Asks the others, then begins Raft; or ends the node when it has forgotten what it promised.
async fn begin(it: Beginning) -> anyhow::Result<()> {
    let node_id = it.config.node_id;
    if !it.circle.is_alone()
        && let Err(why) = ask_what_is_remembered(&it).await?
    {
        it.ending.send_replace(Some(Ended::Forgot(why)));
        return Ok(());
    }
    let suspect = it.parts.suspicion.is_active();
    let raft = Raft::new(
        node_id,
        Arc::new(raft_config(&it.config, !suspect)?),
        it.network.clone(),
        LogStore::new(it.parts.log.clone()),
        Machine::new(it.parts.state.clone(), it.parts.storage.clone()),
    )
    .await?;
    let reads = ReadIndexes::start(raft.clone(), it.network.clone(), node_id);
    let _ = it.network.raft.set(raft.clone());
    let _ = it.handle.begun.set(Begun {
        raft: raft.clone(),
        reads,
    });
    let _ = it.slot.set((raft.clone(), it.handle.clone()));
    tokio::spawn(guard::run(
        raft.clone(),
        it.network.clone(),
        it.handle.clone(),
    ));
    tokio::spawn(watch_end(raft.clone(), it.ending));
    if suspect {
        let (raft, handle) = (raft.clone(), it.handle.clone());
        tokio::spawn(async move {
            handle.suspicion.whole().await;
            raft.runtime_config().elect(handle.may_lead());
        });
    }
    tokio::spawn(claim_own(
        it.parts.log.clone(),
        it.network.claims.clone(),
        node_id,
        it.config.incarnation,
    ));
    let keep_bytes = it.config.log_keep_bytes;
    if !it.initialized {
        tokio::spawn(founding::found(raft.clone(), it.network, it.config));
    }
    tokio::spawn(members::finish_changes(raft.clone()));
    tokio::spawn(retention::run(
        raft,
        it.parts.log,
        it.parts.storage,
        keep_bytes,
    ));
    Ok(())
}

/// The exchange: raises the vote, or says why this node must not go on.
async fn ask_what_is_remembered(it: &Beginning) -> anyhow::Result<Result<(), String>> {
    let (log, suspicion) = (&it.parts.log, &it.parts.suspicion);
    let own = Claim {
        incarnation: it.config.incarnation,
        vote: log.vote(),
        acknowledged: position(log.state().last),
    };
    let answers = remember::ask(&it.network, &it.circle, &own).await;
    let mut vote = remember::raised(it.config.node_id, own.vote, answers.vote);
    for (witness, known) in &answers.known {
        if suspicion.is_active() && known.incarnation < own.incarnation {
            // What the damage took is known to be missing; the others say how much it was.
            suspicion.expect(known);
            vote = remember::raised(it.config.node_id, vote, known.vote);
            continue;
        }
        if let Some(why) = known.contradicts(&own) {
            return Ok(Err(format!("node {witness} knows better: {why}")));
        }
    }
    suspicion.begins_in(vote.map_or(0, |vote| vote.term));
    if let Some(vote) = vote.filter(|_| vote != own.vote) {
        tracing::info!(?vote, before = ?own.vote, "took over the highest vote of the others");
        let (done, saved) = tokio::sync::oneshot::channel();
        log.save_vote(vote, move |result| {
            let _ = done.send(result);
        });
        saved.await??;
    }
    tracing::info!(answered = ?answers.answered, "the others know nothing of this node that it does not know itself");
    Ok(Ok(()))
}

/// Keeps the node's own claim for the table that it sends as leader: what is durable here under its own vote.
async fn claim_own(log: Log, claims: Claims, node_id: u64, incarnation: u64) {
    let mut before = None;
    loop {
        tokio::time::sleep(OWN_CLAIM_PAUSE).await;
        let last = log.durable_index().and_then(|index| log.log_id_at(index));
        let vote = log.vote().filter(|vote| vote.node == node_id);
        if vote.is_none() || before == Some((vote, last)) {
            continue;
        }
        let (done, flushed) = tokio::sync::oneshot::channel();
        log.flush(move |result| {
            let _ = done.send(result);
        });
        if !matches!(flushed.await, Ok(Ok(()))) {
            return;
        }
        before = Some((vote, last));
        let claim = Claim {
            incarnation,
            vote,
            acknowledged: position(last),
        };
        claims.record(node_id, &claim);
    }
}

/// Passes on that Raft has ended by itself.
async fn watch_end(raft: Raft, ending: watch::Sender<Option<Ended>>) {
    let mut metrics = raft.metrics();
    let why = loop {
        if let Err(fatal) = &metrics.borrow_watched().running_state {
            break fatal.to_string();
        }
        if metrics.changed().await.is_err() {
            break "raft has stopped".into();
        }
    };
    ending.send_if_modified(|ended| {
        let first = ended.is_none();
        ended.get_or_insert(Ended::Failed(why));
        first
    });
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

fn raft_config(config: &Config, may_elect: bool) -> anyhow::Result<openraft::Config> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let raft_config = openraft::Config {
        cluster_name: format!("{:032x}", config.cluster_id),
        heartbeat_interval: millis(config.heartbeat),
        election_timeout_min: millis(config.election_timeout.0),
        election_timeout_max: millis(config.election_timeout.1),
        enable_elect: may_elect,
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
