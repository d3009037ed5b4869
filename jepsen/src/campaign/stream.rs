//! Load without a history: transfers in batches, by a clock or by callers, until they are acknowledged.
//!
//! A batch whose outcome is unknown is sent again with the same ids, as the SDK does, so that each counts once. Who
//! leads is found out by asking the nodes, not by sending them batches.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::bail;
use farthing_client::{Account, AccountId, Transfer, TransferId};
use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{Role, StatusRequest};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::bench::Bench;
use crate::workload::{End, LEDGER, Remote};

/// Accounts that transfers are between.
const ACCOUNTS: u64 = 1000;
const CONNECTIONS: usize = 4;
/// Longest wait for one attempt, and for a batch with all its attempts.
const ATTEMPT: Duration = Duration::from_secs(5);
const BATCH: Duration = Duration::from_secs(20);
/// How often the nodes are asked who leads while nobody knows.
const PROBE: Duration = Duration::from_millis(10);
/// Batches under way at a time; more are not sent, and counted.
const UNDER_WAY_MAX: u64 = 4000;

/// A batch that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// When it was to be sent.
    pub(super) due: Instant,
    /// When it was acknowledged.
    pub(super) done: Instant,
    /// Transfers in it.
    pub(super) items: u32,
}

impl Sample {
    pub(super) fn took_ms(&self) -> f64 {
        (self.done - self.due).as_secs_f64() * 1000.0
    }
}

#[derive(Debug)]
struct Shared {
    remotes: Vec<Vec<Remote>>,
    /// Node that leads; 0: nobody knows.
    leader: watch::Sender<u64>,
    samples: Mutex<Vec<Sample>>,
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    turned_away: AtomicU64,
    not_sent: AtomicU64,
    under_way: AtomicU64,
    last_id: AtomicU64,
    seed: u64,
    batch: u32,
    stop: AtomicBool,
}

/// Load that runs. Ask it to stop: dropped, it goes on.
#[derive(Debug)]
pub(super) struct Stream {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

/// What became of everything that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fates {
    /// Transfers acknowledged.
    pub(super) acknowledged: u64,
    /// Transfers that nobody knows about.
    pub(super) unknown: u64,
    /// Batches turned away by a node with too much to do; they were sent again.
    pub(super) turned_away: u64,
    /// Transfers that were due and not sent, because too many were under way.
    pub(super) not_sent: u64,
}

impl Stream {
    /// Creates the accounts; nothing is sent yet.
    pub(super) async fn prepare(bench: &Bench, seed: u64, batch: u32) -> anyhow::Result<Self> {
        let remotes = bench.cluster.nodes.iter().map(|node| {
            let connections = 0..CONNECTIONS;
            connections.map(|_| Remote::new(node.through)).collect()
        });
        let shared = Arc::new(Shared {
            remotes: remotes.collect(),
            leader: watch::Sender::new(0),
            samples: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            not_sent: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            last_id: AtomicU64::new(0),
            seed,
            batch,
            stop: AtomicBool::new(false),
        });
        let accounts: Vec<Account> = (1..=ACCOUNTS)
            .map(|number| Account {
                id: AccountId(u128::from(number)),
                ledger: LEDGER,
                code: 1,
                ..Account::default()
            })
            .collect();
        let mut tasks = JoinSet::new();
        tasks.spawn(find_leader(Arc::clone(&shared)));
        let until = Instant::now() + BATCH;
        loop {
            let leader = known(&shared).await;
            let remote = &shared.remotes[leader as usize - 1][0];
            if remote.accounts(&accounts, ATTEMPT).await.is_ok() {
                return Ok(Self { shared, tasks });
            }
            if Instant::now() > until {
                bail!("the accounts cannot be created");
            }
            sleep(PROBE).await;
        }
    }

    /// Sends so many transfers a second, whatever the answers take.
    pub(super) fn open_loop(&mut self, rate: u32) {
        let shared = Arc::clone(&self.shared);
        let period = Duration::from_secs_f64(f64::from(shared.batch) / f64::from(rate.max(1)));
        self.tasks.spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while !shared.stop.load(Ordering::Relaxed) {
                // When it was due, not when this task got to run.
                let due = ticks.tick().await;
                let batch = u64::from(shared.batch);
                if shared.under_way.load(Ordering::Relaxed) >= UNDER_WAY_MAX {
                    shared.not_sent.fetch_add(batch, Ordering::Relaxed);
                    continue;
                }
                let shared = Arc::clone(&shared);
                shared.under_way.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    send(&shared, due).await;
                    shared.under_way.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
    }

    /// So many callers, each of which sends the next batch when the last one has its answer, until `until` comes.
    pub(super) fn closed_loop(&mut self, callers: u32, until: Instant) {
        for _ in 0..callers {
            let shared = Arc::clone(&self.shared);
            shared.under_way.fetch_add(1, Ordering::Relaxed);
            self.tasks.spawn(async move {
                while Instant::now() < until && !shared.stop.load(Ordering::Relaxed) {
                    send(&shared, Instant::now()).await;
                }
                shared.under_way.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }

    /// Batches acknowledged since they were last taken.
    pub(super) fn take(&self) -> Vec<Sample> {
        std::mem::take(&mut *lock(&self.shared.samples))
    }

    /// What has become of everything so far.
    pub(super) fn fates(&self) -> Fates {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        Fates {
            acknowledged: count(&self.shared.acknowledged),
            unknown: count(&self.shared.unknown),
            turned_away: count(&self.shared.turned_away),
            not_sent: count(&self.shared.not_sent),
        }
    }

    /// Waits until nothing is under way any more, which the callers of a closed loop end by themselves.
    pub(super) async fn settle(&self) {
        let until = Instant::now() + BATCH + ATTEMPT;
        let idle = || self.shared.under_way.load(Ordering::Relaxed) == 0;
        while !idle() && Instant::now() < until {
            sleep(PROBE).await;
        }
    }

    /// Sends nothing more, waits for what is under way, and says what became of everything.
    pub(super) async fn stop(mut self) -> Fates {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.settle().await;
        let fates = self.fates();
        self.tasks.shutdown().await;
        fates
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who leads, as soon as anybody knows.
async fn known(shared: &Shared) -> u64 {
    let mut leader = shared.leader.subscribe();
    let found = leader.wait_for(|leader| *leader != 0).await;
    found.map_or(1, |leader| *leader)
}

/// Asks the nodes while nobody knows.
async fn find_leader(shared: Arc<Shared>) {
    while !shared.stop.load(Ordering::Relaxed) {
        if *shared.leader.borrow() == 0 {
            let mut asked = JoinSet::new();
            for node in 0..shared.remotes.len() {
                let shared = Arc::clone(&shared);
                asked.spawn(async move {
                    let ask = async {
                        let channel = shared.remotes[node][0].channel().await.ok()?;
                        let status = AdminClient::new(channel).status(StatusRequest {}).await;
                        Some(status.ok()?.into_inner())
                    };
                    timeout(10 * PROBE, ask).await.ok()?
                });
            }
            let mut best = (0, 0);
            while let Some(answer) = asked.join_next().await {
                if let Ok(Some(status)) = answer
                    && status.role() == Role::Leader
                {
                    best = best.max((status.term, status.node_id));
                }
            }
            if best.1 != 0 {
                shared.leader.send_replace(best.1);
            }
        }
        sleep(PROBE).await;
    }
}

fn batch(shared: &Shared) -> Vec<Transfer> {
    let count = u64::from(shared.batch);
    let first = shared.last_id.fetch_add(count, Ordering::Relaxed);
    (first..first + count)
        .map(|number| Transfer {
            id: TransferId(u128::from(shared.seed) << 64 | u128::from(number + 1)),
            debit_account_id: AccountId(u128::from(1 + number % ACCOUNTS)),
            credit_account_id: AccountId(u128::from(1 + (number * 7 + 1) % ACCOUNTS)),
            amount: 1,
            ledger: LEDGER,
            code: 1,
            ..Transfer::default()
        })
        .filter(|it| it.debit_account_id != it.credit_account_id)
        .collect()
}

/// Sends one batch until it is acknowledged.
async fn send(shared: &Shared, due: Instant) {
    let items = batch(shared);
    let until = Instant::now() + BATCH;
    let mut attempt = shared.last_id.load(Ordering::Relaxed) as usize;
    while Instant::now() < until {
        let Ok(leader) = timeout(ATTEMPT, known(shared)).await else {
            continue;
        };
        let connections = &shared.remotes[(leader as usize - 1).min(shared.remotes.len() - 1)];
        attempt += 1;
        let remote = &connections[attempt % connections.len()];
        match remote.transfers(&items, ATTEMPT).await {
            Ok(_) => {
                let count = items.len() as u64;
                shared.acknowledged.fetch_add(count, Ordering::Relaxed);
                lock(&shared.samples).push(Sample {
                    due,
                    done: Instant::now(),
                    items: items.len() as u32,
                });
                return;
            }
            Err(End::Fail {
                wait: Some(wait), ..
            }) => {
                shared.turned_away.fetch_add(1, Ordering::Relaxed);
                sleep(wait).await;
            }
            Err(_) => {
                // Whoever else noticed first has asked already.
                shared.leader.send_if_modified(|known| {
                    let is_news = *known == leader;
                    if is_news {
                        *known = 0;
                    }
                    is_news
                });
                sleep(PROBE).await;
            }
        }
    }
    let count = items.len() as u64;
    shared.unknown.fetch_add(count, Ordering::Relaxed);
}
