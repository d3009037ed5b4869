//! Kafka: each event at least once, in order, in one partition.
//!
//! The partition's end says how far the sink is: the newest message carries the sequence of its event. The idempotent
//! producer keeps order and repeats nothing while one process lives. What a process that died had under way may arrive beside
//! what the next one sends, so an event can be there more than once, and never one before those that precede it: whoever
//! drops sequences that are not larger than the last one has each event once and misses none.
//!
//! Kafka does not tell two sinks apart. A cursor in the ledger does: the sink that was started last owns the name.

mod produce;
mod tail;

use std::time::Duration;

use farthing_client::Client;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use self::produce::Producer;
use crate::cloud_event::Origin;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::place::Place;
use crate::sink::Sink;

/// How long the brokers may take to answer a question.
const ANSWER: Duration = Duration::from_secs(10);

/// Where to.
#[derive(Debug, Clone)]
pub struct Config {
    /// Addresses of brokers, `HOST:PORT`, with commas between.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The partition, which is this sink's alone.
    pub partition: i32,
    /// Whose place in the ledger this is: 1 to 52 bytes.
    pub name: String,
    /// How many brokers keep the topic, when it is to be made, with one partition, if it is not there.
    pub create: Option<i32>,
}

impl Config {
    /// What producer, consumer and administration have in common.
    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "farthing-sink")
            .set("reconnect.backoff.max.ms", "2000");
        config
    }
}

/// The sink. See the module.
#[derive(Debug)]
pub struct Kafka {
    config: Config,
    origin: Origin,
    place: Place,
    /// `None` after a failure: what it had under way is given up.
    producer: Option<Producer>,
}

impl Kafka {
    /// A sink into a partition. Nothing is sent yet.
    #[must_use]
    pub fn new(client: &Client, config: Config, origin: Origin) -> Kafka {
        Kafka {
            place: Place::new(client, &config.name),
            config,
            origin,
            producer: None,
        }
    }
}

impl Sink for Kafka {
    fn kind(&self) -> &'static str {
        "kafka"
    }

    async fn resume(&mut self) -> Result<u64, Error> {
        // Before the end is read nothing of this process may be on its way.
        self.producer = None;
        let saved = self.place.resume().await?;
        let (config, origin) = (self.config.clone(), self.origin.clone());
        let read = tokio::task::spawn_blocking(move || tail::read(&config, &origin));
        let tail = read
            .await
            .map_err(|error| Error::transient(format!("Kafka: {error}")))??;
        self.producer = Some(Producer::new(&self.config)?);
        Ok(match tail {
            tail::Tail::Event(sequence) => sequence,
            tail::Tail::New => 0,
            // The topic's retention has dropped everything; what the ledger remembers was there.
            tail::Tail::Dropped => saved,
        })
    }

    async fn deliver(&mut self, batch: &[Delivery]) -> Result<(), Error> {
        let Some(producer) = &self.producer else {
            return Err(Error::transient("Kafka: the producer was given up"));
        };
        let produced = producer.produce(&self.origin, batch).await;
        if produced.is_err() {
            self.producer = None;
        }
        produced?;
        self.place.handled(batch);
        self.place.save_if_due().await
    }

    async fn idle(&mut self) -> Result<(), Error> {
        self.place.save_if_due().await
    }

    async fn finish(&mut self) -> Result<(), Error> {
        self.place.save().await
    }
}

/// A client of the brokers that cannot be made at all: waiting does not mend that.
fn misconfigured(error: KafkaError) -> Error {
    Error::permanent(
        format!("Kafka: {error}"),
        "correct the addresses of the brokers",
    )
}
