//! Consumers that die, and two that go by one name.

use std::time::Duration;

use farthing_client::events::{Cursor, EventBody, EventsOptions, SaveEvery};
use farthing_client::{Client, Error};
use tokio::runtime::Runtime;

use super::super::support::Cluster;
use super::{pay, prepare};

#[test]
fn a_cursor_outlives_its_consumer_and_belongs_to_one() {
    let cluster = Cluster::start();
    let endpoints = cluster.endpoints();
    // Each consumer has a client and a runtime of its own, as another process has.
    let consumer = |name: &'static str| {
        let endpoints = endpoints.clone();
        async move {
            let client = Client::connect(&endpoints).await.unwrap();
            let cursor = Cursor::open(&client, name).await.unwrap();
            (client, cursor)
        }
    };
    let every = SaveEvery {
        events: 50,
        interval: Duration::from_secs(60),
    };
    let from = |cursor: &Cursor| EventsOptions {
        from: cursor.next_sequence(),
        ..EventsOptions::default()
    };
    let handled = Runtime::new().unwrap().block_on(async {
        let (client, cursor) = consumer("receipts").await;
        assert_eq!((cursor.name(), cursor.sequence()), ("receipts", 0));
        prepare(&client, 10).await;
        let mut events = client.events(from(&cursor)).save_every(cursor, every);
        let mut handled = 0;
        for part in 0..6 {
            pay(&client, part * 20 + 1..=part * 20 + 20).await;
            // What cursors write themselves is part of the stream too.
            while events.events().newest_sequence() < 12 + part * 20 + 20
                || events.events().lag() > 0
            {
                handled = events.next().await.unwrap().unwrap().last_sequence;
            }
        }
        // It dies here: neither `finish` nor a last save.
        handled
    });
    let saved = Runtime::new().unwrap().block_on(async {
        let (client, cursor) = consumer("receipts").await;
        let saved = cursor.sequence();
        assert!(saved >= 50 && saved < handled, "{saved} of {handled}");
        assert!(cursor.lag().await.unwrap() > 0);
        // All that was not saved comes again, and what is new.
        pay(&client, 121..=140).await;
        let mut events = client.events(from(&cursor)).save_every(cursor, every);
        let mut numbers = vec![];
        while numbers.last() != Some(&140) {
            let batch = events.next().await.unwrap().unwrap();
            for event in batch.events {
                if let EventBody::TransferCreated(created) = event.body {
                    numbers.push(created.transfer.id.0);
                }
            }
        }
        let first = numbers[0];
        assert!(numbers.iter().copied().eq(first..=140), "{numbers:?}");
        assert!(first <= u128::from(handled));
        events.finish().await.unwrap().sequence()
    });
    Runtime::new().unwrap().block_on(async {
        let (_one, mut first) = consumer("receipts").await;
        let (_two, mut second) = consumer("receipts").await;
        let (_three, mut other) = consumer("invoices").await;
        assert_eq!((first.sequence(), second.sequence()), (saved, saved));
        first.save(saved + 1).await.unwrap();
        let fenced = second.save(saved + 2).await.unwrap_err();
        assert!(
            matches!(&fenced, Error::Fenced { cursor } if cursor == "receipts"),
            "{fenced}"
        );
        assert_eq!(fenced.code(), "FENCED");
        // It stays so, the other one is not harmed, and other names are others.
        assert!(second.save(saved + 3).await.is_err());
        first.save(saved + 4).await.unwrap();
        other.save(1).await.unwrap();
        let (_four, mut again) = consumer("receipts").await;
        assert_eq!(again.sequence(), saved + 4);
        again.save(saved + 5).await.unwrap();
        assert!(matches!(
            first.save(saved + 6).await,
            Err(Error::Fenced { .. })
        ));
    });
    // And for whoever looks from outside.
    let shown = cluster.json(["events", "cursors", "receipts", "invoices"]);
    let (receipts, invoices) = (&shown[0], &shown[1]);
    assert_eq!(receipts["name"], "receipts");
    assert_eq!(receipts["sequence"], saved + 5);
    assert_eq!(invoices["sequence"], 1);
    let newest = invoices["newest"].as_u64().unwrap();
    assert!(newest >= saved, "{newest}");
    assert_eq!(invoices["lag"], newest - 1);
    let none = cluster.run(["events", "cursors", "receipts", "nobody"]);
    assert_eq!(none.status.code(), Some(2));
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(said.contains("there is no cursor \"nobody\""), "{said}");
    let names = Runtime::new().unwrap();
    for name in ["", &"x".repeat(58)] {
        names.block_on(async {
            let client = Client::connect(&endpoints).await.unwrap();
            let refused = Cursor::open(&client, name).await.unwrap_err();
            assert!(matches!(refused, Error::InvalidRequest { .. }), "{refused}");
        });
    }
}
