//! Unary reads with retries: they change nothing, so every failure may be retried.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::client::Client;
use crate::error::Error;
use crate::transport::backoff::Backoff;
use crate::transport::failure::Failure;

/// Whether a call may be sent again after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// A read: always.
    Always,
    /// A command: only when it certainly was not carried out.
    WhenNotDone,
}

impl Client {
    /// Asks the leader, again if need be, until the deadline.
    pub(crate) async fn ask_leader<M: Clone, R, F>(
        &self,
        repeat: Repeat,
        message: M,
        call: impl Fn(Channel, Request<M>) -> F,
    ) -> Result<R, Error>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let deadline = self.ends_at();
        let router = self.router();
        let mut backoff = Backoff::new(&router.config);
        for attempt in 1.. {
            let failure = match timeout_at(deadline, router.leader()).await {
                Err(_) => Failure::NotSent {
                    message: "no leader was found before the deadline".to_owned(),
                },
                Ok(Err(failure)) => failure,
                Ok(Ok(node)) => {
                    let until = deadline.min(Instant::now() + router.config.attempt_timeout);
                    let channel = node.channel();
                    let result = self
                        .once(&node.address, channel, message.clone(), until, &call)
                        .await;
                    match result {
                        Ok(reply) => return Ok(reply),
                        Err(failure) => {
                            router.leave(&node, &failure);
                            failure
                        }
                    }
                }
            };
            let wait = backoff.next(failure.retry_after());
            if !failure.is_retryable()
                || (repeat == Repeat::WhenNotDone && !failure.nothing_happened())
                || attempt >= router.config.attempts_max
                || Instant::now() + wait >= deadline
            {
                return Err(failure.into_error());
            }
            sleep(wait).await;
        }
        Err(Error::Closed)
    }

    /// Asks any node, one after the other, until the deadline. For reads that need no leader.
    pub(crate) async fn ask_any<M: Clone, R, F>(
        &self,
        message: M,
        call: impl Fn(Channel, Request<M>) -> F,
    ) -> Result<R, Error>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let deadline = self.ends_at();
        let router = self.router();
        let mut backoff = Backoff::new(&router.config);
        loop {
            let mut last = Failure::NotSent {
                message: "no endpoint is known".to_owned(),
            };
            for address in router.endpoints_in_turn() {
                let until = deadline.min(Instant::now() + router.config.attempt_timeout);
                let channel = router.channel(&address).map_err(Failure::into_error)?;
                match self
                    .once(&address, channel, message.clone(), until, &call)
                    .await
                {
                    Ok(reply) => return Ok(reply),
                    Err(failure) if failure.is_retryable() => last = failure,
                    Err(failure) => return Err(failure.into_error()),
                }
            }
            let wait = backoff.next(last.retry_after());
            if Instant::now() + wait >= deadline {
                return Err(last.into_error());
            }
            sleep(wait).await;
        }
    }

    /// Asks one endpoint, once.
    pub(crate) async fn ask_endpoint<M, R, F>(
        &self,
        address: &str,
        message: M,
        call: impl Fn(Channel, Request<M>) -> F,
    ) -> Result<R, Error>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let channel = self
            .router()
            .channel(address)
            .map_err(Failure::into_error)?;
        self.once(address, channel, message, self.ends_at(), &call)
            .await
            .map_err(Failure::into_error)
    }

    async fn once<M, R, F>(
        &self,
        address: &str,
        channel: Channel,
        message: M,
        until: Instant,
        call: &impl Fn(Channel, Request<M>) -> F,
    ) -> Result<R, Failure>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let identity = &self.router().identity;
        let mut request = Request::new(message);
        let remaining = until.saturating_duration_since(Instant::now());
        request.set_timeout(remaining.max(Duration::from_millis(1)));
        identity.stamp(request.metadata_mut());
        match timeout_at(until, call(channel, request)).await {
            Ok(Ok(response)) => {
                identity.check(address, response.metadata())?;
                Ok(response.into_inner())
            }
            Ok(Err(status)) => Err(Failure::from_status(address, &status)),
            Err(_) => Err(Failure::Lost {
                address: address.to_owned(),
                message: format!("no answer within {remaining:?}"),
            }),
        }
    }
}
