//! Leaders that move, are lost or die under load.

use std::time::Duration;

use farthing_client::*;
use farthing_proto::error::Refused;

use crate::common::bank::{BOB, bank, pay};
use crate::common::{Cluster, Fault, at_once};

#[tokio::test]
async fn a_follower_names_the_leader_and_the_client_goes_there() {
    let (cluster, client) = bank(3).await;
    cluster.set_leader(3);
    let outcome = pay(&client, 10).await.unwrap();
    assert!(outcome.is_success());
    assert!(!outcome.by_earlier_attempt);
    let found = client.lookup_accounts(&[BOB]).await.unwrap();
    assert_eq!(found[0].unwrap().credits_posted, 10);
}

#[tokio::test]
async fn a_read_is_repeated_until_it_is_answered() {
    let (cluster, client) = bank(2).await;
    for reason in [Reason::Overloaded, Reason::Starting, Reason::NoLeader] {
        cluster
            .lock()
            .refuse_lookups
            .push_back(Refused::new(reason, "not now"));
    }
    assert!(client.lookup_accounts(&[BOB]).await.unwrap()[0].is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_dies_under_load_and_every_payment_is_made_once() {
    let (mut cluster, client) = bank(3).await;
    cluster.lock().delay = Duration::from_millis(2);
    let payers = at_once((0..20_u128).map(|payer| {
        let client = client.clone();
        async move {
            for number in 0..50 {
                let id = 1_000 * (payer + 1) + number;
                let outcome = pay(&client, id).await.unwrap();
                assert!(outcome.is_success(), "{outcome:?}");
            }
        }
    }));
    tokio::join!(payers, trouble(&mut cluster));
    assert_eq!(cluster.account(BOB).credits_posted, 20 * 50 * 10);
    assert_eq!(cluster.lock().state.transfers().len(), 20 * 50);
}

/// Lost answers, the death of the leader, no leader at all, a new one.
async fn trouble(cluster: &mut Cluster) {
    tokio::time::sleep(Duration::from_millis(60)).await;
    for fault in [
        Fault::LoseReply,
        Fault::ApplyAndRefuse(Refused::new(Reason::OutcomeUnknown, "?")),
    ] {
        cluster.fault(fault);
    }
    cluster.set_leader(2);
    cluster.kill(1).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    cluster.set_leader(0);
    tokio::time::sleep(Duration::from_millis(60)).await;
    cluster.set_leader(3);
}
