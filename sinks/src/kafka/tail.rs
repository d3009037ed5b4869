//! What is at a partition's end.

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::topic_partition_list::Offset;
use tokio::runtime::Handle;

use super::{ANSWER, Config, misconfigured};
use crate::cloud_event::Origin;
use crate::error::Error;

/// How far back the end is looked for at first; each further step is as many times larger.
const STEP: i64 = 16;

/// What is at a partition's end.
pub(super) enum Tail {
    /// The newest message is of the event with this sequence.
    Event(u64),
    /// There has never been a message.
    New,
    /// There were messages, and none is left.
    Dropped,
}

/// Reads the newest message. It waits, so it must not run where others wait for it.
pub(super) fn read(config: &Config, origin: &Origin) -> Result<Tail, Error> {
    let consumer: BaseConsumer = config
        .client()
        .set("group.id", "farthing-sink")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        .create()
        .map_err(misconfigured)?;
    exists(&consumer, config)?;
    let (low, high) = consumer
        .fetch_watermarks(&config.topic, config.partition, ANSWER)
        .map_err(passing)?;
    if high <= 0 {
        return Ok(Tail::New);
    }
    // Offsets at the end may be without a message. The lower mark is not taken at its word: some brokers report it wrongly
    // after a start, so what counts is whether there is anything to read.
    let mut back = STEP;
    loop {
        let from = high.saturating_sub(back).max(0);
        if let Some(sequence) = last_behind(&consumer, config, origin, from, high)? {
            return Ok(Tail::Event(sequence));
        }
        if from == 0 || from < low {
            return Ok(Tail::Dropped);
        }
        back = back.saturating_mul(STEP);
    }
}

/// That topic and partition are there.
fn exists(consumer: &BaseConsumer, config: &Config) -> Result<(), Error> {
    let metadata = consumer
        .fetch_metadata(Some(&config.topic), ANSWER)
        .map_err(passing)?;
    let topic = metadata
        .topics()
        .iter()
        .find(|topic| topic.name() == config.topic);
    let partitions = topic.filter(|topic| topic.error().is_none());
    let Some(partitions) = partitions.map(|topic| topic.partitions()) else {
        return create(config);
    };
    if partitions
        .iter()
        .any(|found| found.id() == config.partition)
    {
        return Ok(());
    }
    Err(Error::permanent(
        format!(
            "topic {} has no partition {}",
            config.topic, config.partition
        ),
        "name one that it has with --partition",
    ))
}

fn create(config: &Config) -> Result<(), Error> {
    let Some(replicas) = config.create else {
        return Err(Error::permanent(
            format!("there is no topic {}", config.topic),
            "name one that is there, or let the sink make it with --create",
        ));
    };
    let admin: AdminClient<DefaultClientContext> = config.client().create().map_err(passing)?;
    // Events are for ever unless somebody decides otherwise.
    let topic = NewTopic::new(&config.topic, 1, TopicReplication::Fixed(replicas))
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1");
    let options = AdminOptions::new().operation_timeout(Some(ANSWER));
    let topics = [topic];
    // On a thread that may wait.
    let made = Handle::current().block_on(admin.create_topics(&topics, &options));
    match made.map_err(passing)?.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(Error::permanent(
                format!("topic {} cannot be made: {code}", config.topic),
                "make it by hand, with one partition and without a limit of age or size",
            ))
        }
        // It is seen a moment later.
        _ => Err(Error::transient(format!("topic {} was made", config.topic))),
    }
}

/// The sequence of the last message from an offset on; `None` when there is no message.
fn last_behind(
    consumer: &BaseConsumer,
    config: &Config,
    origin: &Origin,
    from: i64,
    high: i64,
) -> Result<Option<u64>, Error> {
    let mut at = TopicPartitionList::new();
    at.add_partition_offset(&config.topic, config.partition, Offset::Offset(from))
        .and_then(|()| consumer.assign(&at))
        .map_err(passing)?;
    let mut last = None;
    let mut heard = Instant::now();
    while heard.elapsed() < ANSWER {
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            // The end, as it is now: what was written since counts too.
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(last),
            Some(Err(error)) => return Err(passing(error)),
            Some(Ok(message)) => {
                heard = Instant::now();
                last = Some(sequence(&message, config, origin)?);
            }
        }
    }
    Err(Error::transient(format!(
        "Kafka: the end of topic {}, before offset {high}, could not be read within {ANSWER:?}",
        config.topic
    )))
}

fn sequence(message: &BorrowedMessage<'_>, config: &Config, origin: &Origin) -> Result<u64, Error> {
    let header = |name: &str| {
        let mut all = message.headers()?.iter();
        let value = all.find(|header| header.key == name)?.value?;
        std::str::from_utf8(value).ok()
    };
    let sequence = header("ce_id").and_then(|id| id.parse().ok());
    let (Some(sequence), Some(source)) = (sequence, header("ce_source")) else {
        return Err(Error::permanent(
            format!(
                "offset {} of topic {} is no event",
                message.offset(),
                config.topic
            ),
            "somebody else has written into it: give the sink a partition of its own",
        ));
    };
    origin.check(source, &format!("topic {}", config.topic))?;
    Ok(sequence)
}

fn passing(error: KafkaError) -> Error {
    Error::transient(format!("Kafka: {error}"))
}
