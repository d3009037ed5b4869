//! Weighs calls as they pass: what of a message has come before it is whole, and what of an answer has not gone yet.
//!
//! What is whole is admission's to weigh; what is sent is the system's. Between them a caller could make the node hold as
//! much as it likes: a thousand messages of which each lacks a byte, or answers that it does not let out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Held, Share};

/// A flag and the length, before each message of gRPC.
const PREFIX_BYTES: usize = 5;
/// Pieces of an answer that weigh less than this are let pass: counting them would cost more.
const PIECE_BYTES_MIN: usize = 1 << 10;

/// Weighs the calls of what is behind it.
#[derive(Debug, Clone, Copy)]
pub struct Weigh {
    /// What a caller that holds too much is told: the words say of what.
    pub refuse: fn(String) -> Status,
}

impl<S> Layer<S> for Weigh {
    type Service = Weighed<S>;

    fn layer(&self, inner: S) -> Weighed<S> {
        Weighed {
            inner,
            refuse: self.refuse,
        }
    }
}

/// A service whose calls are weighed.
#[derive(Debug, Clone)]
pub struct Weighed<S> {
    inner: S,
    refuse: fn(String) -> Status,
}

impl<S> Service<Request<Body>> for Weighed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let held = request.extensions().get::<Held>().cloned();
        let Some(held) = held else {
            return Box::pin(self.inner.call(request));
        };
        let refuse = self.refuse;
        let coming = coming(held.share(), refuse);
        let request = request.map(|body| Body::new(Weighing::new(body, coming)));
        let answer = self.inner.call(request);
        Box::pin(async move {
            Ok(answer
                .await?
                .map(|body| Body::new(Weighing::new(body, going(held, refuse)))))
        })
    }
}

/// Of what there is too much, for [`Weigh::refuse`].
fn too_much(what: &str) -> String {
    format!("the node holds too many bytes of {what} for this connection")
}

/// Where in its messages a body is.
#[derive(Debug, Default)]
struct Message {
    prefix: [u8; PREFIX_BYTES],
    /// Bytes of the prefix that have come.
    prefixed: usize,
    /// Bytes of the message that have not come.
    missing: usize,
    /// Bytes of it that have.
    come: usize,
}

impl Message {
    /// Takes what has come, and gives how much of it is no whole message yet.
    fn feed(&mut self, mut bytes: &[u8]) -> usize {
        while !bytes.is_empty() {
            if self.prefixed < PREFIX_BYTES {
                let count = bytes.len().min(PREFIX_BYTES - self.prefixed);
                self.prefix[self.prefixed..self.prefixed + count].copy_from_slice(&bytes[..count]);
                self.prefixed += count;
                bytes = &bytes[count..];
                if self.prefixed < PREFIX_BYTES {
                    break;
                }
                let [_, length @ ..] = self.prefix;
                self.missing = u32::from_be_bytes(length) as usize;
            }
            let count = bytes.len().min(self.missing);
            self.missing -= count;
            self.come += count;
            bytes = &bytes[count..];
            if self.missing == 0 {
                (self.prefixed, self.come) = (0, 0);
            }
        }
        self.prefixed + self.come
    }
}

/// A body each of whose frames is weighed before it goes on.
struct Weighing<W> {
    body: Body,
    weigh: W,
}

impl<W> Weighing<W>
where
    W: FnMut(Frame<Bytes>) -> Result<Frame<Bytes>, Status>,
{
    fn new(body: Body, weigh: W) -> Self {
        Self { body, weigh }
    }
}

impl<W> http_body::Body for Weighing<W>
where
    W: FnMut(Frame<Bytes>) -> Result<Frame<Bytes>, Status> + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| (self.weigh)(frame?)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Weighs what comes in: what is no whole message yet.
fn coming(
    mut share: Share,
    refuse: fn(String) -> Status,
) -> impl FnMut(Frame<Bytes>) -> Result<Frame<Bytes>, Status> {
    let mut message = Message::default();
    move |frame| {
        if let Some(data) = frame.data_ref()
            && share.set(message.feed(data)).is_err()
        {
            return Err(refuse(too_much("messages that are not whole")));
        }
        Ok(frame)
    }
}

/// A piece with what it weighs, together until both are dropped.
struct Piece {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Weighs what goes out: its pieces are held until the last of each is written.
fn going(
    held: Held,
    refuse: fn(String) -> Status,
) -> impl FnMut(Frame<Bytes>) -> Result<Frame<Bytes>, Status> {
    move |frame| match frame.into_data() {
        Ok(bytes) if bytes.len() >= PIECE_BYTES_MIN => {
            let mut share = held.share();
            if share.set(bytes.len()).is_err() {
                return Err(refuse(too_much("answers that are not taken")));
            }
            let piece = Piece {
                bytes,
                _share: share,
            };
            Ok(Frame::data(Bytes::from_owner(piece)))
        }
        Ok(bytes) => Ok(Frame::data(bytes)),
        Err(frame) => Ok(frame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole messages weigh nothing, however they are cut; the rest weighs what has come of it.
    #[test]
    fn only_what_is_not_whole_weighs() {
        let messages: Vec<u8> = [
            &[0, 0, 0, 0, 3][..],
            b"abc",
            &[0; 5],
            &[0, 0, 0, 1, 0],
            &[9; 256],
        ]
        .concat();
        for cut in 1..=messages.len() {
            let mut message = Message::default();
            let mut last = 0;
            for piece in messages.chunks(cut) {
                last = message.feed(piece);
            }
            assert_eq!(last, 0, "pieces of {cut}");
        }
        let mut message = Message::default();
        assert_eq!(message.feed(&messages[..4]), 4);
        assert_eq!(message.feed(&messages[4..7]), 7);
        assert_eq!(message.feed(&messages[7..10]), 2);
        assert_eq!(message.feed(&messages[10..20]), 7);
    }
}
