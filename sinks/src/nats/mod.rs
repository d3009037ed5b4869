//! NATS JetStream: each event once, by compare-and-set.
//!
//! Every message is published on condition that the stream's last message is the one before it. So the stream itself decides:
//! a message that was lost on its way makes all that follow it fail, one that arrived although its answer was lost is found at
//! the stream's end, and of two sinks only one can go on. Many are under way at once all the same.
//!
//! The stream holds nothing but events, without a gap; that is checked whenever its end is read.

mod stream;
mod tail;

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishAckFuture};
use async_nats::{ConnectOptions, HeaderMap};
use farthing_client::ids;
use futures::future::join_all;

use crate::cloud_event::{CloudEvent, DATA_CONTENT_TYPE, Origin, dotted};
use crate::delivery::Delivery;
use crate::error::Error;
use crate::sink::Sink;

/// Messages without an answer yet, at most.
const WINDOW: usize = 1_000;
/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a sink that has not published yet may lose against another one: one that has just died may still have messages
/// under way, one that lives always has.
const TAKEOVERS_MAX: u32 = 20;
/// The process that published a message.
const WRITER: &str = "farthing-sink";

/// Where to.
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses of servers, such as `nats://127.0.0.1:4222`.
    pub servers: Vec<String>,
    /// The stream, which is this sink's alone.
    pub stream: String,
    /// What subjects begin with: the subject of an event is this, a dot and its kind, such as `farthing.transfer.created`.
    pub subject: String,
    /// How many servers keep the stream, when it is to be made if it is not there; 1 to 5.
    pub create: Option<usize>,
}

/// The sink. See the module.
#[derive(Debug)]
pub struct JetStream {
    config: Config,
    origin: Origin,
    /// Names this process in its messages.
    writer: String,
    context: Option<Context>,
    /// The stream's own number of its last message.
    position: u64,
    /// This process has published: from then on the stream's last message is its own, or somebody has taken over.
    is_owner: bool,
    /// Times that another one was faster.
    lost: u32,
}

impl JetStream {
    /// A sink into a stream. Nothing is sent yet.
    #[must_use]
    pub fn new(config: Config, origin: Origin) -> JetStream {
        JetStream {
            config,
            origin,
            writer: format!("{:032x}", ids::new()),
            context: None,
            position: 0,
            is_owner: false,
            lost: 0,
        }
    }

    async fn context(&mut self) -> Result<Context, Error> {
        if let Some(context) = &self.context {
            return Ok(context.clone());
        }
        let client = ConnectOptions::new()
            .name("farthing-sink")
            .request_timeout(Some(ANSWER))
            .connect(self.config.servers.as_slice())
            .await
            .map_err(|error| Error::transient(format!("NATS: {error}")))?;
        let context = ContextBuilder::new()
            .timeout(ANSWER)
            .ack_timeout(ANSWER)
            .build(client);
        self.context = Some(context.clone());
        Ok(context)
    }

    fn headers(&self, delivery: &Delivery, after: u64) -> HeaderMap {
        let event = CloudEvent::new(&self.origin, delivery);
        let mut headers = HeaderMap::new();
        for (name, value) in event.attributes() {
            headers.insert(format!("ce-{name}"), value);
        }
        headers.insert("content-type", DATA_CONTENT_TYPE);
        headers.insert(WRITER, self.writer.as_str());
        headers.insert(async_nats::header::NATS_MESSAGE_ID, event.id.as_str());
        let after = after.to_string();
        headers.insert(async_nats::header::NATS_EXPECTED_LAST_SEQUENCE, after);
        headers
    }

    async fn publish(&mut self, batch: &[Delivery]) -> Result<(), Error> {
        let context = self.context().await?;
        let mut waiting = VecDeque::with_capacity(WINDOW.min(batch.len()));
        let mut outcome = Ok(());
        for (delivery, after) in batch.iter().zip(self.position..) {
            if waiting.len() >= WINDOW {
                outcome = self.answered(waiting.pop_front()).await;
                if outcome.is_err() {
                    break;
                }
            }
            let headers = self.headers(delivery, after);
            let subject = format!("{}.{}", self.config.subject, dotted(delivery));
            let data = delivery.data.clone();
            match context.publish_with_headers(subject, headers, data).await {
                Ok(answer) => waiting.push_back(answer),
                Err(error) => {
                    outcome = Err(Error::transient(format!("NATS: {error}")));
                    break;
                }
            }
        }
        while outcome.is_ok() && !waiting.is_empty() {
            outcome = self.answered(waiting.pop_front()).await;
        }
        // Whatever is still under way is answered before the stream's end is read.
        join_all(waiting.into_iter().map(IntoFuture::into_future)).await;
        outcome
    }

    /// Waits for the answer to the oldest message, which must have its place right behind the last.
    async fn answered(&mut self, answer: Option<PublishAckFuture>) -> Result<(), Error> {
        let Some(answer) = answer else {
            return Ok(());
        };
        let ack = answer
            .await
            .map_err(|error| Error::transient(format!("NATS: {error}")))?;
        if ack.duplicate || ack.sequence != self.position + 1 {
            return Err(Error::transient(format!(
                "message {} of the stream is not where it should be, behind {}",
                ack.sequence, self.position
            )));
        }
        self.position = ack.sequence;
        self.is_owner = true;
        Ok(())
    }
}

impl Sink for JetStream {
    fn kind(&self) -> &'static str {
        "nats"
    }

    async fn resume(&mut self) -> Result<u64, Error> {
        let context = self.context().await?;
        let stream = stream::open(&context, &self.config).await?;
        let Some(tail) = tail::read(&stream, &self.origin).await? else {
            self.position = 0;
            return Ok(0);
        };
        let (before, is_own) = (self.position, tail.writer == self.writer);
        self.position = tail.position;
        if self.is_owner && !is_own && tail.position >= before {
            return Err(Error::Fenced {
                message: format!(
                    "another sink has published event {} into stream {}",
                    tail.sequence, self.config.stream
                ),
            });
        }
        // A stream that lost its end, with the messages of this process, is nobody's.
        self.is_owner = is_own;
        if !is_own && before != 0 && tail.position > before {
            self.lost += 1;
            if self.lost > TAKEOVERS_MAX {
                let stream = &self.config.stream;
                let message = format!("another sink publishes into stream {stream} all the time");
                return Err(Error::Fenced { message });
            }
        }
        Ok(tail.sequence)
    }

    async fn deliver(&mut self, batch: &[Delivery]) -> Result<(), Error> {
        self.publish(batch).await
    }
}
