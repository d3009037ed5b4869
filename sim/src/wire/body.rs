//! Bodies whose frames come from, or go to, another host.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;
use tonic::Status;

use super::port::Cancel;

/// A body as it arrives. At the caller it holds the call: dropped early, it resets it.
pub(super) struct Arriving {
    pub(super) frames: mpsc::UnboundedReceiver<Result<Frame<Bytes>, Status>>,
    pub(super) _cancel: Option<Cancel>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.frames.poll_recv(context)
    }
}
