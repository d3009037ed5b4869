//! What a stream must be, so that events stay in it.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{
    Config as StreamConfig, DiscardPolicy, RetentionPolicy, StorageType, Stream,
};

use super::Config;
use crate::error::Error;

/// The stream, after its settings were looked at.
pub(super) async fn open(context: &Context, config: &Config) -> Result<Stream, Error> {
    let stream = match context.get_stream(&config.stream).await {
        Ok(stream) => stream,
        Err(error) if !is_missing(&error.kind()) => {
            return Err(Error::transient(format!("NATS: {error}")));
        }
        Err(_) => create(context, config).await?,
    };
    let wrong = faults(&stream.cached_info().config, config);
    if wrong.is_empty() {
        return Ok(stream);
    }
    Err(Error::permanent(
        format!(
            "stream {} would lose events: {}",
            config.stream,
            wrong.join("; ")
        ),
        "change its settings (nats stream edit), or name another stream and --create it",
    ))
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    match kind {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        GetStreamErrorKind::InvalidStreamName | GetStreamErrorKind::EmptyName => true,
        GetStreamErrorKind::Request => false,
    }
}

async fn create(context: &Context, config: &Config) -> Result<Stream, Error> {
    let Some(replicas) = config.create else {
        return Err(Error::permanent(
            format!("there is no stream {}", config.stream),
            "name one that is there, or let the sink make it with --create",
        ));
    };
    let made = context.create_stream(StreamConfig {
        name: config.stream.clone(),
        description: Some("Events of a Farthing ledger; written by one sink only".to_owned()),
        subjects: vec![format!("{}.>", config.subject)],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: replicas,
        deny_delete: true,
        deny_purge: true,
        ..StreamConfig::default()
    });
    made.await.map_err(|error| {
        Error::permanent(
            format!("stream {} cannot be made: {error}", config.stream),
            "see that JetStream is on, and that no other stream has these subjects",
        )
    })?;
    let stream = context.get_stream(&config.stream).await;
    stream.map_err(|error| Error::transient(format!("NATS: {error}")))
}

/// Settings by which the stream would drop, refuse or invent messages.
fn faults(found: &StreamConfig, config: &Config) -> Vec<String> {
    let subject = format!("{}.>", config.subject);
    let rules = [
        (
            found.subjects == [subject.as_str()],
            format!("its subjects must be {subject} and nothing else"),
        ),
        (
            found.retention == RetentionPolicy::Limits,
            "its retention must be limits".to_owned(),
        ),
        (
            found.discard == DiscardPolicy::New
                || (found.max_messages <= 0 && found.max_bytes <= 0),
            "it drops old messages when it is full: discard must be new".to_owned(),
        ),
        (
            found.max_age == Duration::ZERO,
            "it drops messages by age: max_age must be 0".to_owned(),
        ),
        (
            found.max_messages_per_subject <= 0,
            "it drops messages by subject: max_msgs_per_subject must be -1".to_owned(),
        ),
        (
            found.storage == StorageType::File,
            "it keeps messages in memory only".to_owned(),
        ),
        (!found.no_ack, "it does not acknowledge".to_owned()),
        (
            found.mirror.is_none() && found.sources.as_ref().is_none_or(Vec::is_empty),
            "it takes messages of other streams".to_owned(),
        ),
        (!found.sealed, "it is sealed".to_owned()),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, rule)| rule).collect()
}
