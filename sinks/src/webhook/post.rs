//! One request and what its answer means.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::sign::Secret;
use crate::error::Error;

/// Of an answer's body nobody needs more.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Characters of it that a message quotes.
const QUOTE_CHARS: usize = 200;

/// What an answer means for the events that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// The same may be taken later.
    Later {
        message: String,
        retry_after: Option<Duration>,
    },
    /// These events are not taken, now or ever.
    Refused {
        message: String,
    },
    /// Nothing would be taken: the address or the right to use it is wrong, which says nothing of the events.
    Closed {
        message: String,
    },
}

/// Sends requests to one receiver, over connections that are kept.
#[derive(Debug)]
pub(super) struct Poster {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    secret: Secret,
    timeout: Duration,
}

impl Poster {
    pub(super) fn new(url: Uri, secret: Secret, timeout: Duration) -> Result<Poster, Error> {
        let builder = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| {
                Error::permanent(
                    format!("the system's certificates cannot be read: {error}"),
                    "install the package ca-certificates, or set SSL_CERT_FILE",
                )
            })?;
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Poster {
            client: Client::builder(TokioExecutor::new()).build(connector),
            url,
            secret,
            timeout,
        })
    }

    /// Sends a body and waits for the answer.
    pub(super) async fn post(&self, body: Bytes, first: u64, last: u64) -> Result<Answer, Error> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let timestamp_s = now.map_or(0, |now| now.as_secs());
        let signature = self.secret.signature(timestamp_s, &body);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(
                header::CONTENT_TYPE,
                "application/cloudevents-batch+json; charset=utf-8",
            )
            .header(
                header::USER_AGENT,
                concat!("farthing-sink/", env!("CARGO_PKG_VERSION")),
            )
            .header("farthing-timestamp", timestamp_s)
            .header("farthing-signature", signature)
            .header("farthing-sequences", format!("{first}-{last}"))
            .body(Full::new(body))
            .map_err(|error| Error::permanent(error.to_string(), "correct the URL"))?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(causes)?;
            let (head, body) = response.into_parts();
            // A body that is too long or breaks off changes nothing of what the status says.
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map(|body| body.to_bytes()).unwrap_or_default();
            Ok(judge(head.status, &head.headers, &body))
        };
        let later = |message| Answer::Later {
            message,
            retry_after: None,
        };
        Ok(match timeout(self.timeout, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(message)) => later(message),
            Err(_) => later(format!("no answer within {:?}", self.timeout)),
        })
    }
}

fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    let text: String = String::from_utf8_lossy(body)
        .chars()
        .filter(|c| !c.is_control())
        .take(QUOTE_CHARS)
        .collect();
    let message = format!("the receiver answers {status} {text}")
        .trim_end()
        .to_owned();
    match status.as_u16() {
        200..=299 => Answer::Taken,
        408 | 425 | 429 | 500..=599 => Answer::Later {
            message,
            retry_after: retry_after(headers, SystemTime::now()),
        },
        401 | 403 | 404 | 405 | 407 | 410 | 415 => Answer::Closed { message },
        400..=499 => Answer::Refused { message },
        _ => Answer::Closed { message },
    }
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = SystemTime::from(DateTime::parse_from_rfc2822(text).ok()?);
    Some(date.duration_since(now).unwrap_or_default())
}

/// An error with what caused it: the first one alone only says that a request failed.
fn causes(error: hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn statuses_say_whether_the_events_or_the_address_are_wrong() {
        let of = |status| {
            judge(
                StatusCode::from_u16(status).unwrap(),
                &HeaderMap::new(),
                b"no",
            )
        };
        assert_eq!(of(200), Answer::Taken);
        assert_eq!(of(204), Answer::Taken);
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(matches!(of(status), Answer::Later { .. }), "{status}");
        }
        for status in [301, 401, 403, 404, 405, 410, 415] {
            assert!(matches!(of(status), Answer::Closed { .. }), "{status}");
        }
        for status in [400, 409, 413, 422] {
            assert!(matches!(of(status), Answer::Refused { .. }), "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |text: &str, now_s| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(
                &headers,
                SystemTime::UNIX_EPOCH + Duration::from_secs(now_s),
            )
        };
        assert_eq!(after("7", 0), Some(Duration::from_secs(7)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(after(date, 784_111_770), Some(Duration::from_secs(7)));
        assert_eq!(after(date, 884_111_770), Some(Duration::ZERO));
        assert_eq!(after("soon", 0), None);
    }
}
