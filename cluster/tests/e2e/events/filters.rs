//! One account's events, and what the proofs say of all.

use std::time::{Duration, Instant};

use farthing_client::events::{EventBody, EventFilter, EventKind, EventsOptions};
use farthing_client::{AccountId, Client, Decimal, Error, TransferId, amount};
use tokio::runtime::Runtime;

use super::super::support::Cluster;
use super::{PATIENCE, pay, prepare};

#[test]
fn a_filter_follows_one_account_live() {
    let cluster = Cluster::start();
    Runtime::new().unwrap().block_on(async {
        let client = Client::connect(&cluster.endpoints()).await.unwrap();
        prepare(&client, 10).await;
        pay(&client, 1..=100).await;
        let options = EventsOptions {
            filter: EventFilter {
                accounts: vec![AccountId(5)],
                kinds: vec![EventKind::TransferCreated],
                ..EventFilter::default()
            },
            include_balances: true,
            ..EventsOptions::default()
        };
        let mut events = client.events(options.clone());
        let mut credits = 0;
        // Those that are there, then those that come.
        for number in (3..=203).step_by(10) {
            if number > 100 {
                assert_eq!(events.lag(), 0);
                pay(&client, number..=number).await;
            }
            let event = events.next_event().await.unwrap().unwrap();
            let EventBody::TransferCreated(created) = event.body else {
                panic!("{event:?}");
            };
            assert_eq!(created.transfer.id, TransferId(u128::from(number)));
            credits += u128::from(number);
            let (debit, credit) = created.balances.unwrap();
            assert_eq!(credit.credits_posted, credits);
            assert!(debit.debits_posted >= credits);
            let cents = i64::try_from(number).unwrap();
            assert_eq!(created.amount().unwrap(), Decimal::new(cents, 2));
            assert_eq!(
                created.amount(),
                amount::to_decimal(created.transfer.amount, 2)
            );
            if number == 93 {
                // What did not match is behind it as well.
                assert!(events.last_sequence() >= 112, "{events:?}");
            }
        }
        // A filter that is none is the caller's mistake, not a reason to try for ever.
        let wrong = EventFilter {
            accounts: vec![AccountId(1); 1_001],
            ..EventFilter::default()
        };
        let options = EventsOptions {
            filter: wrong,
            ..options
        };
        let refused = client.events(options).next().await.unwrap_err();
        assert!(matches!(refused, Error::InvalidRequest { .. }), "{refused}");
        // A checkpoint covers what there was a second ago, and the proofs fit it.
        eventually_covers(&client, 122).await;
        let proof = client.prove_inclusion(7, 100).await.unwrap();
        assert_eq!(
            (proof.size, &proof.event[..8]),
            (100, &7_u64.to_le_bytes()[..])
        );
        let proof = client.prove_consistency(64, 100).await.unwrap();
        assert_eq!(client.peaks(64).await.unwrap(), [proof.earlier_root]);
        assert_eq!(client.peaks(100).await.unwrap().len(), 3);
    });
}

async fn eventually_covers(client: &Client, sequence: u64) {
    let begun = Instant::now();
    while client.checkpoint().await.unwrap().size().unwrap() < sequence {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
