//! Runs a workload and takes the time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use farthing_client::{Client, Outcome, ids};
use farthing_ledger::{Account, AccountId, CreateAccountStatus, CreateTransferStatus, Transfer};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::ids::TransferIds;
use super::nodes;
use super::options::{BATCH_ITEMS_MAX, BenchOptions};
use super::queries;
use super::report::{BenchReport, FollowReport, QueryReport};
use super::subscribers::Subscribers;
use super::watch::Watch;
use super::workload::{CODE, LEDGER, Workload};
use crate::connect::{failure, patiently};
use crate::failure::{Code, Failure};
use crate::latency::Latencies;
use crate::local::ClusterHealth;

/// How long one call is tried again with the same ids, should the cluster lose its leader meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one sender, or all of them, did.
#[derive(Debug, Default)]
struct Done {
    latencies: Latencies,
    transfers: u64,
    /// Sum of the amounts that were created.
    amount: u128,
    refused: BTreeMap<String, u64>,
}

impl Done {
    fn take_in(&mut self, answer: Answer) {
        self.latencies.record(answer.latency);
        self.transfers += answer.transfers.len() as u64;
        for (transfer, outcome) in answer.transfers.iter().zip(answer.outcomes) {
            match outcome.status {
                // Ids are made here and used once, so what exists was created by an earlier attempt of this call.
                CreateTransferStatus::Created | CreateTransferStatus::Exists => {
                    self.amount += transfer.amount
                }
                status => *self.refused.entry(status.name().to_owned()).or_default() += 1,
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.latencies.merge(&other.latencies);
        self.transfers += other.transfers;
        self.amount += other.amount;
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
    }
}

/// Measures, and then compares the accounts with what was sent. `connect` makes one client; it is called once for each
/// client of the run. `health` tells how the nodes stand; it is asked before and after.
///
/// # Errors
/// [`Code::Usage`] for settings out of range; otherwise what a call fails with.
pub async fn run(
    options: &BenchOptions,
    connect: impl AsyncFn(usize) -> Result<Client, Failure>,
    health: impl AsyncFn() -> ClusterHealth,
) -> Result<BenchReport, Failure> {
    options.check()?;
    let mut clients = Vec::new();
    for _ in 0..options.clients {
        clients.push(connect(options.connections as usize).await?);
    }
    let accounts = create_accounts(&clients[0], options.account_count).await?;
    let transfer_ids = TransferIds::new(options.id_order, options.random_id_percent);
    let phase = |first, count, time| {
        Workload::new(options, accounts.clone(), transfer_ids, first, count, time)
    };

    let warm = send_all(&clients, options, phase(0, options.warmup, None)).await?;
    let subscribers = match options.subscribers + options.stuck_subscribers {
        0 => None,
        _ => {
            let client = connect(1).await?;
            let (following, stuck) = (options.subscribers, options.stuck_subscribers);
            Some(Subscribers::start(client, following, stuck).await?)
        }
    };
    let before = health().await;
    let time = options.duration_s.map(Duration::from_secs);
    let measured = phase(options.warmup, options.transfer_count, time);
    let watch = Watch::new(Arc::clone(measured.answered()), measured.total());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let asking = match options.queries {
        0 => None,
        rate => {
            // A client of its own, as whoever asks has.
            let client = connect(1).await?;
            let seed = options.seed;
            let questions = queries::ask(client, accounts.clone(), rate, seed, stopped);
            Some(tokio::spawn(questions))
        }
    };
    let begun = Instant::now();
    let done = send_all(&clients, options, measured).await?;
    let elapsed = begun.elapsed();
    drop(watch);
    stop.send_replace(true);
    let answered = match asking {
        None => None,
        Some(asking) => Some(asking.await.map_err(|error| {
            Failure::new(Code::Internal, "whoever asked questions died").because(error)
        })??),
    };
    let followed = match subscribers {
        None => None,
        Some(subscribers) => Some(subscribers.finish(&health).await?),
    };
    let after = health().await;

    let expected = warm.amount + done.amount;
    let (debited, credited) = sums(&clients[0], &accounts).await?;
    Ok(BenchReport {
        transfers_per_second: crate::output::rate(done.transfers, elapsed),
        latency_us: done.latencies.percentiles(),
        transfers: done.transfers,
        calls: done.latencies.count(),
        elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        queries: answered.map(|answered| QueryReport {
            count: answered.latencies.count(),
            rows: answered.rows,
            latency_us: answered.latencies.percentiles(),
        }),
        subscribers: followed.map(|followed| FollowReport {
            events: followed.events,
            bytes: followed.bytes,
            late_us: u64::try_from(followed.late.as_micros()).unwrap_or(u64::MAX),
            behind: followed.behind.percentiles(),
        }),
        refused: done.refused,
        balances_ok: debited == expected && credited == expected,
        amount_expected: expected.to_string(),
        amount_debited: debited.to_string(),
        amount_credited: credited.to_string(),
        nodes: nodes::costs(&before, &after),
        settings: BenchOptions {
            in_flight: Some(options.in_flight()),
            ..options.clone()
        },
    })
}

async fn create_accounts(client: &Client, count: u64) -> Result<Vec<AccountId>, Failure> {
    let accounts: Vec<AccountId> = ids::many(count as usize)
        .into_iter()
        .map(AccountId)
        .collect();
    for chunk in accounts.chunks(BATCH_ITEMS_MAX as usize) {
        let items: Vec<Account> = chunk
            .iter()
            .map(|id| Account {
                id: *id,
                ledger: LEDGER,
                code: CODE,
                ..Account::default()
            })
            .collect();
        let outcomes =
            patiently(PATIENCE, |_| {}, || client.create_accounts(items.clone())).await?;
        let refused = outcomes.iter().find(|outcome| {
            !matches!(
                outcome.status,
                CreateAccountStatus::Created | CreateAccountStatus::Exists
            )
        });
        if let Some(outcome) = refused {
            return Err(Failure::new(
                Code::ItemRefused,
                format!("an account was refused: {}", outcome.status.name()),
            ));
        }
    }
    Ok(accounts)
}

/// Sends a whole workload; returns when the last call was answered.
async fn send_all(
    clients: &[Client],
    options: &BenchOptions,
    workload: Workload,
) -> Result<Done, Failure> {
    let workload = Arc::new(workload);
    let pace = Pace::new(options.rate);
    let senders = if options.callers > 0 {
        options.callers
    } else {
        options.clients
    };
    let in_flight = if options.callers > 0 {
        1
    } else {
        options.in_flight() as usize
    };
    let mut tasks = JoinSet::new();
    for (sender, client) in (0..senders).zip(clients.iter().cycle()) {
        let (client, workload) = (client.clone(), Arc::clone(&workload));
        let size = options.call_size();
        tasks.spawn(async move { send(client, workload, pace, sender, size, in_flight).await });
    }
    let mut done = Done::default();
    while let Some(joined) = tasks.join_next().await {
        let sender =
            joined.map_err(|error| Failure::new(Code::Internal, "a sender died").because(error))?;
        done.merge(sender?);
    }
    Ok(done)
}

/// When each transfer is due.
#[derive(Clone, Copy, Debug)]
struct Pace {
    begun: Instant,
    rate: Option<u64>,
}

impl Pace {
    fn new(rate: Option<u64>) -> Self {
        Self {
            begun: Instant::now(),
            rate,
        }
    }

    /// Waits until the transfer with this place in the run is due. Returns when it was due, which is now without a
    /// rate, and in the past when the run is late.
    async fn wait(&self, place: u64) -> Instant {
        let Some(rate) = self.rate else {
            return Instant::now();
        };
        let offset_ns = u128::from(place) * 1_000_000_000 / u128::from(rate);
        let due = self.begun + Duration::from_nanos(u64::try_from(offset_ns).unwrap_or(u64::MAX));
        sleep_until(due.into()).await;
        due
    }
}

/// One sender: keeps `in_flight` calls of `size` transfers under way until the workload is used up.
async fn send(
    client: Client,
    workload: Arc<Workload>,
    pace: Pace,
    sender: u64,
    size: u64,
    in_flight: usize,
) -> Result<Done, Failure> {
    let mut rng = workload.rng(sender);
    let mut done = Done::default();
    // Tasks of their own: what is under way goes on while the next call is waited for.
    let mut under_way = JoinSet::new();
    loop {
        while under_way.len() < in_flight {
            let Some(stretch) = workload.take(size) else {
                break;
            };
            let due = pace.wait(workload.place(stretch)).await;
            let transfers = workload.transfers(stretch, &mut rng);
            let client = client.clone();
            under_way.spawn(async move { call(&client, transfers, due).await });
        }
        match under_way.join_next().await {
            Some(answer) => {
                let answer = answer.map_err(|error| {
                    Failure::new(Code::Internal, "a call died").because(error)
                })??;
                let count = answer.transfers.len() as u64;
                workload.answered().fetch_add(count, Ordering::Relaxed);
                done.take_in(answer);
            }
            None => return Ok(done),
        }
    }
}

/// A call with its answer.
struct Answer {
    transfers: Vec<Transfer>,
    outcomes: Vec<Outcome<CreateTransferStatus>>,
    latency: Duration,
}

/// One call, to its answer.
async fn call(client: &Client, transfers: Vec<Transfer>, due: Instant) -> Result<Answer, Failure> {
    let outcomes = patiently(
        PATIENCE,
        |_| {},
        || client.create_transfers(transfers.clone()),
    )
    .await?;
    Ok(Answer {
        transfers,
        outcomes,
        latency: due.elapsed(),
    })
}

/// Sums of the accounts' debits and credits, posted and pending.
async fn sums(client: &Client, accounts: &[AccountId]) -> Result<(u128, u128), Failure> {
    let (mut debited, mut credited) = (0_u128, 0_u128);
    for chunk in accounts.chunks(BATCH_ITEMS_MAX as usize) {
        let found = client.lookup_accounts(chunk).await.map_err(failure)?;
        for account in found.into_iter().flatten() {
            debited += account.debits_posted + account.debits_pending;
            credited += account.credits_posted + account.credits_pending;
        }
    }
    Ok((debited, credited))
}
