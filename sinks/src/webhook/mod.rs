//! Webhooks: batches of CloudEvents, signed and posted to a receiver one after another.
//!
//! A receiver cannot be asked how far it is, so a cursor in the ledger remembers, and every event arrives at least once: what
//! was posted after the last save comes again after a crash. Receivers drop ids that they have seen.

mod dead_letters;
mod post;
mod sign;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use farthing_client::Client;
use http::Uri;

use self::dead_letters::DeadLetters;
use self::post::{Answer, Poster};
use crate::cloud_event::{CloudEvent, Origin};
use crate::delivery::Delivery;
use crate::error::Error;
use crate::place::Place;
use crate::sink::Sink;

pub use self::sign::{SECRET_BYTES_MIN, Secret};

/// Where to and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// The receiver, `http` or `https`.
    pub url: String,
    /// What bodies are signed with.
    pub secret: Secret,
    /// Whose place in the ledger this is: 1 to 52 bytes.
    pub name: String,
    /// How long one request may take.
    pub timeout: Duration,
    /// Where events are put that the receiver does not take; `None`: the sink ends at the first of them.
    pub dead_letters: Option<PathBuf>,
    /// Attempts after which a batch is put aside though it might be taken later, when there is a place for dead letters;
    /// `None`: it is tried for ever.
    pub attempts_max: Option<u32>,
}

/// The sink. See the module.
#[derive(Debug)]
pub struct Webhook {
    poster: Poster,
    origin: Origin,
    place: Place,
    dead_letters: Option<DeadLetters>,
    attempts_max: Option<u32>,
    /// Failed attempts at the events that are next.
    attempts: u32,
}

impl Webhook {
    /// A sink to a receiver. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Permanent`] for a URL that is none, [`Error::Fenced`] when another sink uses the place for dead letters.
    pub fn open(client: &Client, config: Config, origin: Origin) -> Result<Webhook, Error> {
        let url = parse(&config.url)?;
        let dead_letters = config.dead_letters.as_deref().map(DeadLetters::open);
        Ok(Webhook {
            poster: Poster::new(url, config.secret, config.timeout)?,
            origin,
            place: Place::new(client, &config.name),
            dead_letters: dead_letters.transpose()?,
            attempts_max: config.attempts_max,
            attempts: 0,
        })
    }

    fn body(&self, events: &[Delivery]) -> Bytes {
        let weight: usize = events.iter().map(Delivery::weight).sum();
        let mut body = Vec::with_capacity(weight + 256 * events.len());
        for event in events {
            body.push(if body.is_empty() { b'[' } else { b',' });
            CloudEvent::new(&self.origin, event).write_structured(&mut body);
        }
        body.push(b']');
        body.into()
    }

    /// These were taken or put aside.
    fn done(&mut self, events: &[Delivery]) {
        self.attempts = 0;
        self.place.handled(events);
    }

    fn put_aside(&mut self, events: &[Delivery], reason: String) -> Result<(), Error> {
        let Some(dead_letters) = &mut self.dead_letters else {
            let first = events.first().map_or(0, |event| event.sequence);
            return Err(Error::permanent(
                format!("event {first} is not taken: {reason}"),
                "mend the receiver, or name a directory with --dead-letters to put such events aside",
            ));
        };
        dead_letters.put(&self.origin, events, &reason)?;
        self.done(events);
        Ok(())
    }
}

impl Sink for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    async fn resume(&mut self) -> Result<u64, Error> {
        self.place.resume().await
    }

    async fn deliver(&mut self, batch: &[Delivery]) -> Result<(), Error> {
        // What is refused is halved until it is clear which events are meant. The next ones are at the end.
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let (Some(first), Some(last)) = (part.first(), part.last()) else {
                continue;
            };
            let posted = self
                .poster
                .post(self.body(part), first.sequence, last.sequence);
            match posted.await? {
                Answer::Taken => self.done(part),
                Answer::Later {
                    message,
                    retry_after,
                } => {
                    self.attempts += 1;
                    let goes_on = self.attempts_max.is_none_or(|most| self.attempts < most);
                    if self.dead_letters.is_none() || goes_on {
                        return Err(Error::Transient {
                            message,
                            retry_after,
                        });
                    }
                    self.put_aside(part, format!("{message}, {} times", self.attempts))?;
                }
                Answer::Refused { .. } if part.len() > 1 => {
                    let (before, after) = part.split_at(part.len() / 2);
                    parts.extend([after, before]);
                }
                Answer::Refused { message } => self.put_aside(part, message)?,
                Answer::Closed { message } => {
                    return Err(Error::permanent(
                        message,
                        "correct the URL, or what the receiver expects; no event was put aside",
                    ));
                }
            }
            self.place.save_if_due().await?;
        }
        Ok(())
    }

    fn dead_letters(&self) -> u64 {
        self.dead_letters.as_ref().map_or(0, DeadLetters::count)
    }

    async fn idle(&mut self) -> Result<(), Error> {
        self.place.save_if_due().await
    }

    async fn finish(&mut self) -> Result<(), Error> {
        self.place.save().await
    }
}

fn parse(url: &str) -> Result<Uri, Error> {
    let parsed: Option<Uri> = url.parse().ok();
    parsed
        .filter(|url| matches!(url.scheme_str(), Some("http" | "https")))
        .filter(|url| url.authority().is_some_and(|host| !host.as_str().contains('@')))
        .ok_or_else(|| {
            Error::permanent(
                "the URL is not that of a receiver",
                "give one such as https://example.com/farthing, without a name and a password in it",
            )
        })
}
