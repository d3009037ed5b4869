//! The task that gathers calls into requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use farthing_proto::limits::{ITEMS_MAX, REQUEST_BYTES_MAX};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::attempt;
use super::call::{Call, Delivered, call};
use super::{Load, Size};
use crate::error::Error;
use crate::transport::router::Router;

/// Calls waiting in the queue at most; their bytes are bounded too.
const QUEUE_CALLS_MAX: usize = 65_536;
/// Small requests in flight per connection before further calls gather: one on its way
/// and one being answered keep both ends busy, more would only make requests smaller.
const SMALL_IN_FLIGHT: usize = 2;
/// A request of this many items gains nothing from gathering more.
const LARGE_ITEMS: usize = 1_024;
/// Most bytes of merged items: far below the limit of a request, so that headers fit and
/// one request does not hold up the others.
const MERGED_BYTES_MAX: usize = REQUEST_BYTES_MAX / 2;
/// What a call takes in memory beside its items.
const CALL_BYTES: usize = 256;

/// The callers' end of a batcher; cheap to clone.
pub(crate) struct Batcher<L: Load> {
    queue: mpsc::Sender<Call<L>>,
    room: Arc<Semaphore>,
}

impl<L: Load> Clone for Batcher<L> {
    fn clone(&self) -> Self {
        Batcher {
            queue: self.queue.clone(),
            room: Arc::clone(&self.room),
        }
    }
}

impl<L: Load> Batcher<L> {
    /// Starts the task; it ends when the last clone of the batcher is gone and everything
    /// it took has ended.
    pub(crate) fn start(router: Arc<Router>) -> Self {
        let (queue, calls) = mpsc::channel(QUEUE_CALLS_MAX);
        let room = Arc::new(Semaphore::new(router.config.queue_bytes_max));
        tokio::spawn(run::<L>(router, calls));
        Batcher { queue, room }
    }

    /// Sends a part, alone or in company, and waits for its answer until the deadline.
    pub(crate) async fn call(
        &self,
        part: L::Part,
        deadline: Instant,
    ) -> Result<Delivered<L::Answer>, Error> {
        let full = || Error::Deadline {
            cause: "the client's own queue is full".to_owned(),
        };
        let bytes = L::size(&part).bytes + CALL_BYTES;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes);
        let room = tokio::time::timeout_at(deadline, room)
            .await
            .map_err(|_| full())?
            .map_err(|_| Error::Closed)?;
        let (call, ticket) = call::<L>(part, deadline, room);
        tokio::time::timeout_at(deadline, self.queue.send(call))
            .await
            .map_err(|_| full())?
            .map_err(|_| Error::Closed)?;
        ticket.wait().await
    }
}

type InFlight = FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>>;

async fn run<L: Load>(router: Arc<Router>, mut queue: mpsc::Receiver<Call<L>>) {
    let connections = router.config.connections;
    let small_max = SMALL_IN_FLIGHT * connections;
    let large_max = router.config.requests_in_flight_max * connections;
    let small_max = small_max.min(large_max);
    let mut in_flight: InFlight = FuturesUnordered::new();
    let mut gathered = Gathered::<L>::default();
    loop {
        while gathered.is_open()
            && let Ok(call) = queue.try_recv()
        {
            gathered.push(call);
        }
        let most = if gathered.is_large() {
            large_max
        } else {
            small_max
        };
        if !gathered.calls.is_empty() && in_flight.len() < most {
            let calls = gathered.take();
            in_flight.push(Box::pin(attempt::run(Arc::clone(&router), calls)));
            continue;
        }
        tokio::select! {
            Some(()) = in_flight.next() => {}
            call = queue.recv(), if gathered.is_open() => match call {
                Some(call) => gathered.push(call),
                None => break,
            },
        }
    }
    // Every caller's end is gone, but calls taken from the queue may still be answered
    // to callers that hold only their ticket.
    if !gathered.calls.is_empty() {
        in_flight.push(Box::pin(attempt::run(router, gathered.take())));
    }
    while in_flight.next().await.is_some() {}
}

/// Calls that will travel together, and the first that cannot.
struct Gathered<L: Load> {
    calls: Vec<Call<L>>,
    size: Size,
    /// Taken from the queue and not fit to join: the gathered ones are complete.
    next: Option<Call<L>>,
}

impl<L: Load> Default for Gathered<L> {
    fn default() -> Self {
        Gathered {
            calls: Vec::new(),
            size: Size::default(),
            next: None,
        }
    }
}

impl<L: Load> Gathered<L> {
    fn is_open(&self) -> bool {
        self.next.is_none()
    }

    /// Waiting for company would gain nothing.
    fn is_large(&self) -> bool {
        self.size.items >= LARGE_ITEMS || self.next.is_some()
    }

    fn push(&mut self, call: Call<L>) {
        let size = L::size(&call.part);
        let joins = self.calls.last().is_none_or(|last| {
            L::joins(&last.part, &call.part)
                && self.size.items + size.items <= ITEMS_MAX
                && self.size.bytes + size.bytes <= MERGED_BYTES_MAX
        });
        if joins {
            self.size.items += size.items;
            self.size.bytes += size.bytes;
            self.calls.push(call);
        } else {
            self.next = Some(call);
        }
    }

    fn take(&mut self) -> Vec<Call<L>> {
        let calls = std::mem::take(&mut self.calls);
        self.size = Size::default();
        if let Some(next) = self.next.take() {
            self.push(next);
        }
        calls
    }
}
