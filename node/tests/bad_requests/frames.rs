//! Bytes that are no message, sent by hand over a real HTTP/2 connection.

use bytes::Bytes;
use farthing_proto::v1::CreateTransfersRequest;
use prost::Message as _;
use tonic::Code;

use crate::support::{RawAnswer, RawCall, frame};
use crate::world::World;

const CREATE: &str = "farthing.v1.Transfers/CreateTransfers";
const SUBMIT: &str = "farthing.v1.Packed/Submit";

async fn send(world: &World, call: RawCall) -> RawAnswer {
    // Each on a connection of its own: what ends a connection must not spoil the next case.
    let node = world.cluster.node(1);
    call.send(node.client().channel())
        .await
        .expect("an answer, not the end of the connection")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_message() {
    let world = World::start().await;
    let good = CreateTransfersRequest {
        transfers: vec![world.good()],
    }
    .encode_to_vec();
    let half = Bytes::from(good[..good.len() / 2].to_vec());
    let mut longer_than_sent = frame(0, &good).to_vec();
    longer_than_sent[4] += 1;
    let mut wrong_wire_type = good.clone();
    wrong_wire_type[0] = 0x08;
    let nested = vec![0x0b; 100_000];
    let endless_varint = vec![0xff; 64];
    let invalid_utf8 = [0x0a, 4, 0x0a, 2, 0xff, 0xfe];
    let rows: Vec<(&str, &str, Bytes, Code)> = vec![
        ("no frame at all", CREATE, Bytes::new(), Code::Internal),
        (
            "half a frame header",
            CREATE,
            Bytes::from_static(&[0, 0, 0]),
            Code::Internal,
        ),
        (
            "a message cut in the middle",
            CREATE,
            frame(0, &half),
            Code::Internal,
        ),
        (
            "a frame that ends early",
            CREATE,
            longer_than_sent.into(),
            Code::Internal,
        ),
        (
            "a length of 4 GiB",
            CREATE,
            Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff, 1]),
            Code::OutOfRange,
        ),
        (
            "a wrong wire type",
            CREATE,
            frame(0, &wrong_wire_type),
            Code::Internal,
        ),
        (
            "groups in groups in groups",
            CREATE,
            frame(0, &nested),
            Code::Internal,
        ),
        (
            "a number without end",
            CREATE,
            frame(0, &endless_varint),
            Code::Internal,
        ),
        (
            "text that is no UTF-8",
            CREATE,
            frame(0, &invalid_utf8),
            Code::Internal,
        ),
        ("garbage", SUBMIT, frame(0, &[0xa5; 1_000]), Code::Internal),
        (
            "an unknown frame flag",
            CREATE,
            frame(2, &good),
            Code::Internal,
        ),
        (
            "a compressed frame of no encoding",
            CREATE,
            frame(1, &good),
            Code::Internal,
        ),
        (
            "a message of nothing",
            CREATE,
            frame(0, &[]),
            Code::InvalidArgument,
        ),
    ];
    for (what, method, body, expected) in rows {
        let answer = send(&world, RawCall::new(method, body)).await;
        assert_eq!(
            (answer.http, answer.code()),
            (200, Some(expected)),
            "{what}: {answer:?}"
        );
    }
    world.is_unchanged().await;
}

/// Fields may come twice and in any order; the last of a single one counts, the whole is still checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubled_and_reordered_fields_are_one_message() {
    let world = World::start().await;
    let item = world.good().encode_to_vec();
    // The item twice under one key, the second a continuation with a bad amount.
    let bad = [0x22, 2, b'-', b'1'];
    let mut merged = Vec::new();
    prost::encoding::encode_key(1, prost::encoding::WireType::LengthDelimited, &mut merged);
    prost::encoding::encode_varint((item.len() + bad.len()) as u64, &mut merged);
    merged.extend(item);
    merged.extend(bad);
    let answer = send(&world, RawCall::new(CREATE, frame(0, &merged))).await;
    assert_eq!(answer.code(), Some(Code::InvalidArgument), "{answer:?}");
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_messages_are_not_offered() {
    let world = World::start().await;
    let good = CreateTransfersRequest {
        transfers: vec![world.good()],
    }
    .encode_to_vec();
    for encoding in ["gzip", "deflate", "zstd", "snappy", "br"] {
        let answer = send(
            &world,
            RawCall::new(CREATE, frame(1, &good)).header("grpc-encoding", encoding),
        )
        .await;
        assert_eq!(
            answer.code(),
            Some(Code::Unimplemented),
            "{encoding}: {answer:?}"
        );
        // So that a client knows what it may send instead.
        let accepted = answer
            .headers
            .get("grpc-accept-encoding")
            .map(|value| value.to_str().unwrap());
        assert_eq!(accepted, Some("identity"), "{encoding}: {answer:?}");
    }
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_and_contents_that_do_not_exist() {
    let world = World::start().await;
    let good = || {
        frame(
            0,
            &CreateTransfersRequest {
                transfers: vec![world.good()],
            }
            .encode_to_vec(),
        )
    };
    for method in [
        "farthing.v1.Transfers/DeleteTransfers",
        "farthing.v2.Transfers/CreateTransfers",
        "",
        "a/b/c/d",
    ] {
        let answer = send(&world, RawCall::new(method, good())).await;
        assert_eq!(
            answer.code(),
            Some(Code::Unimplemented),
            "{method:?}: {answer:?}"
        );
    }
    // Sixteen kilobytes of metadata are enough for anybody.
    let call = RawCall::new(CREATE, good()).header("farthing-note", &"x".repeat(64 << 10));
    let answer = call.send(world.cluster.node(1).client().channel()).await;
    assert!(
        answer
            .as_ref()
            .map_or(true, |answer| answer.code() != Some(Code::Ok)),
        "{answer:?}"
    );
    world.is_unchanged().await;
}
