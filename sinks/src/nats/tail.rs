//! What is at a stream's end, and that nothing but events is before it.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::Stream;

use super::WRITER;
use crate::cloud_event::Origin;
use crate::error::Error;

/// The end of a stream.
pub(super) struct Tail {
    /// The stream's own number of its last message.
    pub(super) position: u64,
    /// The event in it.
    pub(super) sequence: u64,
    /// Which process has published it.
    pub(super) writer: String,
}

/// The end of a stream; `None` when it has never held a message. The leader of the stream answers, not a copy that may be
/// behind.
pub(super) async fn read(stream: &Stream, origin: &Origin) -> Result<Option<Tail>, Error> {
    let info = stream
        .get_info()
        .await
        .map_err(|error| Error::transient(format!("NATS: {error}")))?;
    let (name, state) = (&info.config.name, &info.state);
    if state.messages == 0 {
        if state.last_sequence == 0 {
            return Ok(None);
        }
        return Err(Error::permanent(
            format!("stream {name} was emptied: it is not known how far it was"),
            "delete it and let the sink fill a new one from the first event on",
        ));
    }
    let first = event(stream, name, state.first_sequence, origin).await?;
    let last = event(stream, name, state.last_sequence, origin).await?;
    // As many numbers as messages as events: then there is no other message and no gap.
    let positions = last.position.checked_sub(first.position);
    let is_dense = positions.is_some()
        && positions == last.sequence.checked_sub(first.sequence)
        && positions == state.messages.checked_sub(1);
    if is_dense {
        return Ok(Some(last));
    }
    Err(Error::permanent(
        format!(
            "stream {name} does not hold all events from {} to {} and nothing else: {} messages from {} to {}",
            first.sequence, last.sequence, state.messages, first.position, last.position
        ),
        "somebody else has published into it or deleted from it: give the sink a stream of its own",
    ))
}

async fn event(stream: &Stream, name: &str, position: u64, origin: &Origin) -> Result<Tail, Error> {
    let message = stream
        .get_raw_message(position)
        .await
        .map_err(|error| Error::transient(format!("NATS: message {position}: {error}")))?;
    let sequence = header(&message, "ce-id").and_then(|id| id.parse().ok());
    let (Some(sequence), Some(source)) = (sequence, header(&message, "ce-source")) else {
        return Err(Error::permanent(
            format!("message {position} of stream {name} is no event"),
            "somebody else has published into it: give the sink a stream of its own",
        ));
    };
    origin.check(source, &format!("stream {name}"))?;
    Ok(Tail {
        position,
        sequence,
        writer: header(&message, WRITER).unwrap_or_default().to_owned(),
    })
}

fn header<'a>(message: &'a StreamMessage, name: &str) -> Option<&'a str> {
    message.headers.get(name).map(|value| value.as_str())
}
