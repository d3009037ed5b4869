//! Workers: many tasks that send one request after the other until they are told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::mix::{Ask, Mix};
use super::questions::Listing;
use super::remote::{End, Remote};
use super::shared::Shared;
use crate::history::{Call, Facts, Function, Outcome, ReadIds, Recorder, Rows, Value};

/// What all workers share.
#[derive(Debug)]
pub struct Drive {
    /// Where everything is written down.
    pub recorder: Recorder,
    /// What they know.
    pub shared: Arc<Shared>,
    /// The nodes as clients reach them, node 1 first.
    pub remotes: Vec<Vec<Remote>>,
    /// Number of the next process; one that saw `info` is never used again.
    pub process: AtomicU64,
    /// Set at the end.
    pub stop: AtomicBool,
    /// Ends so far.
    pub counts: Counts,
    /// Mean time between two requests of one worker.
    pub pause: Duration,
    /// Retries after the node's own hint instead of the usual pause.
    pub obeys_hints: bool,
}

/// Ends of calls so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Answered writes.
    pub writes_ok: AtomicU64,
    /// Answered reads.
    pub reads_ok: AtomicU64,
    /// Of the reads, pages of answers to questions.
    pub queries_ok: AtomicU64,
    /// Of them, pages that went on where another ended.
    pub pages_followed: AtomicU64,
    /// Certainly not done.
    pub fail: AtomicU64,
    /// Of them, turned away by an overloaded node.
    pub shed: AtomicU64,
    /// Unknown.
    pub info: AtomicU64,
}

/// Lets workers drive the cluster until `stop` is set, then waits for their last calls.
pub async fn drive(drive: Arc<Drive>, mixes: Vec<Mix>) {
    let mut workers = JoinSet::new();
    for (number, mix) in mixes.into_iter().enumerate() {
        workers.spawn(work(Arc::clone(&drive), mix, number));
    }
    while workers.join_next().await.is_some() {}
}

async fn work(drive: Arc<Drive>, mut mix: Mix, number: usize) {
    let mut process = drive.process.fetch_add(1, Ordering::Relaxed);
    while !drive.stop.load(Ordering::Relaxed) {
        let (ask, deadline) = mix.ask();
        let node = choose(&drive, &mut mix, &ask);
        let connections = &drive.remotes[node];
        let remote = &connections[number % connections.len()];
        let ended = one(&drive, process, ask, deadline, remote, node as u64 + 1).await;
        let mut wait = drive.pause.mul_f64(mix.random().random_range(0.0..2.0));
        match ended {
            Ended::Ok(rest) => mix.rest = rest,
            Ended::Fail(hint) => {
                drive.counts.fail.fetch_add(1, Ordering::Relaxed);
                if let Some(hint) = hint {
                    drive.counts.shed.fetch_add(1, Ordering::Relaxed);
                    wait = if drive.obeys_hints { hint } else { wait };
                }
                // Without it a dead node would be asked thousands of times a second.
                wait = wait.max(Duration::from_millis(20));
            }
            Ended::Info => {
                drive.counts.info.fetch_add(1, Ordering::Relaxed);
                process = drive.process.fetch_add(1, Ordering::Relaxed);
            }
        }
        sleep(wait).await;
    }
}

/// Writes mostly go to the leader, and to anybody when it is unknown; reads go to everybody.
fn choose(drive: &Drive, mix: &mut Mix, ask: &Ask) -> usize {
    let nodes = drive.remotes.len();
    let writes = matches!(ask, Ask::Transfers(_) | Ask::Accounts(_));
    match drive.shared.leader() {
        Some(leader) if writes && mix.random().random_range(0..100) < 85 => {
            (leader as usize - 1).min(nodes - 1)
        }
        _ => mix.random().random_range(0..nodes),
    }
}

enum Ended {
    /// And the rest of a listing.
    Ok(Option<Box<Listing>>),
    Fail(Option<Duration>),
    Info,
}

async fn one(
    drive: &Drive,
    process: u64,
    ask: Ask,
    deadline: Duration,
    remote: &Remote,
    node: u64,
) -> Ended {
    let (function, value) = match &ask {
        Ask::Transfers(items) => {
            drive.shared.use_transfers(items);
            (Function::Transfers, Value::Transfers(items.clone()))
        }
        Ask::Accounts(items) => {
            drive
                .shared
                .use_accounts(items.iter().map(|item| item.id.0));
            (Function::Accounts, Value::Accounts(items.clone()))
        }
        Ask::ReadAccounts(ids, level) => (Function::ReadAccounts, reads(ids, *level)),
        Ask::ReadTransfers(ids, level) => (Function::ReadTransfers, reads(ids, *level)),
        Ask::ReadPendings(ids, level) => (Function::ReadPendings, reads(ids, *level)),
        Ask::Query(it) => (Function::Query, Value::Query(Box::new(it.query.clone()))),
    };
    let deadline_ms = deadline.as_millis() as u64;
    let call = drive.recorder.invoke(process, function, value, deadline_ms);
    let counts = &drive.counts;
    match ask {
        Ask::Transfers(items) => {
            let answer = remote.transfers(&items, deadline).await;
            written(drive, call, answer, node)
        }
        Ask::Accounts(items) => {
            let answer = remote.accounts(&items, deadline).await;
            written(drive, call, answer, node)
        }
        Ask::ReadAccounts(ids, level) => {
            let reply = remote.read_accounts(&ids, level, deadline).await;
            read(drive, counts, call, reply.map(Value::AccountsRead), node)
        }
        Ask::ReadTransfers(ids, level) => {
            let reply = remote.read_transfers(&ids, level, deadline).await;
            read(drive, counts, call, reply.map(Value::TransfersRead), node)
        }
        Ask::ReadPendings(ids, level) => {
            let reply = remote.read_pendings(&ids, level, deadline).await;
            read(drive, counts, call, reply.map(Value::PendingsRead), node)
        }
        Ask::Query(listing) => match remote.query(&listing, deadline).await {
            Err(end) => ended(drive, call, end, node),
            Ok((page, token)) => {
                let rest = listing.next(token, last_timestamp(&page.rows));
                counts.queries_ok.fetch_add(1, Ordering::Relaxed);
                counts
                    .pages_followed
                    .fetch_add(u64::from(!listing.token.is_empty()), Ordering::Relaxed);
                match read(drive, counts, call, Ok(Value::Page(Box::new(page))), node) {
                    Ended::Ok(_) => Ended::Ok(rest.map(Box::new)),
                    other => other,
                }
            }
        },
    }
}

/// Of the last row that has a place in the log of its own.
fn last_timestamp(rows: &Rows) -> Option<u64> {
    match rows {
        Rows::Transfers(rows) => rows.last().map(|row| row.0.timestamp),
        Rows::Accounts(rows) => rows.last().map(|row| row.0.timestamp),
        Rows::Statement(_) | Rows::Sums(_) => None,
    }
}

fn reads(ids: &[u128], consistency: crate::history::Consistency) -> Value {
    Value::ReadIds(ReadIds {
        ids: ids.to_vec(),
        consistency,
    })
}

fn written(
    drive: &Drive,
    call: Call,
    answer: Result<(Vec<Outcome>, u64), End>,
    node: u64,
) -> Ended {
    match answer {
        Ok((outcomes, log_index)) => {
            drive.counts.writes_ok.fetch_add(1, Ordering::Relaxed);
            drive.shared.leader.store(node, Ordering::Relaxed);
            drive.shared.newest.fetch_max(log_index, Ordering::Relaxed);
            let newest = outcomes.iter().map(|it| it.timestamp()).max();
            let newest_ns = &drive.shared.newest_ns;
            newest_ns.fetch_max(newest.unwrap_or(0), Ordering::Relaxed);
            let facts = Facts {
                node: Some(node),
                log_index: Some(log_index),
                ..Facts::default()
            };
            call.ok(Value::Outcomes(outcomes), facts);
            Ended::Ok(None)
        }
        Err(end) => ended(drive, call, end, node),
    }
}

fn read(drive: &Drive, counts: &Counts, call: Call, reply: Result<Value, End>, node: u64) -> Ended {
    match reply {
        Ok(value) => {
            counts.reads_ok.fetch_add(1, Ordering::Relaxed);
            let facts = Facts {
                node: Some(node),
                ..Facts::default()
            };
            call.ok(value, facts);
            Ended::Ok(None)
        }
        Err(end) => ended(drive, call, end, node),
    }
}

fn ended(drive: &Drive, call: Call, end: End, node: u64) -> Ended {
    let known = &drive.shared.leader;
    match end {
        End::Fail { why, leader, wait } => {
            call.fail(why);
            let named = leader.and_then(|address| {
                let is = |remotes: &Vec<Remote>| {
                    let first = remotes.first();
                    first.is_some_and(|it| it.address().to_string() == address)
                };
                drive.remotes.iter().position(is)
            });
            if let Some(leader) = named {
                known.store(leader as u64 + 1, Ordering::Relaxed);
            } else if wait.is_none() {
                let _ = known.compare_exchange(node, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
            Ended::Fail(wait)
        }
        End::Info(why) => {
            call.info(why);
            let _ = known.compare_exchange(node, 0, Ordering::Relaxed, Ordering::Relaxed);
            Ended::Info
        }
    }
}
