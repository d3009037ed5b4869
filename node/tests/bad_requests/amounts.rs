//! Amounts that cannot be read, are too large, are missing, or have no unit.

use farthing_proto::v1::transfer::AmountChoice;
use farthing_proto::v1::{Account, CreateTransferStatus, Transfer};

use crate::support::{Refusal, account, fresh_id, fresh_ledger, post, transfer, void};
use crate::world::World;

/// Text that is no amount of a ledger with two decimals.
const BAD_AMOUNTS: [&str; 24] = [
    "", " ", "-1", "+1", "--1", "1e3", "1E3", "1e-3", "NaN", "nan", "inf", "-inf", "Infinity",
    "1.", ".5", ".", "1..2", "1.234", "1.230", "1,5", "0x10", " 1", "1_000", "\u{0663}",
];

fn amount(text: &str) -> Option<AmountChoice> {
    Some(AmountChoice::Amount(text.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_no_amount() {
    let world = World::start().await;
    for text in BAD_AMOUNTS {
        let items = [
            world.good(),
            Transfer {
                amount_choice: amount(text),
                ..world.good()
            },
        ];
        let status = world.client.create_transfers(&items).await.expect_err(text);
        Refusal::expect_fields(&status, &["transfers[1].amount"]);
    }
    // All of them in one request: all of them named, up to a bound.
    let bad = |text: &&str| Transfer {
        amount_choice: amount(text),
        ..world.good()
    };
    let items: Vec<Transfer> = BAD_AMOUNTS.iter().map(bad).collect();
    let status = world.client.create_transfers(&items).await.unwrap_err();
    let paths: Vec<String> = (0..BAD_AMOUNTS.len())
        .map(|number| format!("transfers[{number}].amount"))
        .collect();
    Refusal::expect_fields(
        &status,
        &paths.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let many: Vec<Transfer> = BAD_AMOUNTS.iter().cycle().take(1_000).map(bad).collect();
    let refusal = Refusal::of(&world.client.create_transfers(&many).await.unwrap_err());
    assert!(
        (24..100).contains(&refusal.fields.len()),
        "{} fields named",
        refusal.fields.len()
    );
    // Balances of an account are read the same way, and only empty text is nothing.
    for text in ["-1", "1e3", "NaN", "1.234"] {
        let item = Account {
            debits_posted: text.into(),
            ..account(fresh_id(), world.usd)
        };
        let status = world.client.create_accounts(&[item]).await.expect_err(text);
        Refusal::expect_fields(&status, &["accounts[0].debits_posted"]);
    }
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_over_the_maximum() {
    let world = World::start().await;
    // 2^128 of the smallest unit, with two decimals and far beyond.
    for text in [
        "3402823669209384634633746074317682114.56",
        "340282366920938463463374607431768211456",
        "99999999999999999999999999999999999999999999999999999999999999",
    ] {
        let item = Transfer {
            amount_choice: amount(text),
            ..world.good()
        };
        let status = world
            .client
            .create_transfers(&[item])
            .await
            .expect_err(text);
        Refusal::expect_fields(&status, &["transfers[0].amount"]);
    }
    world.is_unchanged().await;
    // The maximum itself is an amount.
    let (c, d) = (fresh_id(), fresh_id());
    world
        .client
        .create_accounts(&[account(c, world.usd), account(d, world.usd)])
        .await
        .unwrap();
    let largest = transfer(c, d, "3402823669209384634633746074317682114.55", world.usd);
    let results = world.client.create_transfers(&[largest]).await.unwrap();
    assert_eq!(results[0].status(), CreateTransferStatus::Created);
    assert_eq!(world.client.balances(d).await, [0, 0, 0, u128::MAX]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_that_are_missing_or_have_no_unit() {
    let world = World::start().await;
    let unregistered = fresh_ledger();
    let good = || world.good();
    let rows: Vec<(&str, Transfer)> = vec![
        (
            "transfers[0].amount",
            Transfer {
                amount_choice: None,
                ..good()
            },
        ),
        (
            "transfers[0].amount",
            Transfer {
                amount_choice: Some(AmountChoice::All(false)),
                ..good()
            },
        ),
        (
            "transfers[0].all",
            Transfer {
                amount_choice: Some(AmountChoice::All(true)),
                ..good()
            },
        ),
        (
            "transfers[0].as_much_as_possible",
            Transfer {
                amount_choice: Some(AmountChoice::AsMuchAsPossible(true)),
                ..good()
            },
        ),
        (
            "transfers[0].all",
            Transfer {
                amount_choice: Some(AmountChoice::All(true)),
                ..void(fresh_id())
            },
        ),
        (
            "transfers[0].amount",
            Transfer {
                ledger: unregistered,
                ..good()
            },
        ),
        // Neither a ledger nor a pending transfer to have the unit from.
        (
            "transfers[0].amount",
            Transfer {
                amount_choice: amount("1"),
                ..post(fresh_id())
            },
        ),
        (
            "transfers[0].ledger",
            Transfer {
                amount_choice: amount("1"),
                pending_id: String::new(),
                ..post(0)
            },
        ),
    ];
    for (path, item) in rows {
        let status = world
            .client
            .create_transfers(std::slice::from_ref(&item))
            .await
            .expect_err(path);
        let refusal = Refusal::of(&status);
        assert_eq!(
            (refusal.reason.as_str(), refusal.fields),
            ("INVALID_FIELD", vec![path.to_owned()]),
            "{item:#?}"
        );
    }
    world.is_unchanged().await;
}
