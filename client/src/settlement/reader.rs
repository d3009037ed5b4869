//! Reads the stream for the worker: which pending transfers there are, and which have met their end.

use std::collections::VecDeque;

use farthing_ledger::{PendingStatus, TransferFlags, TransferId};
use tokio::sync::mpsc::Sender;
use tracing::debug;

use super::decision::PendingTransfer;
use super::start::{passes, patiently};
use crate::client::Client;
use crate::error::Error;
use crate::events::{Event, EventBody, Subscription};

/// What one event says to the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    /// A pending transfer, and where it stood after it was read.
    Pending(PendingTransfer, PendingStatus),
    /// A pending transfer has met its end.
    Ended {
        pending: TransferId,
        end: PendingStatus,
    },
}

/// A part of the stream.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) arrived: VecDeque<Arrived>,
    /// Everything up to here is in this part, was in those before it, or is of no interest.
    pub(super) last_sequence: u64,
    pub(super) newest_sequence: u64,
}

/// Gives parts until nobody takes them, or says why there are no more. What nobody takes makes it wait: it holds one part,
/// and the queue another.
pub(super) async fn read(
    client: Client,
    mut events: Subscription,
    parts: Sender<Result<Part, Error>>,
) {
    loop {
        let part = part(&client, &mut events).await;
        let last = part.is_err();
        if parts.send(part).await.is_err() || last {
            return;
        }
    }
}

async fn part(client: &Client, events: &mut Subscription) -> Result<Part, Error> {
    let mut backoff = client.backoff();
    let batch = loop {
        match events.next().await {
            Ok(Some(batch)) => break batch,
            // It was asked for without an end.
            Ok(None) => return Err(Error::Closed),
            Err(error) if passes(&error) => {
                debug!(%error, "the event stream of a settlement worker");
                tokio::time::sleep(backoff.next(None)).await;
            }
            Err(error) => return Err(error),
        }
    };
    let mut arrived: VecDeque<Arrived> = batch.events.iter().filter_map(arrival).collect();
    let ids: Vec<TransferId> = arrived.iter().filter_map(pending_id).collect();
    // One read for the part: nobody is asked about what is settled already, of which there is much after a restart.
    let known = patiently(client, || client.lookup_pendings(&ids)).await?;
    let mut known = known.into_iter();
    for item in &mut arrived {
        if let Arrived::Pending(_, status) = item
            && let Some(Some(pending)) = known.next()
        {
            *status = pending.status;
        }
    }
    Ok(Part {
        arrived,
        last_sequence: batch.last_sequence,
        newest_sequence: batch.newest_sequence,
    })
}

fn pending_id(arrived: &Arrived) -> Option<TransferId> {
    match arrived {
        Arrived::Pending(pending, _) => Some(pending.transfer.id),
        Arrived::Ended { .. } => None,
    }
}

fn arrival(event: &Event) -> Option<Arrived> {
    let sequence = event.sequence;
    let ended = |pending, end| Some(Arrived::Ended { pending, end });
    match &event.body {
        EventBody::TransferCreated(created) => {
            let transfer = created.transfer;
            let is = |flag| transfer.flags.contains(flag);
            if is(TransferFlags::PENDING) {
                let pending = PendingTransfer {
                    transfer,
                    scale: created.scale,
                    sequence,
                    asked_before: 0,
                };
                Some(Arrived::Pending(pending, PendingStatus::Pending))
            } else if is(TransferFlags::POST_PENDING_TRANSFER) {
                ended(transfer.pending_id, PendingStatus::Posted)
            } else if is(TransferFlags::VOID_PENDING_TRANSFER) {
                ended(transfer.pending_id, PendingStatus::Voided)
            } else {
                None
            }
        }
        EventBody::TransferExpired(expired) => ended(expired.transfer.id, PendingStatus::Expired),
        _ => None,
    }
}
