//! A small steady load, so that a person sees what a fault does to writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use farthing_client::Client;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use super::books::load_transfer;
use crate::failure::{Code, Failure};
use crate::output::{self, Report, Table};

/// Transfers a second when nothing else is said.
pub const RATE_DEFAULT: u64 = 200;
/// The most that may be asked for: what a laptop does beside three nodes.
pub const RATE_MAX: u64 = 5_000;
/// Transfers sent and not answered, at most; more are not sent, and counted.
const UNDER_WAY_MAX: usize = 20_000;
/// Time between two looks at what is due.
const TICK: Duration = Duration::from_millis(10);
/// Without an acknowledgement for this long, writes have stopped.
const STOPPED_AFTER: Duration = Duration::from_millis(800);
/// Time between two lines while all goes well.
const LINE_PERIOD: Duration = Duration::from_secs(2);

/// Takes a line for the person at the prompt.
pub type Say = Arc<dyn Fn(String) + Send + Sync>;

/// What a load has done.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LoadFigures {
    /// Transfers a second it is to send.
    pub rate: u64,
    /// Transfers sent.
    pub sent: u64,
    /// Transfers acknowledged.
    pub acknowledged: u64,
    /// Transfers that ended without an answer in time, or were refused.
    pub failed: u64,
    /// The longest time between two acknowledgements, ms.
    pub longest_gap_ms: u64,
}

impl Report for LoadFigures {
    fn table(&self) -> Table {
        Table::pairs([
            ("rate", format!("{}/s", self.rate)),
            ("sent", output::count(self.sent)),
            ("acknowledged", output::count(self.acknowledged)),
            ("without an answer", output::count(self.failed)),
            (
                "longest time without an acknowledgement",
                output::duration(Duration::from_millis(self.longest_gap_ms)),
            ),
        ])
    }
}

/// A load that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Load {
    rate: u64,
    counts: Arc<Counts>,
    _sending: AbortOnDropHandle<()>,
    _telling: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Counts {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// When a transfer was acknowledged last.
    at: Instant,
    longest_gap: Duration,
}

impl Counts {
    fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        last.longest_gap = last.longest_gap.max(now - last.at);
        last.at = now;
    }

    fn last(&self) -> Last {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load {
    /// Begins to send.
    ///
    /// # Errors
    /// [`Code::Usage`] for a rate out of range.
    pub(super) fn start(client: Client, rate: u64, say: Say) -> Result<Self, Failure> {
        if rate == 0 || rate > RATE_MAX {
            return Err(Failure::new(
                Code::Usage,
                format!("a load is 1 to {RATE_MAX} transfers a second, not {rate}"),
            )
            .advise("`bench` measures how much a cluster can do"));
        }
        let counts = Arc::new(Counts {
            sent: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last: Mutex::new(Last {
                at: Instant::now(),
                longest_gap: Duration::ZERO,
            }),
        });
        let sending = tokio::spawn(send(client, rate, Arc::clone(&counts)));
        let telling = tokio::spawn(tell(Arc::clone(&counts), say));
        Ok(Self {
            rate,
            counts,
            _sending: AbortOnDropHandle::new(sending),
            _telling: AbortOnDropHandle::new(telling),
        })
    }

    pub(super) fn figures(&self) -> LoadFigures {
        let last = self.counts.last();
        let gap = last.longest_gap.max(last.at.elapsed());
        LoadFigures {
            rate: self.rate,
            sent: self.counts.sent.load(Ordering::Relaxed),
            acknowledged: self.counts.acknowledged.load(Ordering::Relaxed),
            failed: self.counts.failed.load(Ordering::Relaxed),
            longest_gap_ms: u64::try_from(gap.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Sends at the rate whatever the answers take, as customers do.
async fn send(client: Client, rate: u64, counts: Arc<Counts>) {
    let under_way = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let begun = Instant::now();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due_before = 0;
    loop {
        ticks.tick().await;
        let due = u64::try_from(begun.elapsed().as_micros() * u128::from(rate) / 1_000_000);
        let due = due.unwrap_or(u64::MAX);
        for _ in due_before..due {
            let Ok(place) = Arc::clone(&under_way).try_acquire_owned() else {
                break;
            };
            counts.sent.fetch_add(1, Ordering::Relaxed);
            let (client, counts) = (client.clone(), Arc::clone(&counts));
            tokio::spawn(async move {
                match client.create_transfers(vec![load_transfer()]).await {
                    Ok(outcomes) if outcomes.iter().all(|outcome| outcome.is_success()) => {
                        counts.acknowledge();
                    }
                    _ => {
                        counts.failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
                drop(place);
            });
        }
        due_before = due;
    }
}

/// Tells how it goes: now and then while it goes well, at once when writes stop and when they go on.
async fn tell(counts: Arc<Counts>, say: Say) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut line_at, mut line_count) = (Instant::now(), 0);
    let mut stopped_since: Option<Instant> = None;
    loop {
        ticks.tick().await;
        let last = counts.last();
        match stopped_since {
            None if last.at.elapsed() > STOPPED_AFTER => {
                stopped_since = Some(last.at);
                say("load: writes have stopped".to_owned());
            }
            Some(since) if last.at > since => {
                stopped_since = None;
                say(format!(
                    "load: writes go on after {}",
                    output::duration(last.longest_gap.min(since.elapsed()))
                ));
                (line_at, line_count) =
                    (Instant::now(), counts.acknowledged.load(Ordering::Relaxed));
            }
            None if line_at.elapsed() >= LINE_PERIOD => {
                let count = counts.acknowledged.load(Ordering::Relaxed);
                let rate = output::rate(count - line_count, line_at.elapsed());
                say(format!("load: {} acknowledged/s", output::count(rate)));
                (line_at, line_count) = (Instant::now(), count);
            }
            _ => {}
        }
    }
}
