//! Bodies whose frames come from, or go to, another host.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body as _, Frame};
use tokio::sync::mpsc;
use tonic::Status;
use tonic::body::Body;

use super::client::Cancel;

/// Where the frames of an arriving body are put.
pub(super) type Frames = mpsc::UnboundedSender<Result<Frame<Bytes>, Status>>;

/// A body as it arrives. At the caller it holds the call: dropped early, it resets it.
pub(super) struct Arriving {
    frames: mpsc::UnboundedReceiver<Result<Frame<Bytes>, Status>>,
    _cancel: Option<Cancel>,
}

impl Arriving {
    /// Dropped from now on, it resets the call.
    pub(super) fn hold(&mut self, cancel: Cancel) {
        self._cancel = Some(cancel);
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.frames.poll_recv(context)
    }
}

/// A body that arrives, and where its frames are to be put.
#[expect(
    clippy::disallowed_methods,
    reason = "a run ends, and a peer that sends without end is what it looks for"
)]
pub(super) fn arriving() -> (Frames, Arriving) {
    let (sender, frames) = mpsc::unbounded_channel();
    let body = Arriving {
        frames,
        _cancel: None,
    };
    (sender, body)
}

/// A body of one message.
pub(super) fn message(bytes: Bytes) -> Body {
    let (frames, body) = arriving();
    let _ = frames.send(Ok(Frame::data(bytes)));
    Body::new(body)
}

/// A response of one message.
pub(crate) fn whole(bytes: Vec<u8>) -> Response<Body> {
    Response::new(message(Bytes::from(bytes)))
}

/// The next frame of a body.
pub(super) async fn next_frame(body: &mut Body) -> Option<Result<Frame<Bytes>, Status>> {
    std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

/// All bytes of a body.
///
/// # Errors
/// When it breaks off.
pub(crate) async fn read_all(mut body: Body) -> Result<Bytes, Status> {
    let mut bytes = Vec::new();
    while let Some(frame) = next_frame(&mut body).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Bytes::from(bytes))
}
