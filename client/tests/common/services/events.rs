//! A log of a hundred events, and streams of it that break; or the log of what truly happened.

use std::time::Duration;

use events_server::Events;
use farthing_proto::convert::event::{event_to_wire, transfer_to_wire};
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
    /// What truly happened, and what happens, until the stream ends after so many parts.
    True(usize),
}

/// What happened from a sequence on, all of it.
fn happened(shared: &Shared, from: u64) -> SubscribeReply {
    let transfers = shared.state.transfers().iter();
    let transfers = transfers.map(|row| transfer_to_wire(row, false, 0));
    let others = shared.state.events().iter();
    let mut events: Vec<Event> = others
        .map(|event| event_to_wire(event, false, 0))
        .chain(transfers)
        .filter(|event| event.sequence >= from)
        .collect();
    events.sort_by_key(|event| event.sequence);
    let newest = events.last().map_or(from - 1, |event| event.sequence);
    events.truncate(7);
    SubscribeReply {
        last_sequence: events.last().map_or(from - 1, |event| event.sequence),
        newest_sequence: newest,
        events,
        scales: vec![LedgerScale {
            ledger: 1,
            scale: 0,
        }],
        ..SubscribeReply::default()
    }
}

/// Parts of what happens, as it happens.
fn true_stream(
    shared: Arc<Mutex<Shared>>,
    from: u64,
    parts: usize,
) -> BoxStream<'static, Result<SubscribeReply, Status>> {
    stream::unfold((shared, from, 0), move |(shared, from, given)| async move {
        if given == parts {
            return None;
        }
        let mut part = happened(&shared.lock().unwrap(), from);
        for _ in 0..100 {
            if part.last_sequence >= from {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            part = happened(&shared.lock().unwrap(), from);
        }
        let next = part.last_sequence + 1;
        Some((Ok(part), (shared, next, given + 1)))
    })
    .boxed()
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
            let next = shared.event_streams.pop_front();
            next.or_else(|| shared.true_events.then_some(Stream::True(usize::MAX)))
        };
        let parts = match next {
            Some(Stream::Refused(reason)) => return Err(Refused::new(reason, "no").into_status()),
            Some(Stream::True(parts)) => {
                let stream = true_stream(Arc::clone(&self.shared), from, parts);
                return Ok(self.answer(stream));
            }
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
