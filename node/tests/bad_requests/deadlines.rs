//! Deadlines that passed before the call began, or are too short for it.

use std::time::{Duration, Instant};

use farthing_proto::packed::transfers_section;
use farthing_proto::v1::{CreateTransferStatus, CreateTransfersRequest, SubmitRequest, Transfer};
use prost::Message as _;
use tonic::Code;

use crate::support::{RawCall, Refusal, frame, packed_transfer};
use crate::world::World;

/// Nothing is begun for a caller that has given up already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_passed() {
    let world = World::start().await;
    let good = CreateTransfersRequest {
        transfers: vec![world.good()],
    }
    .encode_to_vec();
    for timeout in ["0n", "0u", "0m", "0S", "1n"] {
        let call = RawCall::new("farthing.v1.Transfers/CreateTransfers", frame(0, &good));
        // The connection's own timer may be the one that says it.
        match call
            .header("grpc-timeout", timeout)
            .send(world.client.channel())
            .await
        {
            Ok(answer) => assert!(
                matches!(
                    answer.code(),
                    Some(Code::DeadlineExceeded | Code::Cancelled | Code::Unavailable)
                ),
                "{timeout}: {answer:?}"
            ),
            Err(words) => assert!(words.contains("Timeout"), "{timeout}: {words}"),
        }
    }
    // A deadline in the message counts on a unary call too, and here only the node can say it.
    let sections = vec![transfers_section(&[packed_transfer(
        world.a, world.b, 1, world.usd,
    )])];
    let mut request = world.client.request(SubmitRequest {
        request_number: 1,
        sections,
        deadline_ms: 1,
    });
    request
        .metadata_mut()
        .insert("grpc-timeout", "8S".parse().unwrap());
    match world.client.packed().submit(request).await {
        // A millisecond can be enough: then it was created, which the digest would show.
        Ok(_) => return,
        Err(status) => {
            let refusal = Refusal::of(&status);
            assert!(
                matches!(refusal.reason.as_str(), "DEADLINE" | "OUTCOME_UNKNOWN"),
                "{status:?}"
            );
            if refusal.reason == "OUTCOME_UNKNOWN" {
                return;
            }
        }
    }
    world.is_unchanged().await;
}

/// Whatever a short deadline cut off, the retry with the same ids settles it, and nothing is done twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_settles_what_a_short_deadline_left_open() {
    let world = World::start().await;
    let items: Vec<Transfer> = (0..60).map(|_| world.good()).collect();
    let mut answered = 0;
    for (number, item) in items.iter().enumerate() {
        let short = Duration::from_micros(100 * (number as u64 % 30));
        let began = Instant::now();
        let result = world
            .client
            .clone()
            .with_deadline(short)
            .create_transfers(std::slice::from_ref(item))
            .await;
        answered += usize::from(result.is_ok());
        let took = began.elapsed();
        assert!(
            took < short + Duration::from_millis(250),
            "{took:?} for a deadline of {short:?}"
        );
    }
    for item in &items {
        let results = world
            .client
            .create_transfers(std::slice::from_ref(item))
            .await
            .unwrap();
        let settled = matches!(
            results[0].status(),
            CreateTransferStatus::Created | CreateTransferStatus::Exists
        );
        assert!(settled, "{results:?}");
    }
    assert!(
        answered < items.len(),
        "no deadline was too short: the test tested nothing"
    );
    assert_eq!(world.client.balances(world.a).await, [0, 1_234 + 60, 0, 0]);
}

/// A deadline that cannot be read is no deadline, and one of a year is cut to what the server allows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_that_cannot_be_read() {
    let world = World::start().await;
    for (timeout, number) in ["", "S", "1", "-1S", "1.5S", "123456789S", "99999999H"]
        .iter()
        .zip(1_u128..)
    {
        let good = CreateTransfersRequest {
            transfers: vec![world.good()],
        }
        .encode_to_vec();
        let call = RawCall::new("farthing.v1.Transfers/CreateTransfers", frame(0, &good));
        let answer = call
            .header("grpc-timeout", timeout)
            .send(world.client.channel())
            .await
            .unwrap();
        assert_eq!(answer.code(), Some(Code::Ok), "{timeout:?}: {answer:?}");
        assert_eq!(
            world.client.balances(world.a).await,
            [0, 1_234 + number, 0, 0]
        );
    }
}
