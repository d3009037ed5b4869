//! Calls by hand: any bytes as the body of an HTTP/2 request, for what no generated client would send.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Full};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// A message as gRPC frames it: a flag byte, four bytes of length, the bytes.
pub(crate) fn frame(flag: u8, message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(flag);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put_slice(message);
    framed.freeze()
}

/// One call by hand.
pub(crate) struct RawCall {
    path: String,
    body: Bytes,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    /// HTTP status.
    pub(crate) http: u16,
    /// gRPC status, from the trailers or from the headers of an answer without a body.
    pub(crate) status: Option<Status>,
    /// Headers and trailers.
    pub(crate) headers: HeaderMap,
    /// Bytes of the body.
    pub(crate) body: Bytes,
}

impl RawCall {
    /// To a method such as `farthing.v1.Transfers/CreateTransfers`, with a body that may break every rule.
    pub(crate) fn new(method: &str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        Self {
            path: format!("/{method}"),
            body: body.into(),
            headers,
        }
    }

    /// With a header, instead of its default if it has one.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// The transport's words when it ended the stream or the connection instead of answering.
    pub(crate) async fn send(self, mut channel: Channel) -> Result<RawAnswer, String> {
        let mut request = Request::builder()
            .method("POST")
            .uri(self.path)
            .body(Body::new(Full::new(self.body)))
            .unwrap();
        *request.headers_mut() = self.headers;
        let call = async {
            std::future::poll_fn(|context| GrpcService::<Body>::poll_ready(&mut channel, context))
                .await
                .map_err(|error| error.to_string())?;
            let response = GrpcService::<Body>::call(&mut channel, request)
                .await
                .map_err(|error| format!("{error:?}"))?;
            let (parts, body) = response.into_parts();
            let collected = body.collect().await.map_err(|error| format!("{error:?}"))?;
            let mut headers = parts.headers;
            if let Some(trailers) = collected.trailers() {
                headers.extend(trailers.clone());
            }
            let status = Status::from_header_map(&headers);
            Ok(RawAnswer {
                http: parts.status.as_u16(),
                status,
                headers,
                body: collected.to_bytes(),
            })
        };
        tokio::time::timeout(Duration::from_secs(20), call)
            .await
            .expect("an answer within 20 s")
    }
}

impl RawAnswer {
    /// The gRPC code.
    pub(crate) fn code(&self) -> Option<Code> {
        self.status.as_ref().map(Status::code)
    }
}
