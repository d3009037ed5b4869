//! Where events come from.

use std::future::Future;

use farthing_client::Client;
use farthing_client::events::{EventsOptions, PackedSubscription};

use crate::cloud_event::Origin;
use crate::delivery::Delivery;
use crate::error::Error;

/// Where events come from: the ledger's stream, or what a test puts in its place.
pub trait Source: Send {
    /// Goes on right behind `sequence`; 0 is the beginning.
    fn begin(&mut self, after: u64);

    /// The next events, in order and without a gap; `None` behind the last one that was asked for. Giving up the call
    /// before it is answered loses nothing.
    ///
    /// # Errors
    /// [`Error::Transient`] and [`Error::Client`].
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Delivery>>, Error>> + Send;

    /// The last sequence that is known to exist.
    fn newest(&self) -> u64;
}

/// The events of a cluster. They come packed, which is half the bytes and has the balances with every transfer.
#[derive(Debug)]
pub struct Events {
    client: Client,
    until: Option<u64>,
    events: Option<PackedSubscription>,
    begun: u64,
}

impl Events {
    /// All events of a cluster, up to `until` if that is given.
    #[must_use]
    pub fn new(client: &Client, until: Option<u64>) -> Events {
        Events {
            client: client.clone(),
            until,
            events: None,
            begun: 0,
        }
    }

    /// What the cluster is called in events.
    ///
    /// # Errors
    /// [`Error::Permanent`] when no node has said its cluster's id, which every one does with its first answer.
    pub fn origin(client: &Client) -> Result<Origin, Error> {
        let id = client.cluster_id().ok_or_else(|| {
            Error::permanent(
                "no node has said which cluster it belongs to",
                "check that the endpoints are those of Farthing's nodes",
            )
        })?;
        Ok(Origin::of_cluster(id))
    }

    fn subscription(&mut self) -> &mut PackedSubscription {
        self.events.get_or_insert_with(|| {
            self.client.packed_events(EventsOptions {
                from: self.begun.saturating_add(1),
                until: self.until,
                // The runner waits as long as it is told to; the subscription says what is wrong every few seconds.
                patience: Some(self.client.deadline()),
                ..EventsOptions::default()
            })
        })
    }
}

impl Source for Events {
    fn begin(&mut self, after: u64) {
        self.events = None;
        self.begun = after;
    }

    async fn next(&mut self) -> Result<Option<Vec<Delivery>>, Error> {
        let batch = match self.subscription().next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(None),
            Err(error) => return Err(from_client(error)),
        };
        let deliveries = batch.iter().map(Delivery::from_packed).collect();
        let deliveries: Option<Vec<Delivery>> = deliveries;
        deliveries.map(Some).ok_or_else(|| {
            Error::permanent(
                format!(
                    "an event before {} is of a kind newer than this program",
                    batch.last_sequence
                ),
                "update farthing; the events before it were delivered",
            )
        })
    }

    fn newest(&self) -> u64 {
        self.events
            .as_ref()
            .map_or(0, PackedSubscription::newest_sequence)
    }
}

/// What may pass on the ledger's side: an election, a node that is down or too busy, one that sends nonsense while
/// another does not.
pub(crate) fn from_client(error: farthing_client::Error) -> Error {
    use farthing_client::Error as E;
    match error {
        E::UnknownOutcome { .. }
        | E::Deadline { .. }
        | E::NotReachable { .. }
        | E::Overloaded { .. }
        | E::BrokenStream { .. } => Error::transient(format!("the ledger: {error}")),
        E::Fenced { cursor } => Error::Fenced {
            message: format!("another sink has taken over the name of cursor {cursor}"),
        },
        error => Error::Client(error),
    }
}
