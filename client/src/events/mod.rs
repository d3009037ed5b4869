//! The event stream: every change of the ledger in one dense sequence, from any point on, and then as it happens.
//!
//! A subscription may be served by any node and outlives it: when its node dies or goes quiet, it goes on at another
//! one after the last event that it gave. It checks what it is sent, and never gives an event twice or leaves one out.
//! It deliberately remembers nothing beyond the process: a [`Cursor`] does, as a record of the ledger. It does not
//! check proofs either: those of [`Client::checkpoint`] and its neighbours are bytes for whoever does.
//!
//! Start reading at [`EventsOptions`], then [`Subscription`]; `feed` holds how a stream is kept alive, `check` what is
//! asked of each part of it.
//!
//! ```no_run
//! # use farthing_client::{Client, Error, events::{Cursor, EventBody, EventsOptions, SaveEvery}};
//! # async fn example(client: Client) -> Result<(), Error> {
//! let cursor = Cursor::open(&client, "receipts").await?;
//! let options = EventsOptions { from: cursor.next_sequence(), ..EventsOptions::default() };
//! let mut events = client.events(options).save_every(cursor, SaveEvery::default());
//! while let Some(batch) = events.next().await? {
//!     for event in batch.events {
//!         if let EventBody::TransferCreated(created) = event.body {
//!             println!("{}: {}", event.sequence, created.amount()?);
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod check;
mod consumer;
mod cursor;
mod feed;
mod kinds;
mod packed;
mod proofs;
mod read;
mod subscription;

use std::time::Duration;

use farthing_ledger::AccountId;
use farthing_proto::convert::id::format_id;
use farthing_proto::v1;

pub(crate) use self::consumer::PASSED_MAX;
pub use self::consumer::{Consumer, SaveEvery};
pub use self::cursor::{CURSOR_NAME_BYTES_MAX, CURSOR_NAMESPACE, Cursor};
pub use self::kinds::{Event, EventBody, EventKind, RecordEvent, TransferEvent};
pub use self::packed::{PackedBatch, PackedSubscription};
pub use self::proofs::{ConsistencyProof, InclusionProof, SignedCheckpoint};
pub use self::subscription::{EventBatch, Subscription};

use self::feed::Feed;
use crate::client::Client;
use crate::error::Error;

/// Which events; what is left out matches all, what is not must match: an event without an account, a ledger or a code
/// does not match a filter for one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Events that touch one of these accounts; at most 1,000.
    pub accounts: Vec<AccountId>,
    /// On this ledger.
    pub ledger: Option<u32>,
    /// Whose transfer or account has this code.
    pub code: Option<u16>,
    /// Of these kinds.
    pub kinds: Vec<EventKind>,
}

impl EventFilter {
    fn is_all(&self) -> bool {
        *self == EventFilter::default()
    }

    fn to_wire(&self) -> v1::EventFilter {
        v1::EventFilter {
            account_ids: self.accounts.iter().map(|id| format_id(id.0)).collect(),
            ledger: self.ledger.unwrap_or_default(),
            code: self.code.map_or(0, u32::from),
            kinds: self.kinds.iter().map(|kind| *kind as i32).collect(),
        }
    }
}

/// What is subscribed to, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsOptions {
    /// The first sequence; 0 and 1 are the beginning.
    pub from: u64,
    /// Which events.
    pub filter: EventFilter,
    /// Both accounts' balances after the event with every transfer. Packed events have them always.
    pub include_balances: bool,
    /// The last sequence, after which the subscription ends; `None`: it follows the ledger for ever.
    pub until: Option<u64>,
    /// Only this node, by its address; `None`: whichever serves.
    pub endpoint: Option<String>,
    /// How long no node may serve the stream before that is an error; `None`, the default: it keeps trying.
    pub patience: Option<Duration>,
    /// A node that says nothing for so long is left for another one. Nodes say something at least once a second.
    /// Default: 10 s.
    pub silence_max: Duration,
}

impl Default for EventsOptions {
    fn default() -> Self {
        EventsOptions {
            from: 1,
            filter: EventFilter::default(),
            include_balances: false,
            until: None,
            endpoint: None,
            patience: None,
            silence_max: Duration::from_secs(10),
        }
    }
}

impl Client {
    /// Subscribes to events. Nothing is sent before the first [`Subscription::next`].
    #[must_use]
    pub fn events(&self, options: EventsOptions) -> Subscription {
        Subscription::new(Feed::new(self.clone(), options, false))
    }

    /// Subscribes to events as the bytes that are hashed, which is cheaper than reading them. Nothing is sent before
    /// the first [`PackedSubscription::next`].
    #[must_use]
    pub fn packed_events(&self, options: EventsOptions) -> PackedSubscription {
        PackedSubscription::new(Feed::new(self.clone(), options, true))
    }

    /// The last sequence there is, as one node has it.
    ///
    /// # Errors
    /// [`Error::NotReachable`] when no node says it within the deadline.
    pub async fn newest_sequence(&self) -> Result<u64, Error> {
        let options = EventsOptions {
            // An event that exists is answered at once.
            from: self.checkpoint().await?.size()?.max(1),
            patience: Some(self.deadline()),
            ..EventsOptions::default()
        };
        let mut feed = Feed::new(self.clone(), options, true);
        feed.next(|_, reply| Ok(reply.newest_sequence)).await?;
        Ok(feed.newest())
    }
}
