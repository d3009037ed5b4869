//! The process of a machine: its parts, put together and kept going.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farthing_node::admission;
use farthing_node::consensus::{self, Ended, Suspicion};
use farthing_node::log::{self, Driver, Log, OpenError};
use farthing_node::{state, vitals};

use super::{Machine, Running, member};
use crate::oracle;
use crate::random::Random;
use crate::state::Memory;
use crate::trace;
use crate::wire::{Port, Service, through};

/// The cluster of every simulation.
const CLUSTER_ID: u128 = 0xfa27;

impl Machine {
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
        public_key: None,
        // Syncs take no time that the log could measure: the simulator sleeps before them.
        sync_slow: Duration::from_secs(3_600),
        scrub: vitals::ScrubConfig {
            period: Duration::ZERO,
            bytes_per_s: 1,
        },
    }
}
