//! A stream of parts that outlives the nodes which serve it.
//!
//! Any node serves it: which one is first is left to chance, so that subscribers spread. A part is checked, read, and
//! only then counts as given, so that whatever goes wrong in between leaves the feed where it was.

use std::time::Duration;

use farthing_proto::error::Reason;
use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::v1::events_client::EventsClient;
use farthing_proto::v1::{SubscribeReply, SubscribeRequest};
use rand::Rng;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tonic::{Request, Streaming};
use tracing::debug;

use super::EventsOptions;
use super::check::{Asked, check};
use crate::client::Client;
use crate::error::Error;
use crate::transport::backoff::Backoff;
use crate::transport::failure::Failure;
use crate::transport::node::connect_alone;

/// A stream that a node serves now.
struct Open {
    address: String,
    parts: Streaming<SubscribeReply>,
}

/// See the module. Everything it waits for may be given up and asked for again: nothing is lost by that.
pub(super) struct Feed {
    client: Client,
    options: EventsOptions,
    packed: bool,
    /// Everything up to here was given or did not match.
    position: u64,
    newest: u64,
    open: Option<Open>,
    /// Which endpoint is next.
    turn: usize,
    /// Attempts since a node was last heard.
    failed: usize,
    backoff: Backoff,
    /// No attempt before.
    not_before: Option<Instant>,
    /// Since when no node serves the stream.
    trying_since: Option<Instant>,
    /// Since when the node that serves it is waited for.
    waiting_since: Option<Instant>,
}

impl Feed {
    pub(super) fn new(client: Client, options: EventsOptions, packed: bool) -> Feed {
        let backoff = Backoff::new(&client.router().config);
        Feed {
            position: options.from.saturating_sub(1),
            newest: 0,
            client,
            options,
            packed,
            open: None,
            turn: rand::rng().random_range(0..1 << 16),
            failed: 0,
            backoff,
            not_before: None,
            trying_since: None,
            waiting_since: None,
        }
    }

    /// Everything up to here was given or did not match.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The last sequence that a node has told of.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// The node that serves the stream.
    pub(super) fn address(&self) -> Option<&str> {
        self.open.as_ref().map(|open| open.address.as_str())
    }

    /// The next part as `read` makes of it, or a sign of life; `None` when the end is reached.
    pub(super) async fn next<T>(
        &mut self,
        read: impl Fn(&str, SubscribeReply) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        loop {
            if self
                .options
                .until
                .is_some_and(|until| until <= self.position)
            {
                self.open = None;
                return Ok(None);
            }
            match self.hear().await {
                Ok((address, reply)) => {
                    let taken = self.take(&address, reply, &read);
                    if taken.is_err() {
                        self.leave();
                    }
                    return taken.map(Some);
                }
                Err(failure) => self.after(failure)?,
            }
        }
    }

    /// Checks and reads a part; only then is the feed behind it.
    fn take<T>(
        &mut self,
        address: &str,
        reply: SubscribeReply,
        read: impl Fn(&str, SubscribeReply) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let asked = Asked {
            position: self.position,
            until: self.options.until,
            all: self.options.filter.is_all(),
            packed: self.packed,
        };
        check(asked, &reply).map_err(|message| Error::BrokenStream {
            address: address.to_owned(),
            message,
        })?;
        let (last, newest) = (reply.last_sequence, reply.newest_sequence);
        let taken = read(address, reply)?;
        self.position = last;
        // A node that is behind the one before it knows less, not that there is less.
        self.newest = self.newest.max(newest).max(last);
        self.failed = 0;
        self.backoff = Backoff::new(&self.client.router().config);
        self.trying_since = None;
        Ok(taken)
    }

    /// One message of the node that serves the stream, which is found first if there is none.
    async fn hear(&mut self) -> Result<(String, SubscribeReply), Failure> {
        if self.open.is_none() {
            self.trying_since.get_or_insert_with(Instant::now);
            if let Some(time) = self.not_before {
                sleep_until(time).await;
            }
            let open = self.connect().await?;
            debug!(
                address = open.address,
                from = self.position.saturating_add(1),
                "event stream opened"
            );
            self.open = Some(open);
            self.waiting_since = None;
        }
        let Some(open) = self.open.as_mut() else {
            return Err(Failure::NotSent {
                message: "no stream is open".to_owned(),
            });
        };
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let silence = self.options.silence_max;
        let lost = |message: String| Failure::Lost {
            address: open.address.clone(),
            message,
        };
        let heard = timeout_at(since + silence, open.parts.message()).await;
        self.waiting_since = None;
        match heard {
            Ok(Ok(Some(reply))) => Ok((open.address.clone(), reply)),
            Ok(Ok(None)) => Err(lost("the event stream ended too soon".to_owned())),
            Ok(Err(status)) => Err(Failure::from_status(&open.address, &status)),
            Err(_) => Err(lost(format!("nothing was heard for {silence:?}"))),
        }
    }

    /// Opens the stream at the endpoint whose turn it is, on a connection of its own: a consumer that is slow must
    /// hold up nobody else.
    async fn connect(&self) -> Result<Open, Failure> {
        let router = self.client.router();
        let endpoints = match &self.options.endpoint {
            Some(only) => vec![crate::config::address(only)],
            None => router.endpoints(),
        };
        let at = self.turn.checked_rem(endpoints.len()).unwrap_or(0);
        let address = endpoints.get(at).ok_or_else(|| Failure::NotSent {
            message: "no endpoint is known".to_owned(),
        })?;
        let config = &router.config;
        let channel = connect_alone(address, config).await?;
        // A node that hangs is noticed by this, and members are learned.
        router
            .ask_on(address, channel.clone(), config.connect_timeout)
            .await?;
        let mut request = Request::new(SubscribeRequest {
            from_sequence: self.position.saturating_add(1),
            filter: Some(self.options.filter.to_wire()),
            include_balances: self.options.include_balances,
            until_sequence: self.options.until.unwrap_or(0),
            packed: self.packed,
        });
        router.identity.stamp(request.metadata_mut());
        let mut client = EventsClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let patience = config.attempt_timeout.min(self.options.silence_max);
        let response = timeout(patience, client.subscribe(request))
            .await
            .map_err(|_| Failure::Lost {
                address: address.clone(),
                message: format!("no event stream within {patience:?}"),
            })?
            .map_err(|status| Failure::from_status(address, &status))?;
        router.identity.check(address, response.metadata())?;
        Ok(Open {
            address: address.clone(),
            parts: response.into_inner(),
        })
    }

    /// The next attempt is made at another endpoint.
    fn leave(&mut self) {
        self.open = None;
        self.turn = self.turn.wrapping_add(1);
    }

    /// Prepares the next attempt, or says why there is none.
    fn after(&mut self, failure: Failure) -> Result<(), Error> {
        self.leave();
        self.failed += 1;
        debug!(%failure, failed = self.failed, "event stream lost");
        // Only after every endpoint has failed there is something to wait for.
        let all_failed =
            self.options.endpoint.is_some() || self.failed >= self.client.endpoints().len();
        let wait = if all_failed {
            self.backoff.next(failure.retry_after())
        } else {
            Duration::ZERO
        };
        let now = Instant::now();
        self.not_before = Some(now + wait);
        let tried = now - *self.trying_since.get_or_insert(now);
        let patient = self
            .options
            .patience
            .is_none_or(|patience| tried + wait < patience);
        if patient && may_pass(&failure) {
            return Ok(());
        }
        self.trying_since = None;
        Err(failure.into_error())
    }
}

/// Whether the same request may succeed later or elsewhere.
fn may_pass(failure: &Failure) -> bool {
    match failure {
        // A fault of a node's own says nothing of the others.
        Failure::Refused { refused, .. } if refused.reason == Some(Reason::Internal) => true,
        _ => failure.is_retryable(),
    }
}
