//! Connections as they come in, bounded: how many there are at once, how long one may take to say what it is, and how
//! long it may let what is written to it lie.
//!
//! HTTP/2 keeps limits of its own once it has begun, and [`server`] sets them in one place for both listeners of a node;
//! what comes before it, and a socket that takes nothing, is bounded here. It deliberately does not know which services
//! are behind a listener, and nothing of HTTP/2 but the length of its first words. Start reading at [`Incoming`].

mod connection;
mod files;
mod gauges;
mod held;
mod http2;
#[cfg(test)]
mod tests;
mod weigh;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};
use tokio_stream::Stream;

pub use self::connection::Connection;
pub use self::files::{TooFewFiles, room_for_connections};
pub use self::gauges::{Gauges, Readings};
pub use self::held::{Full, Held, HeldMax, Share};
pub use self::http2::{Limits, server};
pub use self::weigh::{Weigh, Weighed};

/// Pause when the system has no file descriptor or no memory for one more: trying again at once would take a processor
/// and change nothing.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Between two lines of log about connections that were turned away or could not be accepted.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(60);

/// Limits of one listener, for what HTTP/2 does not limit itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whom it serves, for the log: `clients` or `peers`.
    pub name: &'static str,
    /// Connections open at once; one more is closed as soon as it is accepted.
    pub connections_max: usize,
    /// Time for the first words of HTTP/2.
    pub preface_within: Duration,
    /// Time for which a connection may take next to nothing of what is written to it.
    pub taken_within: Duration,
    /// What its connections may make the node hold.
    pub held: HeldMax,
}

/// A bound address with its limits; it does not accept yet.
#[derive(Debug)]
pub struct Listener {
    socket: std::net::TcpListener,
    config: Config,
    gauges: Gauges,
}

impl Listener {
    /// Binds `address`, a `host:port`. Connections wait in the system's queue until [`Self::accept`].
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn bind(address: &str, config: Config) -> io::Result<Self> {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let gauges = Gauges::default();
        Ok(Self {
            socket,
            config,
            gauges,
        })
    }

    /// The address with the port that the system chose.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// What happens here, for status.
    pub fn gauges(&self) -> Gauges {
        self.gauges.clone()
    }

    /// Connections from now on.
    ///
    /// # Errors
    /// When the current runtime cannot wait for the socket.
    pub fn accept(self) -> io::Result<Incoming> {
        self.gauges.limit(self.config.connections_max);
        Ok(Incoming {
            socket: TcpListener::from_std(self.socket)?,
            places: Arc::new(Semaphore::new(
                self.config.connections_max.min(Semaphore::MAX_PERMITS),
            )),
            held: held::All::new(self.config.held),
            config: self.config,
            gauges: self.gauges,
            pause: None,
            complained: None,
        })
    }
}

/// Connections of one listener. It never ends and never fails: what goes wrong with one connection, or for lack of file
/// descriptors, is counted and logged here.
#[derive(Debug)]
pub struct Incoming {
    socket: TcpListener,
    places: Arc<Semaphore>,
    config: Config,
    gauges: Gauges,
    held: held::All,
    pause: Option<Pin<Box<Sleep>>>,
    complained: Option<Instant>,
}

impl Incoming {
    /// At most one line a minute: whoever causes it would otherwise also fill the log.
    fn may_complain(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self
            .complained
            .is_none_or(|last| now.duration_since(last) >= COMPLAINT_PAUSE);
        if is_due {
            self.complained = Some(now);
        }
        is_due
    }

    fn turn_away(&mut self) {
        self.gauges.refused();
        if self.may_complain() {
            tracing::warn!(
                listener = self.config.name,
                connections_max = self.config.connections_max,
                refused = self.gauges.read().refused,
                "connections are refused: as many as may be are open"
            );
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.gauges.failed();
        if self.may_complain() {
            tracing::warn!(
                listener = self.config.name,
                %error,
                failed = self.gauges.read().failed,
                "connections cannot be accepted; the process may have too few file descriptors (ulimit -n)"
            );
        }
    }
}

/// Errors of one connection that was gone before it was accepted; the next one has nothing to do with it.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::Interrupted
    )
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.socket.poll_accept(context)) {
                Ok((stream, _)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => {
                        let gauges = self.gauges.clone();
                        let held = Held::new(&self.held);
                        let connection = Connection::new(stream, &self.config, gauges, held, place);
                        return Poll::Ready(Some(Ok(connection)));
                    }
                    // Closed at once: whoever waits for a place would only hold a descriptor meanwhile.
                    Err(_) => self.turn_away(),
                },
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.failed(&error);
                    self.pause = Some(Box::pin(tokio::time::sleep(ACCEPT_PAUSE)));
                }
            }
        }
    }
}
