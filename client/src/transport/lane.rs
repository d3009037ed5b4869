//! Many exchanges over one stream, told apart by their numbers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farthing_proto::error::Refused;
use farthing_proto::v1::packed_client::PackedClient;
use farthing_proto::v1::{LookupReply, LookupRequest, Refusal, SubmitReply, SubmitRequest};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use super::failure::Failure;

/// Messages handed to the stream at most before the transport has taken them.
const OUTGOING_MAX: usize = 4;

/// A kind of exchange that a stream carries.
pub(crate) trait Exchange: Send + Sync + 'static {
    type Request: Send + 'static;
    type Reply: Send + 'static;

    fn set_number(request: &mut Self::Request, number: u64);
    fn number(reply: &Self::Reply) -> u64;
    fn take_refusal(reply: &mut Self::Reply) -> Option<Refusal>;
    fn open(
        client: PackedClient<Channel>,
        outgoing: Request<ReceiverStream<Self::Request>>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Reply>>, Status>> + Send;
}

/// `Packed.SubmitStream`.
pub(crate) enum Submits {}

impl Exchange for Submits {
    type Request = SubmitRequest;
    type Reply = SubmitReply;

    fn set_number(request: &mut SubmitRequest, number: u64) {
        request.request_number = number;
    }

    fn number(reply: &SubmitReply) -> u64 {
        reply.request_number
    }

    fn take_refusal(reply: &mut SubmitReply) -> Option<Refusal> {
        reply.refusal.take()
    }

    async fn open(
        mut client: PackedClient<Channel>,
        outgoing: Request<ReceiverStream<SubmitRequest>>,
    ) -> Result<Response<Streaming<SubmitReply>>, Status> {
        client.submit_stream(outgoing).await
    }
}

/// `Packed.LookupStream`.
pub(crate) enum Lookups {}

impl Exchange for Lookups {
    type Request = LookupRequest;
    type Reply = LookupReply;

    fn set_number(request: &mut LookupRequest, number: u64) {
        request.request_number = number;
    }

    fn number(reply: &LookupReply) -> u64 {
        reply.request_number
    }

    fn take_refusal(reply: &mut LookupReply) -> Option<Refusal> {
        reply.refusal.take()
    }

    async fn open(
        mut client: PackedClient<Channel>,
        outgoing: Request<ReceiverStream<LookupRequest>>,
    ) -> Result<Response<Streaming<LookupReply>>, Status> {
        client.lookup_stream(outgoing).await
    }
}

type Waiter<E> = oneshot::Sender<Result<<E as Exchange>::Reply, Failure>>;

struct Waiting<E: Exchange> {
    waiters: HashMap<u64, Waiter<E>>,
    lost: Option<Failure>,
}

/// One open stream.
pub(crate) struct Lane<E: Exchange> {
    address: String,
    outgoing: mpsc::Sender<E::Request>,
    waiting: Arc<Mutex<Waiting<E>>>,
    next_number: AtomicU64,
    reader: AbortHandle,
}

impl<E: Exchange> Drop for Lane<E> {
    fn drop(&mut self) {
        // Every exchange holds the lane, so nobody waits for the reader any more.
        self.reader.abort();
    }
}

impl<E: Exchange> Lane<E> {
    /// Opens the stream; `check` holds its answer's metadata to the cluster id.
    pub(crate) async fn open(
        address: &str,
        client: PackedClient<Channel>,
        prepare: impl FnOnce(&mut Request<ReceiverStream<E::Request>>),
        check: impl FnOnce(&tonic::metadata::MetadataMap) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
        let mut request = Request::new(ReceiverStream::new(messages));
        prepare(&mut request);
        // Nothing has been sent yet, whatever the status says.
        let response =
            E::open(client, request).await.map_err(|status| {
                match Failure::from_status(address, &status) {
                    Failure::Lost { address, message } => Failure::NotSent {
                        message: format!("{address}: {message}"),
                    },
                    other => other,
                }
            })?;
        check(response.metadata())?;
        let waiting = Arc::new(Mutex::new(Waiting {
            waiters: HashMap::new(),
            lost: None,
        }));
        let reader = tokio::spawn(read_replies::<E>(
            address.to_owned(),
            response.into_inner(),
            Arc::clone(&waiting),
        ))
        .abort_handle();
        Ok(Lane {
            address: address.to_owned(),
            outgoing,
            waiting,
            next_number: AtomicU64::new(1),
            reader,
        })
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn exchange(&self, mut request: E::Request) -> Result<E::Reply, Failure> {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        E::set_number(&mut request, number);
        let (answer, reply) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            if let Some(lost) = &waiting.lost {
                return Err(Failure::NotSent {
                    message: lost.to_string(),
                });
            }
            waiting.waiters.insert(number, answer);
        }
        let _forget = ForgetOnDrop {
            waiting: &self.waiting,
            number,
        };
        if self.outgoing.send(request).await.is_err() {
            return Err(Failure::NotSent {
                message: format!("{}: the stream ended", self.address),
            });
        }
        match reply.await {
            Ok(Ok(mut reply)) => match E::take_refusal(&mut reply) {
                None => Ok(reply),
                Some(refusal) => Err(Failure::refused(
                    self.address.clone(),
                    Refused::from(refusal),
                    Ok(None),
                )),
            },
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::Lost {
                address: self.address.clone(),
                message: "the stream ended".to_owned(),
            }),
        }
    }

    /// True when the stream has ended; exchanges fail at once then.
    pub(crate) fn is_lost(&self) -> bool {
        lock(&self.waiting).lost.is_some()
    }
}

/// A caller that gave up leaves no waiter behind.
struct ForgetOnDrop<'a, E: Exchange> {
    waiting: &'a Mutex<Waiting<E>>,
    number: u64,
}

impl<E: Exchange> Drop for ForgetOnDrop<'_, E> {
    fn drop(&mut self) {
        lock(self.waiting).waiters.remove(&self.number);
    }
}

async fn read_replies<E: Exchange>(
    address: String,
    mut replies: Streaming<E::Reply>,
    waiting: Arc<Mutex<Waiting<E>>>,
) {
    let lost = loop {
        match replies.message().await {
            Ok(Some(reply)) => {
                let waiter = lock(&waiting).waiters.remove(&E::number(&reply));
                if let Some(waiter) = waiter {
                    // The caller may have given up meanwhile.
                    let _ = waiter.send(Ok(reply));
                }
            }
            Ok(None) => {
                break Failure::Lost {
                    address,
                    message: "the server ended the stream".to_owned(),
                };
            }
            // What was in flight may have been applied, whatever ended the stream.
            Err(status) => {
                break match Failure::from_status(&address, &status) {
                    Failure::Refused { address, refused } => Failure::Lost {
                        address,
                        message: refused.to_string(),
                    },
                    other => other,
                };
            }
        }
    };
    let mut waiting = lock(&waiting);
    for (_, waiter) in waiting.waiters.drain() {
        let _ = waiter.send(Err(lost.clone()));
    }
    waiting.lost = Some(lost);
}

/// A panic cannot happen while it is held: only map operations run under it.
fn lock<E: Exchange>(waiting: &Mutex<Waiting<E>>) -> MutexGuard<'_, Waiting<E>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
