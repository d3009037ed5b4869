//! One accepted connection, which ends when it says too little or takes too little.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tonic::transport::server::Connected;

use super::{Config, Gauges, Held};

/// What a client of HTTP/2 says first (RFC 9113, section 3.4). From then on it is asked for signs of life.
const PREFACE_BYTES: usize = 24;
/// A connection on which writing waits must take so much in the time it is given, or it takes nothing to speak of.
const TAKEN_BYTES_MIN: usize = 32 << 10;

/// Time for which a connection may make the node hold something without letting anything of it go: a message that is not
/// finished, an answer that is not let out.
const HELD_WITHIN: Duration = Duration::from_secs(60);

/// A place among the open connections, given back with the connection.
#[derive(Debug)]
struct Place {
    gauges: Gauges,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gauges.closed();
    }
}

/// An accepted connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Until the first words have come.
    preface: Option<Preface>,
    /// While writing waits.
    stall: Option<Stall>,
    taken_within: Duration,
    held: Held,
    place: Place,
}

#[derive(Debug)]
struct Preface {
    missing: usize,
    until: Pin<Box<Sleep>>,
}

/// Writing has waited since the timer was set, and so many bytes have gone since.
#[derive(Debug)]
struct Stall {
    taken: usize,
    until: Pin<Box<Sleep>>,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        config: &Config,
        gauges: Gauges,
        held: Held,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        // A connection that is gone already has no options to set; reading will tell.
        let _ = stream.set_nodelay(true);
        gauges.opened();
        Self {
            stream,
            preface: Some(Preface {
                missing: PREFACE_BYTES,
                until: Box::pin(tokio::time::sleep(config.preface_within)),
            }),
            stall: None,
            taken_within: config.taken_within,
            held,
            place: Place {
                gauges,
                _permit: permit,
            },
        }
    }

    fn expired(&self, why: &'static str) -> io::Error {
        self.place.gauges.expired();
        tracing::debug!(peer = ?self.stream.peer_addr().ok(), why, "a connection is ended");
        io::Error::new(io::ErrorKind::TimedOut, why)
    }

    /// Ends a connection that has let what was written to it lie. Pings alone do not: what says that one was not answered
    /// would wait behind what is not taken.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                if let Some(stall) = &mut self.stall {
                    stall.taken += count;
                    if stall.taken >= TAKEN_BYTES_MIN {
                        self.stall = None;
                    }
                }
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let stall = self.stall.get_or_insert_with(|| Stall {
                    taken: 0,
                    until: Box::pin(tokio::time::sleep(self.taken_within)),
                });
                if stall.until.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                Poll::Ready(Err(self.expired("it does not take what it is sent")))
            }
        }
    }

    /// All that was to be written has gone: whoever takes little of little is not slow.
    fn settle(&mut self) {
        self.stall = None;
    }
}

impl Connected for Connection {
    type ConnectInfo = Held;

    fn connect_info(&self) -> Held {
        self.held.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(preface) = &mut self.preface else {
            // Whoever answers pings is heard now and then, so that this is asked now and then.
            if self.held.is_stuck(HELD_WITHIN) {
                return Poll::Ready(Err(
                    self.expired("it lets nothing go of what is held for it")
                ));
            }
            return read;
        };
        let count = buffer.filled().len() - before;
        preface.missing = preface.missing.saturating_sub(count);
        if preface.missing == 0 {
            self.preface = None;
        } else if preface.until.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(
                self.expired("it does not say in time that it speaks HTTP/2")
            ));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.settle();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
