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

impl Client {
    /// Asks the leader, again if need be, until the deadline.
    pub(crate) async fn ask_leader<M: Clone, R, F>(
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
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match timeout_at(deadline, router.leader()).await {
                Err(_) => Failure::NotSent {
                    message: "no leader was found before the deadline".to_owned(),
                },
                Ok(Err(failure)) => failure,
                Ok(Ok(node)) => {
                    let until = deadline.min(Instant::now() + router.config.attempt_timeout);
                    let result = match node.channel() {
                        Some(channel) => {
                            self.once(&node.address, channel, message.clone(), until, &call)
                                .await
                        }
                        None => Err(Failure::NotSent {
                            message: "no connection".to_owned(),
                        }),
                    };
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
                || attempt >= router.config.attempts_max
                || Instant::now() + wait >= deadline
            {
                return Err(failure.into_error());
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
