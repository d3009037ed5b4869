//! The way from a node that listens to one that takes part: what the others remember of it, a state if it lacks one,
//! then Raft and the tasks beside it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use tokio::sync::watch;

use super::claims::{Claim, Claims, position};
use super::handle::Begun;
use super::log_store::LogStore;
use super::machine::Machine;
use super::network::Network;
use super::read_index::{ReadIndexes, Rounds};
use super::remember::Circle;
use super::start::Parts;
use super::types::{Raft, RaftMembership};
use super::{Config, Ended, Handle, founding, guard, members, refill, remember, retention, roster};
use crate::log::Log;

/// Pause between two looks at what this node could claim for itself.
const OWN_CLAIM_PAUSE: Duration = Duration::from_millis(500);

/// All that is needed once the node serves.
pub(super) struct Beginning {
    pub(super) config: Config,
    pub(super) parts: Parts,
    pub(super) network: Network,
    pub(super) circle: Circle,
    /// The newest membership that another node has told of.
    pub(super) news: watch::Receiver<Option<(u64, RaftMembership)>>,
    pub(super) handle: Handle,
    pub(super) slot: Arc<OnceLock<(Raft, Handle)>>,
    pub(super) initialized: bool,
    pub(super) ending: watch::Sender<Option<Ended>>,
}

/// Asks the others, then begins Raft; or ends the node when it has forgotten what it promised.
pub(super) async fn begin(mut it: Beginning) -> anyhow::Result<()> {
    let node_id = it.config.node_id;
    if !it.circle.is_alone()
        && let Err(why) = ask_what_is_remembered(&mut it).await?
    {
        it.ending.send_replace(Some(Ended::Forgot(why)));
        return Ok(());
    }
    let peers: Vec<_> = it.circle.peers.clone().into_iter().collect();
    refill::run(&it.network, &it.parts, &peers).await?;
    let suspect = it.parts.suspicion.is_active();
    let raft = Raft::new(
        node_id,
        Arc::new(raft_config(&it.config, !suspect)?),
        it.network.clone(),
        LogStore::new(it.parts.log.clone()),
        Machine::new(
            it.parts.state.clone(),
            it.parts.storage.clone(),
            it.parts.log.clone(),
        ),
    )
    .await?;
    let reads = ReadIndexes::start(Rounds {
        raft: raft.clone(),
        network: it.network.clone(),
        log: it.parts.log.clone(),
        node_id,
    });
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
        it.parts.storage.clone(),
    ));
    tokio::spawn(watch_end(raft.clone(), it.ending));
    if suspect {
        let (raft, handle) = (raft.clone(), it.handle.clone());
        tokio::spawn(async move {
            handle.suspicion.whole().await;
            raft.runtime_config().elect(handle.may_lead());
        });
    }
    tokio::spawn(roster::keep_saved(raft.clone(), it.config.dir.clone()));
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
async fn ask_what_is_remembered(it: &mut Beginning) -> anyhow::Result<Result<(), String>> {
    let (log, suspicion) = (&it.parts.log, &it.parts.suspicion);
    let own = Claim {
        incarnation: it.config.incarnation,
        vote: log.vote(),
        acknowledged: position(log.state().last),
    };
    let answers = remember::ask(&it.network, &mut it.circle, &own, &it.news).await;
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
