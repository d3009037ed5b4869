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
/// What a connection of a peer may, and all of them.
const PEER_BYTES_MAX: u64 = 320 << 20;
const PEERS_BYTES_MAX: u64 = 960 << 20;

const SUBMIT: &str = "/farthing.v1.Packed/Submit";
const APPEND: &str = "/farthing.peer.v1.Peer/Append";
/// For what is under way to arrive.
const ARRIVED_AFTER: Duration = Duration::from_secs(3);

/// A connection of a library that keeps the rules, with this window for what comes back.
async fn connect(address: &str, window_bytes: u32) -> Channel {
    Endpoint::from_shared(format!("http://{address}"))
        .unwrap()
        .initial_stream_window_size(window_bytes)
        .connect()
        .await
        .unwrap()
}

/// A call whose message announces a MiB more than it brings, and then neither goes on nor ends.
async fn begin(mut channel: Channel, path: &'static str, bytes: u32) {
    let mut beginning = vec![7; bytes as usize];
    let announced = (bytes + (1 << 20)).to_be_bytes();
    beginning[0] = 0;
    beginning[1..5].copy_from_slice(&announced);
    let body = futures::stream::iter([Ok::<_, Status>(Bytes::from(beginning))])
        .chain(futures::stream::pending())
        .map(|bytes| bytes.map(http_body::Frame::data));
    let request = http::Request::builder()
        .method("POST")
        .uri(path)
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

/// Many such calls on some connections.
async fn never_finish(
    attacked: &Attacked,
    address: &str,
    connections: usize,
    calls_each: usize,
    (path, bytes): (&'static str, u32),
) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    for _ in 0..connections {
        let channel = connect(address, 65_535).await;
        for _ in 0..calls_each {
            calls.spawn(begin(channel.clone(), path, bytes));
        }
    }
    tokio::time::sleep(ARRIVED_AFTER).await;
    println!("grown by {} MiB", attacked.growth() >> 20);
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_never_finished() {
    let attacked = Attacked::start().await;
    let address = &attacked.node().client_address;
    let calls = never_finish(&attacked, address, 1, 400, (SUBMIT, 900 << 10)).await;
    attacked.ends_well_within(ONE_BYTES_MAX).await;
    drop(calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_many_that_are_never_finished() {
    let attacked = Attacked::start().await;
    let address = &attacked.node().client_address;
    let calls = never_finish(&attacked, address, 16, 50, (SUBMIT, 900 << 10)).await;
    attacked.ends_well_within(ALL_BYTES_MAX).await;
    drop(calls);
}

/// The same where peers are heard, whose messages may be larger, while the real ones go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_to_peers_that_are_never_finished() {
    let attacked = Attacked::start().await;
    let address = &attacked.node().peer_address;
    let calls = never_finish(&attacked, address, 1, 64, (APPEND, 10 << 20)).await;
    assert!(attacked.growth() < PEER_BYTES_MAX);
    let more = never_finish(&attacked, address, 8, 16, (APPEND, 10 << 20)).await;
    attacked.ends_well_within(PEERS_BYTES_MAX).await;
    drop((calls, more));
}

/// A window of nothing: an answer can be made and not be sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_not_let_out() {
    let attacked = Attacked::start().await;
    let channel = connect(&attacked.node().client_address, 0).await;
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
