//! One subscriber: parts of the stream, one after the other, as fast as it takes them.
//!
//! Between two parts nothing of the state is held: a subscriber that stops reading costs a part or two of memory and
//! nothing else, and goes on where it was when it reads again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use farthing_ledger::TransferRow;
use farthing_proofs::Change;
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::convert::event;
use farthing_proto::error::{Reason, Refused};
use farthing_proto::v1;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::super::context::{Context, storage_failed};
use crate::events::{self, Asked, Part};
use crate::storage::Reader;

/// Parts on their way to the subscriber.
const PARTS_MAX: usize = 2;
/// A subscriber hears from the node at least so often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// Pause after a part when there is nothing more yet: what comes meanwhile travels together.
const GATHER: Duration = Duration::from_millis(1);

/// See the module.
pub(super) struct Subscription {
    context: Context,
    asked: Asked,
    balances: bool,
    /// Scales met so far: a ledger's never changes.
    scales: HashMap<u32, u8>,
    _place: OwnedSemaphorePermit,
}

impl Subscription {
    pub(super) fn new(context: Context, asked: Asked, balances: bool) -> Result<Self, Refused> {
        let place = context.subscriber()?;
        Ok(Self {
            context,
            asked,
            balances,
            scales: HashMap::new(),
            _place: place,
        })
    }

    /// Sends until the subscriber is gone, the end it asked for is reached, or the node stops.
    pub(super) fn start(self) -> BoxStream<'static, Result<v1::SubscribeReply, Status>> {
        let (parts, receiver) = mpsc::channel(PARTS_MAX);
        tokio::spawn(self.send(parts));
        ReceiverStream::new(receiver).boxed()
    }

    async fn send(mut self, parts: mpsc::Sender<Result<v1::SubscribeReply, Status>>) {
        let context = self.context.clone();
        tokio::select! {
            () = self.follow(&parts) => {}
            () = parts.closed() => {}
            () = context.stopping() => {
                let message = "the node is stopping; go on at another one";
                let stopping = Refused::new(Reason::ShuttingDown, message);
                // Where there is no room, the subscriber learns it from the end of the connection.
                let _ = parts.try_send(Err(stopping.into()));
            }
        }
    }

    async fn follow(&mut self, parts: &mpsc::Sender<Result<v1::SubscribeReply, Status>>) {
        let mut said = Instant::now();
        loop {
            // Room first, so that a part is as new as it can be when it leaves.
            let Ok(room) = parts.reserve().await else {
                return;
            };
            let (reply, index) = match self.next().await {
                Ok(found) => found,
                Err(refused) => return room.send(Err(refused.into())),
            };
            let last = reply.last_sequence;
            let has_more = last < reply.newest_sequence;
            let is_empty = reply.events.is_empty() && reply.packed.is_empty();
            let ends = self.asked.until == Some(last);
            self.asked.from = last + 1;
            // Without events a reply is sent for its numbers: now and then, and where the stream ends.
            if !is_empty || ends || said.elapsed() >= SIGN_OF_LIFE {
                room.send(Ok(reply));
                said = Instant::now();
            } else {
                drop(room);
            }
            if ends {
                return;
            }
            if !has_more {
                tokio::time::sleep(GATHER).await;
                self.wait(index + 1, said).await;
            }
        }
    }

    /// Until there may be more, or it is time for a sign of life.
    async fn wait(&self, index: u64, said: Instant) {
        let state = self.context.consensus().state();
        let rest = SIGN_OF_LIFE.saturating_sub(said.elapsed());
        let _ = tokio::time::timeout(rest, state.wait_applied(index)).await;
    }

    /// The next part, with the log index at which there is no more.
    async fn next(&mut self) -> Result<(v1::SubscribeReply, u64), Refused> {
        let soon = Instant::now() + SIGN_OF_LIFE;
        let reader = self.context.reader(Consistency::Stale, soon).await?;
        let index = reader.applied_index();
        let reply = tokio::task::block_in_place(|| {
            let part = events::read(&reader, &self.asked)
                .map_err(|error| storage_failed(self.context.storage(), &error))?;
            self.reply(&reader, part)
        })?;
        Ok((reply, index))
    }

    fn reply(&mut self, reader: &Reader, part: Part) -> Result<v1::SubscribeReply, Refused> {
        let mut scales = vec![];
        let mut events = Vec::with_capacity(part.changes.len());
        for change in &part.changes {
            let ledger = match change {
                Change::Transfer(row) => Some(row.transfer.ledger),
                Change::Event(event) => event::ledger_of(event),
            };
            let scale = match ledger {
                Some(ledger) => self.scale(reader, ledger, &mut scales)?,
                None => 0,
            };
            events.push(match change {
                Change::Transfer(row) if crate::planted::is("event-balances-swapped") => {
                    let swapped = TransferRow {
                        debit_after: row.credit_after,
                        credit_after: row.debit_after,
                        ..*row
                    };
                    event::transfer_to_wire(&swapped, self.balances, scale)
                }
                Change::Transfer(row) => event::transfer_to_wire(row, self.balances, scale),
                Change::Event(event) => event::event_to_wire(event, self.balances, scale),
            });
        }
        Ok(v1::SubscribeReply {
            events,
            packed: part.packed.into(),
            last_sequence: part.last,
            newest_sequence: part.newest,
            scales,
        })
    }

    /// The scale of a ledger, which goes into `told` once.
    fn scale(
        &mut self,
        reader: &Reader,
        ledger: u32,
        told: &mut Vec<v1::LedgerScale>,
    ) -> Result<u8, Refused> {
        let known = self.scales.get(&ledger).copied();
        let scale = match known {
            Some(scale) => scale,
            None => {
                let read = self.context.scales();
                let read = read.read(self.context.storage(), reader, &[ledger])?;
                // Without a row the ledger may still get a scale, but no event of it can be here.
                let scale = read.get(&ledger).copied().unwrap_or(0);
                self.scales.insert(ledger, scale);
                scale
            }
        };
        if told.iter().all(|told| told.ledger != ledger) {
            told.push(v1::LedgerScale {
                ledger,
                scale: u32::from(scale),
            });
        }
        Ok(scale)
    }
}
