//! The end that answers.

use std::pin::Pin;
use std::sync::Arc;

use farthing_node::consensus::channel::Channel;
use http::{HeaderMap, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::Service as _;

use super::body::arriving;
use super::call::{Call, Key};
use super::message::Frame;
use super::port::{Port, is_quiet};

/// What a host answers calls with.
pub type Service = Arc<dyn Fn(Request<Body>) -> ServiceFuture + Send + Sync>;

type ServiceFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

impl Port {
    /// A request has begun to come: it is given to the service, whose response goes back.
    pub(super) fn answer(&self, key: Key, call: &mut Call, path: &str, headers: HeaderMap) {
        let Some(service) = self.service().cloned() else {
            return;
        };
        call.quiet = is_quiet(path);
        let (frames, body) = arriving();
        call.body = Some(frames);
        let mut request = Request::new(Body::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = path.parse().unwrap_or_default();
        *request.headers_mut() = headers;
        let port = self.clone();
        let task = tokio::spawn(async move {
            let response = match service(request).await {
                Ok(response) => response,
                Err(status) => status.into_http(),
            };
            let (parts, body) = response.into_parts();
            let status = parts.status.as_u16().to_string();
            if port.push(key, Frame::Head(status, parts.headers)) {
                port.pump(key, body).await;
            }
            port.finish(key);
        });
        call.task = Some(task.abort_handle());
    }
}

/// The service of a channel.
pub(crate) fn through(channel: Channel) -> Service {
    Arc::new(move |request| {
        let mut channel = channel.clone();
        Box::pin(async move {
            let ready = std::future::poll_fn(|context| channel.poll_ready(context)).await;
            let result = match ready {
                Ok(()) => channel.call(request).await,
                Err(error) => Err(error),
            };
            result.map_err(|error| Status::from_error(error.0))
        })
    })
}
