//! Subscribers of a run: they follow the event stream while the cluster is being broken, and write down what they saw.
//!
//! One follows each node and comes back to it, one goes from node to node and never stays. They know what a stream must
//! be in itself (dense, each event once, balances that add up); whether it is what the clients were told, and the same
//! everywhere, [`crate::check`] finds out from what they write down.
//!
//! Start at [`Followers`]; `stream` holds what one of them has seen. [`Consumers`] use the SDK and its cursors instead.

mod books;
mod consumers;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::v1::SubscribeRequest;
use farthing_proto::v1::events_client::EventsClient;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::Streaming;
use tonic::transport::Endpoint;

use crate::history::{Facts, Followed, Function, Kind, Process, Recorder, Value};

pub use self::consumers::Consumers;

use self::stream::Stream;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(1);
/// A node says something every second; one that does not is left.
const SILENCE: Duration = Duration::from_secs(4);
/// Pause before the next attempt.
const PAUSE: Duration = Duration::from_millis(200);
/// The one that roams stays nowhere longer.
const STAY: Duration = Duration::from_secs(3);
/// Longest wait at the end for everything to have arrived.
const END: Duration = Duration::from_secs(30);
/// Transfers in one line of the history.
const ROWS: usize = 4_000;

/// Subscribers at work.
#[derive(Debug)]
pub struct Followers {
    tasks: JoinSet<Seen>,
    ending: Arc<Ending>,
}

#[derive(Debug)]
struct Seen {
    name: String,
    roams: bool,
    stream: Stream,
}

/// How far everybody shall follow, once that is known.
#[derive(Debug, Default)]
struct Ending {
    last: AtomicU64,
    given_up: AtomicBool,
}

impl Ending {
    fn is_reached(&self, stream: &Stream) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        self.given_up.load(Ordering::Relaxed) || last != 0 && stream.last() >= last
    }
}

impl Followers {
    /// Lets one follow each node, and one all of them.
    #[must_use]
    pub fn start(nodes: &[SocketAddr], seed: u64) -> Self {
        let ending = Arc::new(Ending::default());
        let mut tasks = JoinSet::new();
        for (at, node) in nodes.iter().enumerate() {
            let name = format!("of node {}", at + 1);
            tasks.spawn(follow(name, vec![*node], seed, Arc::clone(&ending)));
        }
        let roaming = follow("roaming".into(), nodes.to_vec(), seed, Arc::clone(&ending));
        tasks.spawn(roaming);
        Self { tasks, ending }
    }

    /// Waits until everybody has followed to the end, which the nodes say by themselves, and writes down what they saw.
    /// Nothing must happen on the cluster any more.
    pub async fn finish(mut self, nodes: &[SocketAddr], recorder: &Recorder) -> u64 {
        let until = Instant::now() + END;
        let mut last = 0;
        for node in nodes {
            last = newest(*node).await.unwrap_or(0).max(last);
        }
        self.ending.last.store(last, Ordering::Relaxed);
        let mut events = 0;
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            match timeout(rest, self.tasks.join_next()).await {
                Ok(Some(Ok(seen))) => {
                    events += seen.stream.last();
                    write_down(seen, last, recorder);
                }
                Ok(Some(Err(_))) => {}
                Ok(None) => return events,
                // Those that are late say how far they came.
                Err(_) => self.ending.given_up.store(true, Ordering::Relaxed),
            }
            if self.ending.given_up.load(Ordering::Relaxed) {
                while let Some(Ok(seen)) = self.tasks.join_next().await {
                    write_down(seen, last, recorder);
                }
                return events;
            }
        }
    }
}

/// Everything that was seen, a part of the transfers a line.
fn write_down(mut seen: Seen, last: u64, recorder: &Recorder) {
    let mut followed = Followed {
        follower: seen.name,
        last: seen.stream.last(),
        complete: last != 0 && seen.stream.last() >= last,
        hash: seen.stream.hash(),
        wrong: seen.stream.take_wrong(),
        roams: seen.roams,
        transfers: vec![],
    };
    let rows = seen.stream.transfers();
    let mut parts = rows.chunks(ROWS);
    loop {
        // Streams are compared by their hashes; one of them is enough to compare with what clients were told.
        followed.transfers = match parts.next() {
            Some(part) if seen.roams => part.to_vec(),
            _ => vec![],
        };
        let is_last = !seen.roams || parts.len() == 0;
        let value = Value::Followed(Box::new(followed.clone()));
        let facts = Facts::default();
        recorder.note(
            Kind::Info,
            Process::Harness,
            Function::Followed,
            value,
            facts,
        );
        followed.wrong.clear();
        if is_last {
            return;
        }
    }
}

async fn follow(name: String, nodes: Vec<SocketAddr>, seed: u64, ending: Arc<Ending>) -> Seen {
    let roams = nodes.len() > 1;
    let mut random = StdRng::seed_from_u64(seed);
    let mut stream = Stream::default();
    while !ending.is_reached(&stream) {
        let node = nodes[random.random_range(0..nodes.len())];
        let leave = roams.then(|| Instant::now() + STAY);
        if let Some(mut replies) = open(node, stream.last() + 1).await {
            while let Ok(Ok(Some(reply))) = timeout(SILENCE, replies.message()).await {
                stream.take(reply);
                if ending.is_reached(&stream) || leave.is_some_and(|leave| Instant::now() > leave) {
                    break;
                }
            }
        }
        if !ending.is_reached(&stream) {
            sleep(PAUSE).await;
        }
    }
    Seen {
        name,
        roams,
        stream,
    }
}

async fn open(
    node: SocketAddr,
    from_sequence: u64,
) -> Option<Streaming<farthing_proto::v1::SubscribeReply>> {
    let endpoint = Endpoint::from_shared(format!("http://{node}")).ok()?;
    let endpoint = endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
    let channel = timeout(2 * CONNECT, endpoint.connect()).await.ok()?.ok()?;
    let mut client = EventsClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let request = SubscribeRequest {
        from_sequence,
        include_balances: true,
        ..SubscribeRequest::default()
    };
    let opened = timeout(SILENCE, client.subscribe(request)).await;
    Some(opened.ok()?.ok()?.into_inner())
}

/// The last event a node has.
async fn newest(node: SocketAddr) -> Option<u64> {
    // From behind any end: the first thing it says is how far it is.
    let mut replies = open(node, 1 << 62).await?;
    let reply = timeout(SILENCE, replies.message()).await.ok()?.ok()??;
    Some(reply.newest_sequence)
}
