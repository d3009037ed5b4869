//! Subscribers beside the transfers: some that follow as fast as they can, some that never read.

use std::time::{Duration, Instant};

use farthing_client::Client;
use farthing_client::events::{EventsOptions, PackedSubscription};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::latency::Latencies;
use crate::local::ClusterHealth;

/// After the last answer, a subscriber that is behind is waited for no longer.
const BEHIND_MAX: Duration = Duration::from_secs(60);
/// How often each of them is asked how far behind it is.
const LOOK: Duration = Duration::from_millis(10);

/// What the subscribers saw.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Events of all of them.
    pub(super) events: u64,
    /// Bytes of those events.
    pub(super) bytes: u64,
    /// When the slowest of them had its last event.
    last_at: Option<Instant>,
    /// From the last answer to that event.
    pub(super) late: Duration,
    /// How many events each was behind, looked at all the time: as microseconds, one each.
    pub(super) behind: Latencies,
}

/// Subscribers at work.
pub(super) struct Subscribers {
    client: Client,
    following: JoinSet<Result<Followed, Failure>>,
    /// Each holds its connection and reads nothing.
    stuck: Vec<PackedSubscription>,
    end: watch::Sender<Option<u64>>,
}

impl Subscribers {
    /// Subscribes from now on, `following` that read and `stuck` that take one part each and then none.
    pub(super) async fn start(client: Client, following: u64, stuck: u64) -> Result<Self, Failure> {
        let from = client.newest_sequence().await.map_err(failure)? + 1;
        let (end, ends) = watch::channel(None);
        let mut subscribers = Self {
            client,
            following: JoinSet::new(),
            stuck: Vec::new(),
            end,
        };
        for _ in 0..following {
            let (client, ends) = (subscribers.client.clone(), ends.clone());
            subscribers.following.spawn(follow(client, from, ends));
        }
        for _ in 0..stuck {
            let options = EventsOptions::default();
            let mut subscription = subscribers.client.packed_events(options);
            subscription.next().await.map_err(failure)?;
            subscribers.stuck.push(subscription);
        }
        Ok(subscribers)
    }

    /// Waits until everybody has seen what was answered.
    pub(super) async fn finish(
        mut self,
        health: impl AsyncFn() -> ClusterHealth,
    ) -> Result<Followed, Failure> {
        let ended = Instant::now();
        // The newest event is one node's, which may be behind what was answered until all are level.
        let wanted = applied(&health().await).max();
        while applied(&health().await).min() < wanted {
            if ended.elapsed() > BEHIND_MAX {
                let what = "a node does not apply what others have applied: look at `farthing cluster status`";
                return Err(Failure::new(Code::NotReachable, what));
            }
            tokio::time::sleep(LOOK).await;
        }
        let last = self.client.newest_sequence().await.map_err(failure)?;
        self.end.send_replace(Some(last));
        let mut all = Followed::default();
        while let Some(done) = self.following.join_next().await {
            let one = done.map_err(|error| {
                Failure::new(Code::Internal, "a subscriber died").because(error)
            })??;
            all.events += one.events;
            all.bytes += one.bytes;
            all.behind.merge(&one.behind);
            all.last_at = all.last_at.max(one.last_at);
        }
        all.late = all
            .last_at
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(ended));
        drop(self.stuck);
        Ok(all)
    }
}

/// How far the nodes that answer are.
fn applied(health: &ClusterHealth) -> impl Iterator<Item = u64> {
    let answered = health.nodes.iter().filter(|node| node.reachable);
    answered.map(|node| node.applied_index)
}

async fn follow(
    client: Client,
    from: u64,
    mut ends: watch::Receiver<Option<u64>>,
) -> Result<Followed, Failure> {
    let mut followed = Followed::default();
    let mut subscription = client.packed_events(EventsOptions {
        from,
        ..EventsOptions::default()
    });
    let mut looked = Instant::now();
    let mut give_up = None;
    loop {
        let end = *ends.borrow_and_update();
        if end.is_some_and(|end| subscription.last_sequence() >= end) {
            return Ok(followed);
        }
        if end.is_some() {
            let until = *give_up.get_or_insert(Instant::now() + BEHIND_MAX);
            if Instant::now() > until {
                let last = subscription.last_sequence();
                let what = format!("a subscriber came to event {last} and no further");
                return Err(Failure::new(Code::NotReachable, what));
            }
        }
        tokio::select! {
            batch = subscription.next() => {
                let Some(batch) = batch.map_err(failure)? else {
                    return Ok(followed);
                };
                followed.last_at = Some(Instant::now());
                followed.events += batch.iter().count() as u64;
                followed.bytes += batch.bytes().len() as u64;
                if looked.elapsed() >= LOOK {
                    looked = Instant::now();
                    let behind = batch.newest_sequence.saturating_sub(batch.last_sequence);
                    followed.behind.record(Duration::from_micros(behind));
                }
            }
            _ = ends.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}
