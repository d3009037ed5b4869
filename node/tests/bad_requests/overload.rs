//! More work than the door holds is refused at once, with a hint when to come back.

use std::time::Duration;

use farthing_proto::packed::transfers_section;
use futures::future::join_all;
use tonic::Code;

use crate::support::{Refusal, eventually, packed_transfer};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_door_refuses_with_a_hint_and_does_nothing() {
    // Room for about two of the requests below.
    let world = World::start_with(&[("--admission-bytes", "300000")]).await;
    let batch = || {
        (0..1_000)
            .map(|_| packed_transfer(world.a, world.b, 1, world.usd))
            .collect::<Vec<_>>()
    };
    spend_and_return_room(&world).await;
    let batches: Vec<_> = (0..64).map(|_| batch()).collect();
    let calls = batches.iter().map(|batch| {
        let client = world.client.clone();
        async move { client.submit(vec![transfers_section(batch)]).await }
    });
    let mut created: u128 = 0;
    let mut refused = 0;
    for (answer, batch) in join_all(calls).await.into_iter().zip(&batches) {
        let ids: Vec<u128> = batch.iter().map(|transfer| transfer.id.0).collect();
        let found = world.client.lookup_transfers(&ids).await.unwrap();
        match answer {
            Ok(_) => {
                created += 1_000;
                assert!(found.iter().all(Option::is_some));
            }
            Err(status) => {
                refused += 1;
                let refusal = Refusal::expect(&status, Code::ResourceExhausted, "OVERLOADED");
                let wait = refusal.retry_after.expect("RetryInfo");
                assert!(
                    wait > Duration::ZERO && wait < Duration::from_secs(10),
                    "{wait:?}"
                );
                assert_eq!(refusal.pushback_ms.map(Duration::from_millis), Some(wait));
                assert!(
                    found.iter().all(Option::is_none),
                    "it was refused and yet done"
                );
            }
        }
    }
    assert!(
        refused > 0,
        "the door was never full: the test tested nothing"
    );
    assert!(created > 0, "a full door lets nobody in");
    assert_eq!(
        world.client.balances(world.a).await,
        [0, 1_234 + created, 0, 0]
    );
    // What never fits is not told to come back.
    let larger = [batch(), batch(), batch()].concat();
    let status = world
        .client
        .submit(vec![transfers_section(&larger)])
        .await
        .unwrap_err();
    let refusal = Refusal::expect(&status, Code::InvalidArgument, "TOO_LARGE");
    assert_eq!(refusal.retry_after, None);
}

/// Whatever becomes of requests, their room comes back, once: many times what the door holds goes through it, and
/// afterwards it is neither smaller nor larger. None of them moves money.
async fn spend_and_return_room(world: &World) {
    let nothing = |_| packed_transfer(world.a, world.a, 1, world.usd);
    let items: Vec<_> = (0..2_000).map(nothing).collect();
    let sections = || vec![transfers_section(&items)];
    for _ in 0..6 {
        // Carried out; and given up by the caller before or while it is.
        world.client.submit(sections()).await.unwrap();
        for wait in [1, 3, 9].map(Duration::from_millis) {
            let submit = world.client.submit(sections());
            let _ = tokio::time::timeout(wait, submit).await;
            eventually("room for one more", || async {
                world.client.submit(sections()).await.ok()
            })
            .await;
        }
    }
}
