//! Bytes that are no gRPC, or gRPC that promises more than it sends.

use std::time::Duration;

use crate::honest::Attacked;
use crate::support::{RawCall, frame as grpc_frame};
use crate::wire::{DATA, END_HEADERS, End, HEADERS, PREFACE, Wire, call_headers, frame};

const SUBMIT: &str = "/farthing.v1.Packed/Submit";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_protocols() {
    let attacked = Attacked::start().await;
    let garbage: Vec<u8> = (0..4_096_u32).map(|at| (at * 31 % 251) as u8).collect();
    let hello = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03".repeat(8);
    let http1 = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\nabcd";
    let upgrade = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n";
    // The preface, and then no frame that anybody would send.
    let half = [PREFACE, &[0xff; 4_096]].concat();
    for address in attacked.addresses() {
        for bytes in [&garbage[..], &hello, http1, upgrade, &half] {
            let mut wire = Wire::connect(&address).await;
            wire.send(bytes).await;
            let (end, _) = wire.ended(Duration::from_secs(5)).await;
            assert_ne!(end, End::Open, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
    attacked.ends_well().await;
}

/// A generator that gives the same numbers every time (xorshift, 64 bits).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, count: u64) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Types, flags, streams and lengths by chance; half of them sensible enough to get further in. A frame that made a task
/// panic would end the node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_by_chance() {
    let attacked = Attacked::start().await;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..300 {
        for address in attacked.addresses() {
            let mut wire = Wire::open(&address).await;
            let mut bytes = Vec::new();
            for _ in 0..30 {
                let kind = numbers.below(11) as u8;
                let flags = [0, 1, 4, 5, 8, 0x20, 0x2d][numbers.below(7) as usize];
                let stream = [0, 1, 3, 5, 2, 0x7fff_ffff][numbers.below(6) as usize];
                let payload = match (numbers.below(4), kind) {
                    (0, _) => numbers.bytes(numbers_below_100(kind)),
                    (_, HEADERS) => call_headers(SUBMIT, &[]),
                    (_, 4) => [&[0, numbers.below(9) as u8][..], &numbers.bytes(4)].concat(),
                    (_, 3 | 8) => numbers.bytes(4),
                    (_, 6 | 7) => numbers.bytes(8),
                    _ => vec![0; numbers.below(40) as usize],
                };
                bytes.extend(frame(kind, flags, stream, &payload));
            }
            wire.send(&bytes).await;
        }
    }
    // And frames whose length lies about what follows.
    for _ in 0..100 {
        for address in attacked.addresses() {
            let mut wire = Wire::open(&address).await;
            let noise = numbers.bytes(2_000);
            wire.send(&noise).await;
        }
    }
    attacked.ends_well().await;
}

/// Lengths of a payload that fits no rule, another for each type.
const fn numbers_below_100(kind: u8) -> u64 {
    (kind as u64 * 17 + 3) % 100
}

/// A thousand calls that each announce 4 MiB and send a byte of it; and some that announce 4 GiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lengths_that_never_come() {
    let attacked = Attacked::start().await;
    let mut wire = Wire::open(&attacked.node().client_address).await;
    let headers = call_headers(SUBMIT, &[]);
    for number in 0..1_000_u32 {
        let stream = number * 2 + 1;
        let length = if number % 10 == 0 { u32::MAX } else { 4 << 20 };
        let message = [&[0], &length.to_be_bytes()[..], &[1]].concat();
        let mut call = frame(HEADERS, END_HEADERS, stream, &headers);
        call.extend(frame(DATA, 0, stream, &message));
        if !wire.send(&call).await {
            break;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(wire);
    attacked.ends_well().await;
}

/// Compression is not accepted, so that a kilobyte cannot become a gigabyte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_messages() {
    let attacked = Attacked::start().await;
    for encoding in ["gzip", "deflate", "zstd", "identity"] {
        let call = RawCall::new("farthing.v1.Packed/Submit", grpc_frame(1, &[0; 1_024]))
            .header("grpc-encoding", encoding);
        let answer = call.send(attacked.node().client().channel()).await.unwrap();
        assert!(
            answer.code().is_some_and(|code| code != tonic::Code::Ok),
            "{encoding}: {answer:?}"
        );
    }
    attacked.ends_well().await;
}
