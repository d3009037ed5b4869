//! The end that calls.

use bytes::Bytes;
use farthing_node::consensus::channel::{CallError, Channel, Dial};
use http::{Request, Response};
use tokio::sync::oneshot;
use tonic::Status;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

use super::body::{arriving, message, read_all};
use super::call::{Call, Key};
use super::message::Frame;
use super::port::{Port, address, is_quiet};

impl Port {
    /// Calls another host.
    ///
    /// # Errors
    /// When the call breaks before it is answered.
    pub async fn call(&self, host: &str, request: Request<Body>) -> Result<Response<Body>, Status> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let (head, headed) = oneshot::channel();
        let (frames, mut answer) = arriving();
        let mut call = Call::new(address(host));
        call.head = Some(head);
        call.body = Some(frames);
        call.quiet = is_quiet(&path);
        let key = self.calls().begin(call);
        answer.hold(Cancel {
            port: self.clone(),
            key,
        });
        self.push(key, Frame::Head(path, parts.headers));
        let port = self.clone();
        let task = tokio::spawn(async move { port.pump(key, body).await });
        if let Some(call) = self.calls().open.get_mut(&key) {
            call.task = Some(task.abort_handle());
        }
        let gone = || Err(Status::unavailable("the call is over"));
        let (status, headers) = headed.await.unwrap_or_else(|_| gone())?;
        let mut response = Response::new(Body::new(answer));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Calls with one message and waits for one, for what is not gRPC.
    ///
    /// # Errors
    /// When the call breaks before it is answered.
    pub async fn ask(&self, host: &str, path: &str, bytes: Bytes) -> Result<Bytes, Status> {
        let mut request = Request::new(message(bytes));
        *request.uri_mut() = path.parse().unwrap_or_default();
        let response = self.call(host, request).await?;
        read_all(response.into_body()).await
    }
}

/// Resets a call whose caller has lost interest.
pub(super) struct Cancel {
    port: Port,
    key: Key,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if self.port.is_alive() {
            self.port.end(self.key, None, true);
        }
    }
}

impl Dial for Port {
    fn dial(&self, address: &str) -> Result<Channel, String> {
        let host = address.to_owned();
        let port = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (port, host) = (port.clone(), host.clone());
            async move {
                let answered = port.call(&host, request).await;
                answered.map_err(|status| CallError(Box::new(status)))
            }
        });
        Ok(BoxCloneSyncService::new(service))
    }
}
