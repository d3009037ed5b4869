//! Holds that the cluster ends by itself when their time is up, and those who race with it.

use std::time::{Duration, Instant};

use farthing_ledger::{
    AccountFlags, CreateTransferStatus, PendingStatus, TransferFlags, TransferId,
};
use farthing_proto::packed::transfers_section;
use farthing_proto::v1::{self, CreateTransferStatus as Status, Transfer, TransferFlag};

use crate::support::{eventually, fresh_id, packed_transfer, post, transfer, void};
use crate::world::World;

/// Nobody asks for it: the balance comes back by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_expires_by_itself() {
    let world = World::new().await;
    let (short, long, endless) = (fresh_id(), fresh_id(), fresh_id());
    let timeout = |timeout_s, item| Transfer { timeout_s, ..item };
    let items = [
        timeout(1, world.held(short, "1")),
        timeout(3_600, world.held(long, "2")),
        world.held(endless, "4"),
    ];
    let began = Instant::now();
    let results = world.client.create_transfers(&items).await.unwrap();
    assert_eq!(
        results
            .iter()
            .map(v1::CreateTransferResult::status)
            .collect::<Vec<_>>(),
        [Status::Created; 3]
    );
    assert_eq!(world.held_and_paid().await, (700, 0));
    // Only lookups from here on, and those write nothing.
    eventually("the shortest hold to expire", || async {
        (world.held_and_paid().await == (600, 0)).then_some(())
    })
    .await;
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(1),
        "it expired after {took:?}, before its second had passed"
    );
    assert_eq!(
        world.client.pending(short).await.unwrap().status,
        PendingStatus::Expired
    );
    assert_eq!(
        world.client.pending(long).await.unwrap().status,
        PendingStatus::Pending
    );
    // What has expired can be neither posted nor voided, and its id stays used.
    assert_eq!(
        world.statuses(&[post(short), void(short)]).await,
        [Status::PendingTransferExpired; 2]
    );
    assert_eq!(
        world.statuses(&[timeout(1, world.held(short, "1"))]).await,
        [Status::Exists]
    );
    assert_eq!(
        world.statuses(&[post(long), void(endless)]).await,
        [Status::Created; 2]
    );
    assert_eq!(world.held_and_paid().await, (0, 200));
}

/// A pulse takes a bounded number; the rest must not wait for somebody's next request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_holds_than_one_pulse_takes_expire_together() {
    const HOLDS: usize = 3_000;
    let world = World::new().await;
    let holds: Vec<_> = (0..HOLDS)
        .map(|_| farthing_ledger::Transfer {
            flags: TransferFlags::PENDING,
            timeout: 1,
            ..packed_transfer(world.a, world.b, 1, world.usd)
        })
        .collect();
    let (results, _) = world
        .client
        .submit(vec![transfers_section(&holds)])
        .await
        .unwrap();
    let created = CreateTransferStatus::Created.code();
    assert!(results[0].iter().all(|result| result.status == created));
    assert_eq!(world.held_and_paid().await, (HOLDS as u128, 0));
    eventually("all holds to expire", || async {
        (world.held_and_paid().await == (0, 0)).then_some(())
    })
    .await;
    for TransferId(id) in holds.iter().step_by(500).map(|hold| hold.id) {
        assert_eq!(
            world.client.pending(id).await.unwrap().status,
            PendingStatus::Expired
        );
    }
}

/// A closing transfer closes while it is pending; its end by void or by time opens again, its post never happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_closed_while_its_closing_transfer_is_pending() {
    let world = World::new().await;
    let is_closed = || async {
        world
            .client
            .account(world.a)
            .await
            .flags
            .contains(AccountFlags::CLOSED)
    };
    let flags = vec![
        TransferFlag::Pending.into(),
        TransferFlag::ClosingDebit.into(),
    ];
    let closes = |timeout_s| Transfer {
        timeout_s,
        flags: flags.clone(),
        ..world.held(fresh_id(), "0")
    };
    let pays = || transfer(world.a, world.b, "1", world.usd);
    let id = |item: &Transfer| farthing_proto::convert::id::parse_id(&item.id).unwrap();

    let by_hand = closes(0);
    assert_eq!(
        world.statuses(std::slice::from_ref(&by_hand)).await,
        [Status::Created]
    );
    assert!(is_closed().await);
    assert_eq!(
        world.statuses(&[pays()]).await,
        [Status::DebitAccountAlreadyClosed]
    );
    assert_eq!(
        world.statuses(&[post(id(&by_hand))]).await,
        [Status::DebitAccountAlreadyClosed]
    );
    assert_eq!(
        world.statuses(&[void(id(&by_hand))]).await,
        [Status::Created]
    );
    assert!(!is_closed().await);

    assert_eq!(world.statuses(&[closes(1)]).await, [Status::Created]);
    assert!(is_closed().await);
    eventually("the account to open again", || async {
        (!is_closed().await).then_some(())
    })
    .await;
    assert_eq!(world.statuses(&[pays()]).await, [Status::Created]);
    assert_eq!(world.held_and_paid().await, (0, 100));
}

/// Posts, voids and the clock race for one hold: exactly one of them ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_ends_once_whoever_races_for_it() {
    let world = World::new().await;
    let mut paid = 0;
    for round in 0..8_u64 {
        let held = fresh_id();
        let hold = Transfer {
            timeout_s: 1,
            ..world.held(held, "0.01")
        };
        assert_eq!(world.statuses(&[hold]).await, [Status::Created]);
        // Half of the rounds race with the expiry too.
        if round % 4 == 0 {
            tokio::time::sleep(Duration::from_millis(980)).await;
        }
        let racers = (0..8).map(|racer| {
            let client = world.client.clone();
            let item = if racer % 2 == 0 {
                post(held)
            } else {
                void(held)
            };
            async move {
                (
                    racer % 2 == 0,
                    client.create_transfers(&[item]).await.unwrap()[0].status(),
                )
            }
        });
        let results = futures::future::join_all(racers).await;
        let winners: Vec<bool> = results
            .iter()
            .filter(|(_, status)| *status == Status::Created)
            .map(|(posts, _)| *posts)
            .collect();
        let end = world.client.pending(held).await.unwrap().status;
        let expected = match winners[..] {
            [true] => PendingStatus::Posted,
            [false] => PendingStatus::Voided,
            [] => {
                assert!(
                    results
                        .iter()
                        .all(|(_, status)| *status == Status::PendingTransferExpired),
                    "{results:?}"
                );
                eventually("the expiry", || async {
                    let row = world.client.pending(held).await.unwrap();
                    (row.status == PendingStatus::Expired).then_some(())
                })
                .await;
                PendingStatus::Expired
            }
            _ => panic!("it ended more than once: {results:?}"),
        };
        if expected != PendingStatus::Expired {
            assert_eq!(end, expected);
        }
        paid += u128::from(expected == PendingStatus::Posted);
    }
    assert_eq!(world.held_and_paid().await, (0, paid));
}
