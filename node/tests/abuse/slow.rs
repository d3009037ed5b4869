//! Connections that say too little, or take too little.

use std::time::{Duration, Instant};

use crate::honest::Attacked;
use crate::support::eventually;
use crate::wire::{
    DATA, END_HEADERS, END_STREAM, End, HEADERS, PREFACE, SETTINGS, Wire, call_headers, frame,
};

/// Times that a test can wait for.
const SHORT: &[(&str, &str)] = &[
    ("--connections-preface-ms", "2000"),
    ("--connections-keepalive-ms", "2000"),
    ("--connections-keepalive-timeout-ms", "1000"),
];
/// By then each must have ended: those of the clients after 3 s, those of peers after 10 s; machines that test are busy.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

/// Sends the bytes one after the other, with pauses, until the node ends the connection; how long that took.
async fn drip(mut wire: Wire, bytes: Vec<u8>) -> Duration {
    let began = Instant::now();
    for byte in bytes {
        if began.elapsed() > ENDED_WITHIN || !wire.send(&[byte]).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let left = ENDED_WITHIN.saturating_sub(began.elapsed());
    let (end, _) = wire.ended(left.max(Duration::from_millis(1))).await;
    assert_ne!(end, End::Open, "still open after {ENDED_WITHIN:?}");
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_do_not_come() {
    let attacked = Attacked::start_with(SHORT).await;
    let mut drips = Vec::new();
    for address in attacked.addresses() {
        let silent = Wire::connect(&address).await;
        drips.push(("silent", tokio::spawn(drip(silent, Vec::new()))));
        let preface = Wire::connect(&address).await;
        let slowly = drip(preface, PREFACE.to_vec());
        drips.push(("a preface byte by byte", tokio::spawn(slowly)));
        // It spoke once, then never again, not even to a ping.
        let dead = Wire::open(&address).await;
        drips.push(("half dead", tokio::spawn(drip(dead, Vec::new()))));
        // It spoke once, and now says a frame so slowly that it cannot answer a ping in between.
        let mut headers = Wire::connect(&address).await;
        assert!(headers.send(PREFACE).await);
        assert!(headers.send(&frame(SETTINGS, 0, 0, &[])).await);
        let block = call_headers("/farthing.v1.Packed/Submit", &[]);
        let slowly = drip(headers, frame(HEADERS, 0, 1, &block));
        drips.push(("headers byte by byte", tokio::spawn(slowly)));
        // The same with a message.
        let mut body = Wire::open(&address).await;
        assert!(body.send(&frame(HEADERS, END_HEADERS, 1, &block)).await);
        let slowly = drip(body, frame(DATA, 0, 1, &[0; 4_000]));
        drips.push(("a message byte by byte", tokio::spawn(slowly)));
    }
    for (what, drip) in drips {
        println!("{what}: ended after {:?}", drip.await.unwrap());
    }
    let status = attacked.status().await;
    let (clients, peers) = (
        status.connections.unwrap(),
        status.peer_connections.unwrap(),
    );
    assert_eq!((clients.expired, peers.expired), (2, 2), "{status:?}");
    assert_eq!((clients.open, peers.open), (1, 0), "{status:?}");
    attacked.ends_well().await;
}

/// Calls for large answers on a socket that takes nothing: the pings that would end it wait behind the answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes() {
    let attacked = Attacked::start_with(SHORT).await;
    let address = &attacked.node().client_address;
    let mut wire = Wire::open_deaf(address).await;
    let headers = call_headers(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        &[],
    );
    // Each answer is the description of a file, some ten KiB.
    let name = b"farthing.v1.Packed";
    let question = [&[0x22, name.len() as u8][..], name].concat();
    let message = [&[0, 0, 0, 0, question.len() as u8][..], &question].concat();
    for number in 0..800_u32 {
        let stream = number * 2 + 1;
        let mut call = frame(HEADERS, END_HEADERS, stream, &headers);
        call.extend(frame(DATA, END_STREAM, stream, &message));
        if !wire.send(&call).await {
            break;
        }
    }
    let began = Instant::now();
    let (end, _) = wire.ended(ENDED_WITHIN).await;
    println!("ended after {:?}", began.elapsed());
    assert_ne!(end, End::Open, "still open after {ENDED_WITHIN:?}");
    // The node counts a connection until its last task is gone, a moment after the other end has seen it close.
    let status = eventually("only the asker's connection is open", || async {
        let status = attacked.status().await;
        (status.connections.unwrap().open == 1).then_some(status)
    })
    .await;
    assert_eq!(status.connections.unwrap().expired, 1, "{status:?}");
    attacked.ends_well().await;
}
