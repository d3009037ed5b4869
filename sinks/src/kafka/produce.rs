//! Messages into one partition, in order.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};
use tokio::time::timeout;

use super::{Config, misconfigured};
use crate::cloud_event::{CloudEvent, DATA_CONTENT_TYPE, Origin};
use crate::delivery::Delivery;
use crate::error::Error;

/// A message that is not acknowledged for so long makes the sink look at the partition again.
const ACKNOWLEDGED: Duration = Duration::from_secs(30);
/// Messages without an answer yet, at most.
const WINDOW: usize = 10_000;

pub(super) struct Producer {
    producer: FutureProducer,
    topic: String,
    partition: i32,
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Producer({}, {})", self.topic, self.partition)
    }
}

impl Producer {
    pub(super) fn new(config: &Config) -> Result<Producer, Error> {
        let producer = config
            .client()
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // A message that is given up must not be followed by those behind it.
            .set("enable.gapless.guarantee", "true")
            // So none is given up: it is sent again until the producer is dropped.
            .set("message.timeout.ms", "0")
            .set("linger.ms", "5")
            .set("queue.buffering.max.messages", (2 * WINDOW).to_string())
            .create()
            .map_err(misconfigured)?;
        Ok(Producer {
            producer,
            topic: config.topic.clone(),
            partition: config.partition,
        })
    }

    /// Sends a batch and waits until all of it is acknowledged by all replicas in sync.
    pub(super) async fn produce(&self, origin: &Origin, batch: &[Delivery]) -> Result<(), Error> {
        let mut waiting = VecDeque::with_capacity(WINDOW.min(batch.len()));
        for delivery in batch {
            if waiting.len() >= WINDOW {
                acknowledged(waiting.pop_front()).await?;
            }
            waiting.push_back(self.send(origin, delivery)?);
        }
        while !waiting.is_empty() {
            acknowledged(waiting.pop_front()).await?;
        }
        Ok(())
    }

    fn send(&self, origin: &Origin, delivery: &Delivery) -> Result<DeliveryFuture, Error> {
        let event = CloudEvent::new(origin, delivery);
        let content_type = ("content-type", DATA_CONTENT_TYPE);
        let mut headers = OwnedHeaders::new_with_capacity(8);
        for (name, value) in event.attributes() {
            headers = headers.insert(Header {
                key: &format!("ce_{name}"),
                value: Some(value),
            });
        }
        headers = headers.insert(Header {
            key: content_type.0,
            value: Some(content_type.1),
        });
        let milliseconds = i64::try_from(delivery.timestamp / 1_000_000).unwrap_or(i64::MAX);
        let record: FutureRecord<'_, (), [u8]> = FutureRecord::to(&self.topic)
            .partition(self.partition)
            .payload(&delivery.data[..])
            .timestamp(milliseconds)
            .headers(headers);
        let sent = self.producer.send_result(record);
        sent.map_err(|(error, _)| failed(&error))
    }
}

async fn acknowledged(answer: Option<DeliveryFuture>) -> Result<(), Error> {
    let Some(answer) = answer else {
        return Ok(());
    };
    match timeout(ACKNOWLEDGED, answer).await {
        Ok(Ok(Ok(_))) => Ok(()),
        Ok(Ok(Err((error, _)))) => Err(failed(&error)),
        Ok(Err(_)) => Err(Error::transient("Kafka: the producer was given up")),
        Err(_) => Err(Error::transient(format!(
            "Kafka: no acknowledgement within {ACKNOWLEDGED:?}"
        ))),
    }
}

fn failed(error: &KafkaError) -> Error {
    use RDKafkaErrorCode as C;
    let lasting = matches!(
        error.rdkafka_error_code(),
        Some(
            C::MessageSizeTooLarge
                | C::TopicAuthorizationFailed
                | C::ClusterAuthorizationFailed
                | C::InvalidRecord
                | C::UnknownPartition
        )
    );
    if lasting {
        return Error::permanent(
            format!("Kafka: {error}"),
            "the topic does not take these messages: look at its settings and rights",
        );
    }
    Error::transient(format!("Kafka: {error}"))
}
