//! Packed requests and lookups: the part with the faults.

use std::sync::atomic::Ordering;

use farthing_proto::v1::packed_server::Packed;
use farthing_proto::v1::*;
use futures::stream::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{End, Node, Replies};

#[tonic::async_trait]
impl Packed for Node {
    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<SubmitReply>, Status> {
        let request = self.admit(request)?;
        match self.take(request).await {
            End::Reply(reply) => Ok(self.answer(reply)),
            End::Refused(refused) => Err(refused.into_status()),
            End::Silence | End::Break => std::future::pending().await,
        }
    }

    type SubmitStreamStream = Replies<SubmitReply>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let mut requests = self.admit(request)?;
        self.streams.fetch_add(1, Ordering::SeqCst);
        let (replies, outgoing) = mpsc::channel(16);
        let node = self.clone();
        tokio::spawn(async move {
            while let Some(Ok(request)) = requests.next().await {
                let (node, replies) = (node.clone(), replies.clone());
                tokio::spawn(async move {
                    let request_number = request.request_number;
                    let reply = match node.take(request).await {
                        End::Reply(reply) => Ok(reply),
                        End::Refused(refused) => Ok(SubmitReply {
                            request_number,
                            refusal: Some(refused.into()),
                            ..SubmitReply::default()
                        }),
                        End::Silence => return,
                        End::Break => Err(Status::unavailable("the connection broke")),
                    };
                    let _ = replies.send(reply).await;
                });
            }
        });
        Ok(self.answer(Box::pin(ReceiverStream::new(outgoing)) as Self::SubmitStreamStream))
    }

    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupReply>, Status> {
        let request = self.admit(request)?;
        Ok(self.answer(self.look_up(&request)?))
    }

    type LookupStreamStream = Replies<LookupReply>;

    async fn lookup_stream(
        &self,
        request: Request<Streaming<LookupRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        let requests = self.admit(request)?;
        let node = self.clone();
        let replies = requests.map(move |request| {
            let request = request?;
            Ok(node
                .look_up(&request)
                .unwrap_or_else(|refused| LookupReply {
                    request_number: request.request_number,
                    refusal: Some(refused.into()),
                    ..LookupReply::default()
                }))
        });
        Ok(self.answer(Box::pin(replies) as Self::LookupStreamStream))
    }
}
