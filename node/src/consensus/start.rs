//! Puts Raft and the peers' listener together and runs them on their own thread.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tonic::Status;

use super::begin::{Beginning, begin};
use super::channel::{Dial, Tcp};
use super::claims::Claims;
use super::clocks::{Clock, Clocks};
use super::identity::Identity;
use super::network::Network;
use super::peer::PeerService;
use super::refill::Giver;
use super::remember::Circle;
use super::{
    Config, Ended, Handle, Suspicion, blocking, founding, network, remember, roster, status,
};
use crate::listener::{self, HeldMax, Limits, Listener, Weigh};
use crate::log::Log;
use crate::{state, storage, vitals};

/// What one connection of a peer may do.
pub const LIMITS: Limits = Limits {
    stream_window_bytes: network::STREAM_WINDOW_BYTES,
    connection_window_bytes: network::CONNECTION_WINDOW_BYTES,
    frame_bytes: network::FRAME_BYTES,
    streams_max: 64,
    keepalive_interval: Duration::from_secs(5),
    keepalive_timeout: Duration::from_secs(5),
};

/// What peers may make the node hold: a connection two messages of the largest size.
pub const HELD_MAX: HeldMax = HeldMax {
    connection_bytes: 2 * network::MESSAGE_BYTES_MAX,
    all_bytes: 8 * network::MESSAGE_BYTES_MAX,
};

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
    /// The state begins anew, and is not shown before it has reached this index; `None` when it is as it was.
    pub rebuild_to: Option<u64>,
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
pub async fn start(config: Config, parts: Parts, listener: Listener) -> anyhow::Result<Running> {
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
    let (news, told) = watch::channel(None);

    // The peers' listener answers before Raft runs: nodes that start together ask each other first.
    let slot = Arc::new(OnceLock::new());
    let service = PeerService {
        identity,
        clock: Arc::clone(&parts.clock),
        storage: parts.storage.clone(),
        giver: Giver::new(parts.state.clone(), parts.storage.clone()),
        started: Arc::clone(&slot),
        initialized,
        vitals: parts.vitals.clone(),
        incarnation: config.incarnation,
        joining: AtomicBool::new(!initialized && config.initial_members.is_empty()),
        log: parts.log.clone(),
        claims: claims.clone(),
        suspicion: parts.suspicion.clone(),
        news,
        ending: ending.clone(),
    };
    tokio::spawn(serve(service)?);
    tokio::spawn(claims.keep_saved());

    let (log, storage) = (parts.log.clone(), parts.storage.clone());
    let found = blocking::run(move || remember::known_membership(&log, &*storage)).await??;
    let noted = roster::read(&config.dir);
    let newer = |noted: &(u64, _)| found.as_ref().is_none_or(|found| found.0 < noted.0);
    let newest = noted.filter(newer).or(found.clone());
    let circle = Circle::new(
        config.node_id,
        newest
            .as_ref()
            .map(|(index, membership)| (*index, membership)),
        &config.initial_members,
        !initialized,
    );
    let handle = Handle {
        begun: Arc::default(),
        waiting: Arc::new(status::before(
            &config,
            &parts,
            newest.as_ref().map(|(_, membership)| membership),
        )),
        ending: ended,
        state: parts.state.clone(),
        clock: Arc::clone(&parts.clock),
        clocks,
        rebuild_to: parts.rebuild_to,
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
        news: told,
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

fn serve_peers(
    listener: Listener,
    service: PeerService,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let incoming = listener.accept()?;
    let server = listener::server(&LIMITS)
        .layer(Weigh {
            refuse: |what| Status::resource_exhausted(what),
        })
        .add_service(service.into_server());
    Ok(async move {
        if let Err(error) = server.serve_with_incoming(incoming).await {
            tracing::error!(%error, "the peers' listener ended");
        }
    })
}
