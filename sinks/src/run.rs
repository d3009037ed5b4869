//! The runner: from the stream into a sink, for as long as it may.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::progress::Progress;
use crate::sink::Sink;
use crate::source::Source;

/// What is under way when the runner is asked to end may go on for so long.
const GRACE: Duration = Duration::from_secs(5);
/// How often a sink hears that there is nothing to deliver.
const IDLE: Duration = Duration::from_millis(500);

/// How events are gathered, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Events of one batch, at most; from 1.
    pub events_max: usize,
    /// Bytes of one batch, exceeded by one event at most: with it the runner holds twice as much.
    pub bytes_max: usize,
    /// How long a batch may wait for more events.
    pub linger: Duration,
    /// How long delivering may fail without a success before that is an error; `None`: it keeps trying.
    pub patience: Option<Duration>,
    /// Between two reports of progress.
    pub report_every: Duration,
}

impl Default for Options {
    /// 2,000 events, 4 MiB, 10 ms, for ever, 10 s.
    fn default() -> Self {
        Options {
            events_max: 2_000,
            bytes_max: 4 << 20,
            linger: Duration::from_millis(10),
            patience: None,
            report_every: Duration::from_secs(10),
        }
    }
}

/// Delivers events until the source ends, `stop` is cancelled, or an error that waiting does not mend. It begins behind
/// what the sink says it has, and asks again after every failure.
///
/// # Errors
/// [`Error::Fenced`], [`Error::Permanent`], [`Error::Client`]; [`Error::Transient`] when the patience has run out.
pub async fn run<O: Source, S: Sink>(
    source: &mut O,
    sink: &mut S,
    options: &Options,
    report: impl FnMut(&Progress),
    stop: &CancellationToken,
) -> Result<Progress, Error> {
    let progress = Progress::new(sink.kind());
    let mut runner = Runner {
        source,
        sink,
        options,
        report,
        stop,
        progress,
        backoff: Backoff::default(),
        failing_since: None,
        pending: VecDeque::new(),
        ended: false,
    };
    match runner.work().await {
        Ok(()) | Err(End::Stopped) => {}
        Err(End::Failed(error)) => return Err(error),
    }
    // Whatever cannot be saved in time is delivered again by the next run.
    match timeout(GRACE, runner.sink.finish()).await {
        Ok(Ok(()) | Err(Error::Transient { .. })) | Err(_) => {}
        Ok(Err(error)) => return Err(error),
    }
    runner.progress.settle(runner.source.newest());
    Ok(runner.progress)
}

/// Why work ended early.
enum End {
    Stopped,
    Failed(Error),
}

struct Runner<'a, O, S, F> {
    source: &'a mut O,
    sink: &'a mut S,
    options: &'a Options,
    report: F,
    stop: &'a CancellationToken,
    progress: Progress,
    backoff: Backoff,
    failing_since: Option<Instant>,
    /// Read and not in a batch yet: less than one part of the stream beyond a batch.
    pending: VecDeque<Delivery>,
    /// There are no more events.
    ended: bool,
}

impl<O: Source, S: Sink, F: FnMut(&Progress)> Runner<'_, O, S, F> {
    async fn work(&mut self) -> Result<(), End> {
        let at = self.resume().await?;
        self.begin(at);
        while let Some(batch) = self.gather().await? {
            self.deliver(&batch).await?;
            if self.progress.since_reported() >= self.options.report_every {
                self.tell();
            }
        }
        Ok(())
    }

    /// What the sink has, once it can say so.
    async fn resume(&mut self) -> Result<u64, End> {
        loop {
            match within(self.stop, self.sink.resume()).await? {
                Ok(at) => return Ok(at),
                Err(error) => self.wait(error).await?,
            }
        }
    }

    fn begin(&mut self, at: u64) {
        self.pending.clear();
        self.ended = false;
        self.progress.last_sequence = at;
        self.source.begin(at);
    }

    /// The next batch; `None` when there are no more.
    async fn gather(&mut self) -> Result<Option<Vec<Delivery>>, End> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut until = None;
        loop {
            while batch.len() < self.options.events_max.max(1) && bytes < self.options.bytes_max {
                let Some(delivery) = self.pending.pop_front() else {
                    break;
                };
                bytes += delivery.weight();
                batch.push(delivery);
            }
            let is_full =
                batch.len() >= self.options.events_max.max(1) || bytes >= self.options.bytes_max;
            if is_full || (self.ended && !batch.is_empty()) {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            if !batch.is_empty() && until.is_none() {
                until = Instant::now().checked_add(self.options.linger);
            }
            let wake = until.unwrap_or_else(|| Instant::now() + IDLE);
            let next = tokio::select! {
                // A source that always has something must not keep it from ending.
                biased;
                () = self.stop.cancelled() => return Err(End::Stopped),
                next = timeout_at(wake, self.source.next()) => next,
            };
            match next {
                Ok(Ok(Some(part))) => self.pending.extend(part),
                Ok(Ok(None)) => self.ended = true,
                Ok(Err(error)) => {
                    self.wait(error).await?;
                    if !batch.is_empty() {
                        return Ok(Some(batch));
                    }
                }
                Err(_) if !batch.is_empty() => return Ok(Some(batch)),
                Err(_) => self.idle().await?,
            }
        }
    }

    async fn idle(&mut self) -> Result<(), End> {
        if let Err(error) = within(self.stop, self.sink.idle()).await? {
            self.wait(error).await?;
            let at = self.resume().await?;
            if at != self.progress.last_sequence {
                self.begin(at);
            }
        }
        if self.progress.since_reported() >= self.options.report_every {
            self.tell();
        }
        Ok(())
    }

    async fn deliver(&mut self, batch: &[Delivery]) -> Result<(), End> {
        let mut rest = batch;
        while let (Some(first), Some(last)) = (rest.first(), rest.last()) {
            let (first, last) = (first.sequence, last.sequence);
            let before = self.progress.last_sequence;
            match within(self.stop, self.sink.deliver(rest)).await? {
                Ok(()) => {
                    self.count(last);
                    return Ok(());
                }
                Err(error) => self.wait(error).await?,
            }
            let at = self.resume().await?;
            if at < before || at > last {
                // The place has lost what it had, or somebody else has delivered it: what is there counts.
                self.begin(at);
                return Ok(());
            }
            let arrived = usize::try_from((at + 1).saturating_sub(first)).unwrap_or(rest.len());
            if arrived > 0 {
                self.count(at);
            }
            rest = rest.get(arrived..).unwrap_or_default();
        }
        Ok(())
    }

    /// Everything up to here is there.
    fn count(&mut self, last: u64) {
        self.progress.delivered += last.saturating_sub(self.progress.last_sequence);
        self.progress.dead_letters = self.sink.dead_letters();
        self.progress.last_sequence = last;
        self.progress.waiting_for = None;
        self.backoff = Backoff::default();
        self.failing_since = None;
    }

    /// Waits before the next attempt, or says why there is none.
    async fn wait(&mut self, error: Error) -> Result<(), End> {
        let Error::Transient {
            message,
            retry_after,
        } = &error
        else {
            return Err(End::Failed(error));
        };
        let wait = self.backoff.next(*retry_after);
        let failing = self
            .failing_since
            .get_or_insert_with(Instant::now)
            .elapsed();
        if self
            .options
            .patience
            .is_some_and(|patience| failing + wait > patience)
        {
            return Err(End::Failed(error));
        }
        self.progress.retries += 1;
        self.progress.waiting_for = Some(message.clone());
        if self.progress.since_reported() >= Duration::from_secs(1) {
            self.tell();
        }
        tokio::select! {
            () = self.stop.cancelled() => Err(End::Stopped),
            () = sleep(wait) => Ok(()),
        }
    }

    fn tell(&mut self) {
        self.progress.settle(self.source.newest());
        (self.report)(&self.progress);
    }
}

/// Waits for what is under way, and a little longer when it is to end: what is finished need not be done again.
async fn within<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Result<T, End> {
    let too_late = async {
        stop.cancelled().await;
        sleep(GRACE).await;
    };
    tokio::select! {
        done = work => Ok(done),
        () = too_late => Err(End::Stopped),
    }
}
