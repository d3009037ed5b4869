//! Sinks: the event stream, delivered to where others read it.
//!
//! A [`Sink`] is a place that keeps events: a directory, a stream of NATS JetStream, a partition of Kafka, a receiver of
//! webhooks. It says how far it is ([`Sink::resume`]) and takes batches ([`Sink::deliver`]); that is all of it. One [`run`]
//! does the rest for all of them: it reads the stream behind what is there, gathers batches of bounded size, waits out what
//! passes, asks the sink again how far it is after every failure, and ends when somebody else has taken over.
//!
//! Where the place can say what it holds, that is the truth, and nothing else is remembered: a sink that was killed at any
//! point goes on right behind what arrived. Where it cannot, a cursor in the ledger remembers.
//!
//! What is delivered are CloudEvents 1.0 ([`CloudEvent`]) around the JSON of exported histories.
//!
//! It deliberately knows no node and no wire, only the SDK, and prints nothing: progress goes to whoever calls. Start
//! reading at [`Sink`], then [`run`], then [`mod@file`] as the simplest sink. `docs/reference/sinks.md` says what each promises.

mod backoff;
mod cloud_event;
mod delivery;
mod error;
pub mod file;
pub mod kafka;
pub mod nats;
mod place;
mod progress;
mod run;
mod sink;
mod source;
pub mod webhook;

pub use cloud_event::{CloudEvent, Origin};
pub use delivery::Delivery;
pub use error::Error;
pub use progress::Progress;
pub use run::{Options, run};
pub use sink::Sink;
pub use source::{Events, Source};
