//! Holds that somebody posts or voids.

use farthing_ledger::PendingStatus;
use farthing_proto::v1::transfer::AmountChoice;
use farthing_proto::v1::{CreateTransferStatus as Status, Transfer};

use crate::support::{Refusal, fresh_id, post, uuid, void};
use crate::world::World;

fn part(amount: &str, of: Transfer) -> Transfer {
    Transfer {
        amount_choice: Some(AmountChoice::Amount(amount.into())),
        ..of
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_posted_in_full_in_part_or_voided() {
    let world = World::new().await;
    let (full, partly, not_at_all) = (fresh_id(), fresh_id(), fresh_id());
    let holds = [
        world.held(full, "1.00"),
        world.held(partly, "2.00"),
        world.held(not_at_all, "4.00"),
    ];
    assert_eq!(world.statuses(&holds).await, [Status::Created; 3]);
    assert_eq!(world.held_and_paid().await, (700, 0));
    assert_eq!(world.statuses(&[post(full)]).await, [Status::Created]);
    assert_eq!(world.held_and_paid().await, (600, 100));
    // The unit comes from the pending transfer, and what is not posted is released.
    assert_eq!(
        world.statuses(&[part("0.75", post(partly))]).await,
        [Status::Created]
    );
    assert_eq!(world.held_and_paid().await, (400, 175));
    assert_eq!(world.statuses(&[void(not_at_all)]).await, [Status::Created]);
    assert_eq!(world.held_and_paid().await, (0, 175));
    for (id, expected) in [
        (full, PendingStatus::Posted),
        (partly, PendingStatus::Posted),
        (not_at_all, PendingStatus::Voided),
    ] {
        assert_eq!(world.client.pending(id).await.unwrap().status, expected);
    }
}

/// What a post leaves out it inherits, and the stored transfer says all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_inherits_what_it_leaves_out() {
    let world = World::new().await;
    let held = fresh_id();
    let hold = Transfer {
        user_data_128: uuid(7),
        user_data_64: 8,
        user_data_32: 9,
        code: 11,
        ..world.held(held, "5")
    };
    let posted = Transfer {
        user_data_64: 88,
        ..post(held)
    };
    assert_eq!(
        world.statuses(&[hold, posted.clone()]).await,
        [Status::Created; 2]
    );
    let id = farthing_proto::convert::id::parse_id(&posted.id).unwrap();
    let stored = world.client.lookup_transfers(&[id]).await.unwrap()[0].unwrap();
    assert_eq!(
        (stored.debit_account_id.0, stored.credit_account_id.0),
        (world.a, world.b)
    );
    assert_eq!(
        (
            stored.amount,
            stored.ledger,
            stored.code,
            stored.pending_id.0
        ),
        (500, world.usd, 11, held)
    );
    assert_eq!(
        (
            stored.user_data_128,
            stored.user_data_64,
            stored.user_data_32
        ),
        (7, 88, 9)
    );
    assert_eq!(world.statuses(&[posted]).await, [Status::Exists]);
}

/// A part of an amount stays a part when hold and post travel together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_and_its_post_in_one_request() {
    let world = World::new().await;
    let (first, second, third) = (fresh_id(), fresh_id(), fresh_id());
    let items = [
        world.held(first, "10.00"),
        part("4.00", post(first)),
        world.held(second, "10.00"),
        post(second),
        world.held(third, "10.00"),
        void(third),
    ];
    assert_eq!(world.statuses(&items).await, [Status::Created; 6]);
    assert_eq!(world.held_and_paid().await, (0, 1_400));
    // Without a ledger anywhere the amount has no unit: nothing is guessed.
    let status = world
        .client
        .create_transfers(&[part("4.00", post(fresh_id()))])
        .await
        .unwrap_err();
    Refusal::expect_fields(&status, &["transfers[0].amount"]);
    assert_eq!(world.held_and_paid().await, (0, 1_400));
}
