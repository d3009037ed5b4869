//! The clients of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::bail;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::options::Options;
use crate::history::{Facts, Function, Recorder, Value};
use crate::nemesis::Field;
use crate::workload::{Counts, Drive, Mix, Remote, Shared, drive};

/// Connections of the clients to each node.
const CONNECTIONS: usize = 4;
/// Longest wait for the accounts that everything needs.
const PREPARE: Duration = Duration::from_secs(20);

/// Clients at work.
#[derive(Debug)]
pub(super) struct Load {
    drive: Arc<Drive>,
    task: JoinHandle<()>,
}

impl Load {
    /// Creates the accounts and lets the workers begin.
    pub(super) async fn start(options: &Options, field: &Arc<Field>) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let remotes = field.cluster.nodes.iter().map(|node| {
            let connections = 0..CONNECTIONS;
            connections.map(|_| Remote::new(node.through)).collect()
        });
        let drive_it = Arc::new(Drive {
            recorder: field.recorder.clone(),
            shared: Arc::clone(&shared),
            remotes: remotes.collect(),
            process: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            counts: Counts::default(),
            pause: options.pause(),
            obeys_hints: options.overloads(),
        });
        prepare(&drive_it, field, &field.recorder).await?;
        let mixes = (0..options.workers()).map(|worker| {
            let shared = Arc::clone(&shared);
            Mix::new(
                &options.workloads,
                options.seed,
                worker,
                shared,
                options.deadline(),
            )
        });
        let task = tokio::spawn(drive(Arc::clone(&drive_it), mixes.collect()));
        Ok(Self {
            drive: drive_it,
            task,
        })
    }

    /// Lets every worker end its call, and counts what was reached.
    pub(super) async fn stop(self, field: &Field) -> Arc<Shared> {
        self.drive.stop.store(true, Ordering::Relaxed);
        if timeout(Duration::from_secs(15), self.task).await.is_err() {
            field.trouble("clients did not come to an end");
        }
        let counts = &self.drive.counts;
        let points = [
            ("writes.ok", &counts.writes_ok),
            ("reads.ok", &counts.reads_ok),
            ("queries.ok", &counts.queries_ok),
            ("queries.followed", &counts.pages_followed),
            ("calls.fail", &counts.fail),
            ("calls.shed", &counts.shed),
            ("calls.info", &counts.info),
        ];
        for (point, count) in points {
            field.reached_times(point, count.load(Ordering::Relaxed));
        }
        Arc::clone(&self.drive.shared)
    }
}

/// The accounts, created once whatever node leads. The same ids again are harmless.
async fn prepare(drive: &Drive, field: &Field, recorder: &Recorder) -> anyhow::Result<()> {
    let accounts = drive.shared.accounts();
    drive
        .shared
        .use_accounts(accounts.iter().map(|account| account.id.0));
    let until = Instant::now() + PREPARE;
    let deadline = Duration::from_secs(5);
    loop {
        let leader = field.leader.load(Ordering::Relaxed).max(1);
        let remote = &drive.remotes[leader as usize - 1][0];
        let process = drive.process.fetch_add(1, Ordering::Relaxed);
        let value = Value::Accounts(accounts.clone());
        let call = recorder.invoke(
            process,
            Function::Accounts,
            value,
            deadline.as_millis() as u64,
        );
        match remote.accounts(&accounts, deadline).await {
            Ok((outcomes, log_index)) => {
                let facts = Facts {
                    node: Some(leader),
                    log_index: Some(log_index),
                    ..Facts::default()
                };
                call.ok(Value::Outcomes(outcomes), facts);
                drive.shared.leader.store(leader, Ordering::Relaxed);
                return Ok(());
            }
            Err(crate::workload::End::Fail { why, .. }) => call.fail(why),
            Err(crate::workload::End::Info(why)) => call.info(why),
        }
        if Instant::now() > until {
            bail!("the accounts of the run cannot be created");
        }
        sleep(Duration::from_millis(200)).await;
    }
}
