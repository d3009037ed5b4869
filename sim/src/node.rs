//! One node as a host of the simulation: the node's own parts on one thread.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::AccountId;
use farthing_node::admission::{self, Refusal, Work};
use farthing_node::consensus::clocks::Clock as _;
use farthing_node::consensus::{self, Ended, Member, Suspicion};
use farthing_node::log::{self, Driver, Log, OpenError};
use farthing_node::{state, vitals};
use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;

use crate::clock::SimClock;
use crate::disk::SimDisk;
use crate::messages::{Order, Reply};
use crate::oracle;
use crate::plan::Plan;
use crate::random::Random;
use crate::state::{Durable, Memory};
use crate::trace;
use crate::wire::{Port, Service, read_all, through, whole};

/// The cluster of every simulation.
const CLUSTER_ID: u128 = 0xfa27;
/// How long a call of an operator may take.
const ORDER_MAX: Duration = Duration::from_secs(5);

/// The name of a node's host.
pub fn host(id: u64) -> String {
    format!("node-{id}")
}

/// Addresses of a node.
pub fn member(id: u64) -> Member {
    Member {
        client_address: host(id),
        peer_address: host(id),
    }
}

/// What runs on a machine while its process does.
#[derive(Clone)]
pub struct Running {
    /// Raft.
    pub consensus: consensus::Handle,
    /// The log.
    pub log: Log,
    /// The state.
    pub memory: Memory,
}

struct Inner {
    running: Option<Running>,
    /// False once the power is off: nothing is sent any more.
    alive: Arc<AtomicBool>,
    starts: u64,
    /// Why the process ended by itself.
    ended: Option<String>,
    sync_ms: (u64, u64),
}

/// A machine: what it is and what survives its process.
#[derive(Clone)]
pub struct Machine {
    /// Its number.
    pub id: u64,
    /// Its clock.
    pub clock: SimClock,
    /// Its disk.
    pub disk: SimDisk,
    durable: Durable,
    /// For the few files that a node writes beside its log and its state.
    dir: Arc<PathBuf>,
    plan: Arc<Plan>,
    inner: Arc<Mutex<Inner>>,
}

impl Machine {
    /// A new machine with an empty disk.
    pub fn new(id: u64, plan: Arc<Plan>, dir: PathBuf) -> Self {
        Self {
            dir: Arc::new(dir),
            id,
            clock: SimClock::default(),
            disk: SimDisk::new(id),
            durable: Durable::default(),
            inner: Arc::new(Mutex::new(Inner {
                running: None,
                alive: Arc::default(),
                starts: 0,
                ended: None,
                sync_ms: (1, plan.sync_ms_max),
            })),
            plan,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What runs, if its process got so far.
    pub fn running(&self) -> Option<Running> {
        self.lock().running.clone()
    }

    /// Why the process ended by itself, asked once.
    pub fn take_ended(&self) -> Option<String> {
        self.lock().ended.take()
    }

    /// The process is to end now: it says nothing more.
    pub fn silence(&self) {
        let mut inner = self.lock();
        inner.alive.store(false, Ordering::Relaxed);
        inner.running = None;
    }

    /// How long its log waits between two rounds, ms from and to; `None` is as planned.
    pub fn set_sync_ms(&self, sync_ms: Option<(u64, u64)>) {
        self.lock().sync_ms = sync_ms.unwrap_or((1, self.plan.sync_ms_max));
    }

    /// The process: runs until it cannot go on or is ended from outside.
    pub async fn run(self) -> turmoil::Result {
        let (alive, starts) = {
            let mut inner = self.lock();
            inner.starts += 1;
            inner.alive = Arc::new(AtomicBool::new(true));
            inner.ended = None;
            (Arc::clone(&inner.alive), inner.starts)
        };
        trace!("n{} starts, number {starts}", self.id);
        let why = match self.serve(Arc::clone(&alive), starts).await {
            Ok(why) => why,
            Err(error) => format!("{error:#}"),
        };
        trace!("n{} ends: {why}", self.id);
        alive.store(false, Ordering::Relaxed);
        let mut inner = self.lock();
        inner.running = None;
        inner.ended = Some(why);
        Ok(())
    }

    fn open_log(&self) -> anyhow::Result<Option<(Log, Driver)>> {
        let mut config = log::Config::new("log", CLUSTER_ID, self.id);
        config.segment_bytes = self.plan.segment_bytes;
        config.spare_segments = 1;
        config.on_fatal = Arc::new(|_| {});
        match Log::open_driven(Arc::new(self.disk.clone()), config) {
            Ok((log, driver)) => {
                let report = log.open_report();
                if report.torn_bytes_cut > 0 {
                    trace::reached("torn tail recovered");
                }
                if report.bytes_rewritten > 0 {
                    trace::reached("unproven tail written again");
                }
                trace!("n{} opens its log: {report:?} {:?}", self.id, log.state());
                Ok(Some((log, driver)))
            }
            Err(_) if self.disk.switch().is_off() => Ok(None),
            Err(error @ OpenError::Damaged(_)) => {
                oracle::violation(format!("n{}: its log does not open: {error}", self.id));
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn serve(&self, alive: Arc<AtomicBool>, starts: u64) -> anyhow::Result<String> {
        let Some((log, driver)) = self.open_log()? else {
            return Ok("the power went while the log was opened".into());
        };
        let driver = Arc::new(Mutex::new(driver));
        let memory = Memory::open(
            self.id,
            CLUSTER_ID,
            self.durable.clone(),
            log.clone(),
            Arc::clone(&driver),
        );
        let store: Arc<Memory> = Arc::new(memory.clone());
        let state = state::start_inline(Box::new(memory.clone()), store.clone());
        let vitals = vitals::look_once(vitals_config(self.id), log.clone(), store.clone());
        let served: Arc<Mutex<Option<Service>>> = Arc::default();
        let local = self.clone();
        let slot: Arc<Mutex<Option<admission::Handle>>> = Arc::default();
        let door = Arc::clone(&slot);
        let peers = Arc::clone(&served);
        let service: Service = Arc::new(move |request| {
            let (local, door, peers) = (local.clone(), Arc::clone(&door), Arc::clone(&peers));
            Box::pin(async move { local.answer(request, &door, &peers).await })
        });
        let port = Port::open(self.id, starts, alive, Some(service)).await?;
        let founders = if self.id <= self.plan.nodes {
            (1..=self.plan.nodes).map(|id| (id, member(id))).collect()
        } else {
            BTreeMap::new()
        };
        // The log works from now on: what Raft's start writes has to become durable.
        let working = tokio::spawn(
            self.clone()
                .work(log.clone(), driver, memory.clone(), starts),
        );
        let handle = consensus::start_here(
            consensus::Config {
                cluster_id: CLUSTER_ID,
                node_id: self.id,
                dir: self.dir.to_path_buf(),
                incarnation: starts,
                initial_members: founders,
                heartbeat: Duration::from_millis(100),
                election_timeout: (Duration::from_millis(500), Duration::from_millis(800)),
                log_keep_bytes: self.plan.log_keep_bytes,
            },
            consensus::Parts {
                log: log.clone(),
                state,
                storage: store,
                vitals,
                clock: Arc::new(self.clock.clone()),
                suspicion: Suspicion::open(&self.dir)?,
                rebuild_to: None,
            },
            Arc::new(port),
            |channel| {
                *served.lock().unwrap_or_else(PoisonError::into_inner) = Some(through(channel));
            },
        )
        .await?;
        let config = admission::Config::default();
        *slot.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(admission::start(&config, handle.clone()));
        self.lock().running = Some(Running {
            consensus: handle.clone(),
            log,
            memory,
        });
        tokio::select! {
            biased;
            why = working => Ok(why?),
            why = handle.ended() => Ok(match why {
                Ended::Failed(why) => why,
                Ended::Forgot(why) => format!("it forgot what it promised: {why}"),
            }),
        }
    }

    /// The log's threads and the run writer, as one task. Gives why the log cannot go on.
    async fn work(
        self,
        log: Log,
        driver: Arc<Mutex<Driver>>,
        memory: Memory,
        starts: u64,
    ) -> String {
        let mut random = Random::new(self.plan.seed ^ (self.id << 32) ^ starts, "log");
        let mut idle_ms = 0;
        let mut commit_ms = 0;
        loop {
            let (low, high) = self.lock().sync_ms;
            let pause_ms = random.between(low, high);
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            if let Some(error) = log.failure() {
                return error.to_string();
            }
            let mut driver = driver.lock().unwrap_or_else(PoisonError::into_inner);
            if driver.work() {
                idle_ms = 0;
            } else {
                idle_ms += pause_ms;
                if idle_ms >= 50 {
                    driver.settle();
                    idle_ms = 0;
                }
                driver.prepare();
            }
            drop(driver);
            commit_ms += pause_ms;
            if commit_ms >= self.plan.commit_interval.as_millis() as u64 {
                commit_ms = 0;
                memory.commit();
            }
        }
    }

    async fn answer(
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

fn vitals_config(node_id: u64) -> vitals::Config {
    vitals::Config {
        node_id,
        dir: Path::new("/nonexistent").to_owned(),
        ballast_bytes: 0,
        low_bytes: Some(1),
        reserve_bytes: 1,
        segment_bytes: 1,
        door_bytes: 1,
        run_bytes: 1,
        // Syncs take no time that the log could measure: the simulator sleeps before them.
        sync_slow: Duration::from_secs(3_600),
        scrub: vitals::ScrubConfig {
            period: Duration::ZERO,
            bytes_per_s: 1,
        },
    }
}
