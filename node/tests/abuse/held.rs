//! Messages that are begun and never finished, and answers that nobody lets out of the node: both take its memory for as
//! long as somebody likes, and keep every rule of HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use farthing_proto::packed::write_ids;
use farthing_proto::v1::packed_client::PackedClient;
use farthing_proto::v1::{Consistency, LookupKind, LookupRequest, consistency::Level};
use futures::StreamExt as _;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::transport::{Channel, Endpoint};

use crate::honest::Attacked;

/// What one connection may make the node hold, with the room that memory itself takes.
const ONE_BYTES_MAX: u64 = 160 << 20;
/// What all connections may.
const ALL_BYTES_MAX: u64 = 480 << 20;
/// For what is under way to arrive.
const ARRIVED_AFTER: Duration = Duration::from_secs(3);

/// A connection of a library that keeps the rules, with this window for what comes back.
async fn connect(attacked: &Attacked, window_bytes: u32) -> Channel {
    Endpoint::from_shared(format!("http://{}", attacked.node().client_address))
        .unwrap()
        .initial_stream_window_size(window_bytes)
        .connect()
        .await
        .unwrap()
}

/// A call whose message announces a MiB, brings 900 KiB, and then neither goes on nor ends.
async fn begin(mut channel: Channel) {
    let mut beginning = vec![7; 900 << 10];
    beginning[..5].copy_from_slice(&[0, 0, 0x10, 0, 0]);
    let body = futures::stream::iter([Ok::<_, Status>(Bytes::from(beginning))])
        .chain(futures::stream::pending())
        .map(|bytes| bytes.map(http_body::Frame::data));
    let request = http::Request::builder()
        .method("POST")
        .uri("/farthing.v1.Packed/Submit")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(http_body_util::StreamBody::new(body)))
        .unwrap();
    std::future::poll_fn(|context| GrpcService::<Body>::poll_ready(&mut channel, context))
        .await
        .unwrap();
    // Refused or not: whoever attacks does not care.
    let _ = GrpcService::<Body>::call(&mut channel, request).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_never_finished() {
    let attacked = Attacked::start().await;
    let channel = connect(&attacked, 65_535).await;
    let mut calls = JoinSet::new();
    (0..400).for_each(|_| drop(calls.spawn(begin(channel.clone()))));
    tokio::time::sleep(ARRIVED_AFTER).await;
    println!("grown by {} MiB", attacked.growth() >> 20);
    attacked.ends_well_within(ONE_BYTES_MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_many_that_are_never_finished() {
    let attacked = Attacked::start().await;
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let channel = connect(&attacked, 65_535).await;
        (0..50).for_each(|_| drop(calls.spawn(begin(channel.clone()))));
    }
    tokio::time::sleep(ARRIVED_AFTER).await;
    println!("grown by {} MiB", attacked.growth() >> 20);
    attacked.ends_well_within(ALL_BYTES_MAX).await;
}

/// A window of nothing: an answer can be made and not be sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_let_out() {
    let attacked = Attacked::start().await;
    let channel = connect(&attacked, 0).await;
    let message = LookupRequest {
        request_number: 1,
        kind: LookupKind::Accounts.into(),
        ids: write_ids(std::iter::repeat_n(attacked.payer(), 8_000)),
        consistency: Some(Consistency {
            level: Some(Level::Stale(true)),
        }),
        deadline_ms: 60_000,
    };
    let mut calls = JoinSet::new();
    for _ in 0..400 {
        let (mut client, message) = (PackedClient::new(channel.clone()), message.clone());
        calls.spawn(async move { client.lookup(message).await });
    }
    tokio::time::sleep(ARRIVED_AFTER).await;
    println!("grown by {} MiB", attacked.growth() >> 20);
    attacked.ends_well_within(ONE_BYTES_MAX).await;
}
