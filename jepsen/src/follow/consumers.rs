//! Consumers of a run: they read the event stream through the SDK and save in cursors how far they are, two with each
//! cursor, while the cluster is being broken. They crash before they save, come back where the cursor is, and get in each
//! other's way; one of two is fenced then.
//!
//! What they do is written down call by call; what is right, [`crate::check`] knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use farthing_client::events::{Cursor, EventBatch, EventsOptions};
use farthing_client::{Client, Error};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::history::{CursorOpen, CursorSave, Facts, Function, Recorder, Value};

/// Cursors, and consumers of each.
const CURSORS: u64 = 3;
const EACH: u64 = 2;
/// Time for one call of the SDK; a save is two writes and a read at most.
const DEADLINE: Duration = Duration::from_millis(2_000);
const SAVE_DEADLINE_MS: u64 = 3 * 2_000;
/// Longest wait for events.
const WAIT: Duration = Duration::from_secs(3);
/// Longest pause between two batches: cursors are saved in bursts and seldom.
const PAUSE_MAX_MS: u64 = 150;
/// Their processes are numbered from here: those of the workers are not.
const PROCESS: u64 = 1 << 40;

/// Consumers at work.
#[derive(Debug)]
pub struct Consumers {
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    recorder: Recorder,
    process: AtomicU64,
    session: AtomicU64,
    stop: AtomicBool,
    saved: AtomicU64,
    fenced: AtomicU64,
}

impl Consumers {
    /// Lets them begin.
    ///
    /// # Errors
    /// When no client can be made of these addresses.
    pub fn start(nodes: &[SocketAddr], seed: u64, recorder: &Recorder) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            recorder: recorder.clone(),
            process: AtomicU64::new(PROCESS),
            session: AtomicU64::new(1),
            stop: AtomicBool::new(false),
            saved: AtomicU64::new(0),
            fenced: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for number in 0..CURSORS * EACH {
            let consumer = Consumer {
                client: client(nodes)?,
                shared: Arc::clone(&shared),
                cursor: name(number % CURSORS),
                random: StdRng::seed_from_u64(seed ^ number << 32),
                process: shared.process.fetch_add(1, Ordering::Relaxed),
            };
            tasks.spawn(consumer.work());
        }
        Ok(Self { tasks, shared })
    }

    /// Lets every consumer end its call, opens every cursor once more, and says how many saves were acknowledged and
    /// how many were fenced.
    ///
    /// # Errors
    /// When no client can be made of these addresses.
    pub async fn finish(mut self, nodes: &[SocketAddr]) -> Result<(u64, u64), Error> {
        self.shared.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        for number in 0..CURSORS {
            let mut last = Consumer {
                client: client(nodes)?,
                shared: Arc::clone(&self.shared),
                cursor: name(number),
                random: StdRng::seed_from_u64(number),
                process: self.shared.process.fetch_add(1, Ordering::Relaxed),
            };
            last.open().await;
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok((count(&self.shared.saved), count(&self.shared.fenced)))
    }
}

fn name(number: u64) -> String {
    format!("jepsen-{number}")
}

fn client(nodes: &[SocketAddr]) -> Result<Client, Error> {
    let builder = Client::builder().deadline(DEADLINE);
    builder
        .endpoints(nodes.iter().map(SocketAddr::to_string))
        .build()
}

struct Consumer {
    client: Client,
    shared: Arc<Shared>,
    cursor: String,
    random: StdRng,
    /// Another one after each unknown outcome.
    process: u64,
}

/// What became of a save.
enum Saved {
    Yes,
    Unknown,
    Fenced,
}

impl Consumer {
    async fn work(mut self) {
        while !self.is_over() {
            match self.open().await {
                Some((session, cursor)) => self.consume(session, cursor).await,
                None => sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// From an open to a crash, of which the process knows nothing afterwards.
    async fn consume(&mut self, session: u64, mut cursor: Cursor) {
        let options = EventsOptions {
            from: cursor.next_sequence(),
            patience: Some(WAIT),
            ..EventsOptions::default()
        };
        let mut events = self.client.events(options);
        let mut given = cursor.sequence();
        let mut wrong = vec![];
        while !self.is_over() {
            match timeout(WAIT, events.next()).await {
                Ok(Ok(Some(batch))) => given = look(&batch, given, &mut wrong),
                // No node serves it at the moment.
                Ok(Err(Error::BrokenStream { .. })) => wrong.push("the stream is broken".into()),
                Ok(Ok(None) | Err(_)) | Err(_) => {}
            }
            let pause = self.random.random_range(0..PAUSE_MAX_MS);
            sleep(Duration::from_millis(pause)).await;
            let chance = self.random.random_range(0..100);
            if chance < 8 {
                return;
            }
            if chance < 40 || given == cursor.sequence() {
                continue;
            }
            match self.save(session, &mut cursor, given, &mut wrong).await {
                Saved::Yes | Saved::Unknown => {}
                Saved::Fenced => return,
            }
        }
    }

    async fn open(&mut self) -> Option<(u64, Cursor)> {
        let session = self.shared.session.fetch_add(1, Ordering::Relaxed);
        let value = Value::CursorOpen(CursorOpen {
            cursor: self.cursor.clone(),
            session,
        });
        let deadline_ms = DEADLINE.as_millis() as u64;
        let recorder = &self.shared.recorder;
        let call = recorder.invoke(self.process, Function::CursorOpen, value, deadline_ms);
        match Cursor::open(&self.client, &self.cursor).await {
            Ok(cursor) => {
                call.ok(Value::Sequence(cursor.sequence()), Facts::default());
                Some((session, cursor))
            }
            // It changes nothing.
            Err(error) => {
                call.fail(error.to_string());
                None
            }
        }
    }

    async fn save(
        &mut self,
        session: u64,
        cursor: &mut Cursor,
        to: u64,
        wrong: &mut Vec<String>,
    ) -> Saved {
        let value = Value::CursorSave(Box::new(CursorSave {
            cursor: self.cursor.clone(),
            session,
            from: cursor.sequence(),
            to,
            wrong: std::mem::take(wrong),
        }));
        let recorder = &self.shared.recorder;
        let call = recorder.invoke(self.process, Function::CursorSave, value, SAVE_DEADLINE_MS);
        match cursor.save(to).await {
            Ok(()) => {
                self.shared.saved.fetch_add(1, Ordering::Relaxed);
                call.ok(Value::None, Facts::default());
                Saved::Yes
            }
            Err(error @ Error::Fenced { .. }) => {
                self.shared.fenced.fetch_add(1, Ordering::Relaxed);
                call.fail(error.to_string());
                Saved::Fenced
            }
            Err(error) => {
                call.info(error.to_string());
                self.process = self.shared.process.fetch_add(1, Ordering::Relaxed);
                Saved::Unknown
            }
        }
    }

    fn is_over(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }
}

/// Up to where a consumer was given everything, after this batch.
fn look(batch: &EventBatch, mut given: u64, wrong: &mut Vec<String>) -> u64 {
    for event in &batch.events {
        if event.sequence != given + 1 {
            wrong.push(format!("event {} came after {given}", event.sequence));
        }
        given = event.sequence;
    }
    if batch.last_sequence != given {
        let said = batch.last_sequence;
        wrong.push(format!("it was said to end at {said} and ended at {given}"));
    }
    given
}
