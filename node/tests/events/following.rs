//! Following: every event once, in order, on every node, with balances that add up.

use std::collections::HashMap;
use std::time::Duration;

use farthing_ledger::{EventBody, TransferFlags};
use farthing_proofs::Change;
use farthing_proto::v1::event::Body;
use farthing_proto::v1::{EventFilter, EventKind, SubscribeRequest};
use tonic::Code;

use crate::stream::{Books, MOMENT, Stream, World, id, packed};
use crate::support::{Cluster, eventually, transfer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_has_the_same_events_and_their_balances_add_up() {
    let cluster = Cluster::start(3);
    let world = World::make(&cluster).await;
    let mut streams = vec![];
    for node in cluster.nodes() {
        let mut stream = Stream::open(&node.client(), packed()).await.unwrap();
        streams.push(stream.up_to(world.last).await);
    }
    assert!(streams.iter().all(|events| *events == streams[0]));
    let (mut books, mut reserved, mut kinds) = (Books::default(), HashMap::new(), vec![]);
    for (at, bytes) in streams[0].iter().enumerate() {
        let change = Change::from_bytes(bytes).unwrap();
        assert_eq!(change.sequence(), at as u64 + 1, "dense, from 1");
        match &change {
            Change::Transfer(row) => {
                kinds.push(0);
                books.carry_out(row, &reserved);
                if row.transfer.flags.contains(TransferFlags::PENDING) {
                    reserved.insert(row.transfer.id.0, row.transfer.amount);
                }
            }
            Change::Event(event) => {
                kinds.push(event.kind());
                if let EventBody::TransferExpired {
                    transfer,
                    debit_after,
                    credit_after,
                } = &event.body
                {
                    let (debit, credit) =
                        (transfer.debit_account_id.0, transfer.credit_account_id.0);
                    let after = books.expire(debit, credit, transfer.amount);
                    assert_eq!(after, (*debit_after, *credit_after));
                }
            }
        }
    }
    for kind in 0..=4 {
        assert!(kinds.contains(&kind), "no event of kind {kind}: {kinds:?}");
    }
    let client = cluster.leader_client().await;
    for account in [world.a, world.b] {
        let found = books.of(account);
        let found = [
            found.debits_pending,
            found.debits_posted,
            found.credits_pending,
            found.credits_posted,
        ];
        assert_eq!(client.balances(account).await, found);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_one_by_one_have_amounts_and_balances_in_the_ledgers_unit() {
    let cluster = Cluster::start(1);
    let world = World::make(&cluster).await;
    let request = SubscribeRequest {
        include_balances: true,
        until_sequence: world.last,
        ..SubscribeRequest::default()
    };
    let mut stream = Stream::open(&cluster.node(1).client(), request)
        .await
        .unwrap();
    let (mut events, mut scales) = (vec![], vec![]);
    while let Some(reply) = stream.next().await {
        let reply = reply.unwrap();
        events.extend(reply.events);
        scales.extend(reply.scales);
    }
    assert_eq!(
        events.len() as u64,
        world.last,
        "the stream ends where it was asked to"
    );
    assert!(
        scales
            .iter()
            .any(|scale| (scale.ledger, scale.scale) == (world.usd, 2))
    );
    let first = events
        .iter()
        .find_map(|event| match event.body.as_ref().unwrap() {
            Body::TransferCreated(created) => Some((event.timestamp, created)),
            _ => None,
        });
    let (timestamp, first) = first.unwrap();
    let transfer = first.transfer.as_ref().unwrap();
    assert_eq!(transfer.timestamp, timestamp);
    assert_eq!(transfer.debit_account_id, id(world.a));
    assert_eq!(first.debit_account.as_ref().unwrap().debits_posted, "2.5");
    assert_eq!(first.credit_account.as_ref().unwrap().credits_posted, "2.5");
    let record = events
        .iter()
        .find_map(|event| match event.body.as_ref().unwrap() {
            Body::RecordWritten(written) => {
                written.record.as_ref().filter(|it| it.namespace == 1_234)
            }
            _ => None,
        });
    assert_eq!(record.unwrap().value.as_ref(), b"value");
    let expired = events
        .iter()
        .find_map(|event| match event.body.as_ref().unwrap() {
            Body::TransferExpired(expired) => expired.credit_account.as_ref(),
            _ => None,
        });
    assert_eq!(expired.unwrap().credits_pending, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_lets_through_what_matches_and_says_how_far_it_is() {
    let cluster = Cluster::start(1);
    let world = World::make(&cluster).await;
    let client = cluster.node(1).client();
    let count = |filter: EventFilter| {
        let client = client.clone();
        async move {
            let request = SubscribeRequest {
                filter: Some(filter),
                until_sequence: world.last,
                ..SubscribeRequest::default()
            };
            let mut stream = Stream::open(&client, request).await.unwrap();
            let (mut count, mut last) = (0, 0);
            while let Some(reply) = stream.next().await {
                let reply = reply.unwrap();
                count += reply.events.len();
                last = reply.last_sequence;
            }
            assert_eq!(last, world.last);
            count
        }
    };
    let all = EventFilter::default();
    let only = |kind: EventKind| EventFilter {
        kinds: vec![kind.into()],
        ..EventFilter::default()
    };
    assert_eq!(count(all).await as u64, world.last);
    assert_eq!(count(only(EventKind::TransferCreated)).await, 7);
    assert_eq!(count(only(EventKind::TransferExpired)).await, 1);
    assert_eq!(count(only(EventKind::AccountCreated)).await, 2);
    let code = EventFilter {
        code: 9,
        ..EventFilter::default()
    };
    assert_eq!(count(code).await, 1);
    let accounts = EventFilter {
        account_ids: vec![id(world.a)],
        ..EventFilter::default()
    };
    assert_eq!(
        count(accounts).await,
        9,
        "7 transfers, its creation, an expiry"
    );
    let other = EventFilter {
        ledger: world.usd + 1,
        ..EventFilter::default()
    };
    assert_eq!(count(other).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_later_follows_and_silence_has_signs_of_life() {
    let cluster = Cluster::start(3);
    let world = World::make(&cluster).await;
    let leader = cluster.leader().await;
    let follower = cluster.others(leader.id).next().unwrap();
    let request = SubscribeRequest {
        from_sequence: world.last + 1,
        ..packed()
    };
    let mut stream = Stream::open(&follower.client(), request).await.unwrap();
    let began = std::time::Instant::now();
    let quiet = stream.next().await.unwrap().unwrap();
    assert!(quiet.packed.is_empty() && began.elapsed() < Duration::from_secs(5));
    assert_eq!(
        (quiet.last_sequence, quiet.newest_sequence),
        (world.last, world.last)
    );
    let client = leader.client();
    for more in 1..=3 {
        let paid = transfer(world.a, world.b, "0.01", world.usd);
        client.create_transfers(&[paid]).await.unwrap();
        let events = stream.up_to(world.last + more).await;
        assert_eq!(events.len(), 1);
    }
}

/// Fifty subscribers that never read: others get everything at once, and the node's memory stays where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_that_stops_reading_costs_the_others_nothing() {
    let cluster = Cluster::start(1);
    let world = World::make(&cluster).await;
    let client = cluster.node(1).client();
    let mut stuck = vec![];
    for _ in 0..50 {
        // Each over a connection of its own: streams that share one share its window as well.
        let stream = cluster
            .node(1)
            .client()
            .events()
            .subscribe(packed())
            .await
            .unwrap();
        stuck.push(stream.into_inner());
    }
    let mut reading = Stream::open(&client, packed()).await.unwrap();
    let batch: Vec<_> = (0..2_000)
        .map(|_| transfer(world.a, world.b, "0.01", world.usd))
        .collect();
    let mut last = world.last;
    let (before, _) = cluster.node(1).resident_bytes();
    for _ in 0..20 {
        let batch: Vec<_> = batch
            .iter()
            .map(|item| farthing_proto::v1::Transfer {
                id: id(crate::support::fresh_id()),
                ..item.clone()
            })
            .collect();
        client.create_transfers(&batch).await.unwrap();
        last += 2_000;
    }
    assert_eq!(reading.up_to(last).await.len() as u64, last);
    let (after, _) = cluster.node(1).resident_bytes();
    // 40,000 transfers are 5 MB a subscriber, and the window of the ledger itself holds them once.
    assert!(after < before + (150 << 20), "{before} to {after} bytes");
    // And one that reads again after all gets everything.
    let mut late = Stream::open(&client, packed()).await.unwrap();
    assert_eq!(late.up_to(last).await.len() as u64, last);
    drop(stuck);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_says_so_to_its_subscribers() {
    let cluster = Cluster::start(3);
    let world = World::make(&cluster).await;
    let node = cluster.others(cluster.leader().await.id).next().unwrap();
    let mut stream = Stream::open(&node.client(), packed()).await.unwrap();
    stream.up_to(world.last).await;
    let (exit, took) = node.terminate().await;
    assert_eq!(exit.code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    let end = loop {
        match stream.next().await {
            Some(Ok(_)) => {}
            Some(Err(status)) => break status,
            None => panic!("a stream that nobody asked to end ended without a word"),
        }
    };
    assert_eq!(end.code(), Code::Unavailable, "{end:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused() {
    let cluster = Cluster::start(1);
    let client = cluster.node(1).client();
    eventually("a leader", || async {
        client.status().await.ok().filter(|it| it.leader_id == 1)
    })
    .await;
    let wrong = [
        SubscribeRequest {
            from_sequence: 7,
            until_sequence: 6,
            ..SubscribeRequest::default()
        },
        SubscribeRequest {
            filter: Some(EventFilter {
                account_ids: vec!["nobody".into()],
                ..EventFilter::default()
            }),
            ..SubscribeRequest::default()
        },
        SubscribeRequest {
            filter: Some(EventFilter {
                kinds: vec![77],
                ..EventFilter::default()
            }),
            ..SubscribeRequest::default()
        },
    ];
    for request in wrong {
        let status = Stream::open(&client, request.clone()).await.err().unwrap();
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
    }
    // From where there is nothing yet, one waits.
    let request = SubscribeRequest {
        from_sequence: 1 << 40,
        ..packed()
    };
    let mut stream = Stream::open(&client, request).await.unwrap();
    let quiet = tokio::time::timeout(2 * MOMENT, stream.next())
        .await
        .unwrap();
    assert_eq!(quiet.unwrap().unwrap().last_sequence, (1 << 40) - 1);
}
