//! A log of a hundred events, and streams of it that break.

use events_server::Events;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::*;

/// Events there are.
pub const EVENTS: u64 = 100;

/// What becomes of one stream.
#[derive(Debug, Clone)]
pub enum Stream {
    /// It ends after so many events.
    Ends(u64),
    /// One event is left out.
    Skips,
    /// It begins one event too early.
    Repeats,
    /// It is there and says nothing.
    Silent,
    /// There is none.
    Refused(Reason),
}

fn part(sequences: std::ops::RangeInclusive<u64>) -> SubscribeReply {
    let event = |sequence| Event {
        sequence,
        timestamp: sequence,
        body: Some(event::Body::SettingChanged(SettingEvent {
            setting: 1,
            value: sequence,
        })),
    };
    SubscribeReply {
        last_sequence: *sequences.end(),
        events: sequences.map(event).collect(),
        newest_sequence: EVENTS,
        ..SubscribeReply::default()
    }
}

#[tonic::async_trait]
impl Events for Node {
    type SubscribeStream = BoxStream<'static, Result<SubscribeReply, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let from = self.admit(request)?.from_sequence;
        let next = {
            let mut shared = self.lock();
            shared.subscribed.push((self.number, from));
            shared.event_streams.pop_front()
        };
        let parts = match next {
            Some(Stream::Refused(reason)) => return Err(Refused::new(reason, "no").into_status()),
            Some(Stream::Silent) => return Ok(self.answer(stream::pending().boxed())),
            Some(Stream::Ends(count)) => vec![part(from..=from + count - 1)],
            Some(Stream::Skips) => vec![part(from + 1..=from + 1)],
            Some(Stream::Repeats) => vec![part(from - 1..=from)],
            None => vec![part(from..=60.max(from)), part(61.max(from + 1)..=EVENTS)],
        };
        Ok(self.answer(stream::iter(parts).map(Ok).boxed()))
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointReply>, Status> {
        Err(Status::unimplemented("checkpoints"))
    }

    async fn prove_inclusion(
        &self,
        _: Request<ProveInclusionRequest>,
    ) -> Result<Response<ProveInclusionReply>, Status> {
        Err(Status::unimplemented("proofs"))
    }

    async fn prove_consistency(
        &self,
        _: Request<ProveConsistencyRequest>,
    ) -> Result<Response<ProveConsistencyReply>, Status> {
        Err(Status::unimplemented("proofs"))
    }

    async fn get_peaks(
        &self,
        _: Request<GetPeaksRequest>,
    ) -> Result<Response<GetPeaksReply>, Status> {
        Err(Status::unimplemented("peaks"))
    }
}
