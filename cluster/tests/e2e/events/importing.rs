//! Following from the beginning while a file is imported and the leader dies three times.
//!
//! The file is 200,000 payments made for the test, or what `FARTHING_PAYMENTS` names.

use std::collections::{BTreeMap, HashSet};

use farthing_client::events::{EventBody, EventsOptions, Subscription};
use farthing_client::{AccountId, Balances, Client};
use tokio::runtime::Runtime;

use super::super::payments::{assert_books, named_or_made};
use super::super::support::{Cluster, finished, nodes};
use super::PATIENCE;

/// What a subscriber has seen.
#[derive(Default)]
struct View {
    last: u64,
    transfers: HashSet<u128>,
    balances: BTreeMap<u128, Balances>,
}

/// Takes every event up to the one with the last payment, and holds the balances in it to a recomputation.
async fn follow(mut events: Subscription, payments: usize) -> View {
    let mut view = View::default();
    while view.transfers.len() < payments {
        let batch = events.next().await.unwrap().unwrap();
        for event in batch.events {
            assert_eq!(event.sequence, view.last + 1, "dense");
            view.last = event.sequence;
            let EventBody::TransferCreated(created) = event.body else {
                continue;
            };
            let transfer = created.transfer;
            assert!(
                view.transfers.insert(transfer.id.0),
                "{transfer:?} came twice"
            );
            let debit = view
                .balances
                .entry(transfer.debit_account_id.0)
                .or_default();
            debit.debits_posted += transfer.amount;
            let debit = *debit;
            let credit = view
                .balances
                .entry(transfer.credit_account_id.0)
                .or_default();
            credit.credits_posted += transfer.amount;
            assert_eq!(created.balances, Some((debit, *credit)), "{transfer:?}");
        }
    }
    view
}

#[test]
fn an_import_is_followed_from_the_beginning_while_the_leader_dies_three_times() {
    let cluster = Cluster::start();
    let (file, rows) = named_or_made(cluster.path(), 200_000);
    let endpoints = cluster.endpoints();
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(async {
        let client = Client::builder().deadline(PATIENCE).endpoints(&endpoints);
        client.connect().await.unwrap()
    });
    let options = EventsOptions {
        from: 0,
        include_balances: true,
        ..EventsOptions::default()
    };
    let follower = runtime.spawn(follow(client.events(options), rows));
    let import = cluster.begin_import(&file);
    for part in 1..=3 {
        cluster.wait_for_transfers(part * rows as u64 / 5);
        assert!(!follower.is_finished(), "it gave up");
        let deposed = cluster.wait_for_leader().to_string();
        cluster.ok(["cluster", "kill", deposed.as_str()]);
        cluster.ok(["cluster", "restart", deposed.as_str()]);
    }
    let report = finished(import);
    assert_eq!(report["refused"], 0, "{report:#}");
    let view = runtime.block_on(async { follower.await.unwrap() });
    for node in nodes(&cluster.wait_until_level()) {
        assert_eq!(node["transfer_count"], rows as u64, "{node:#}");
    }
    assert_books(&endpoints, &file);
    runtime.block_on(async {
        let client = Client::connect(&endpoints).await.unwrap();
        let ids: Vec<AccountId> = view.balances.keys().map(|id| AccountId(*id)).collect();
        for chunk in ids.chunks(8_000) {
            let accounts = client.lookup_accounts(chunk).await.unwrap();
            for account in accounts.into_iter().map(Option::unwrap) {
                let computed = view.balances[&account.id.0];
                let found = (account.debits_posted, account.credits_posted);
                assert_eq!(found, (computed.debits_posted, computed.credits_posted));
            }
        }
    });
    exported_alike(&cluster, view.last);
}

/// Two nodes' exports are equal but for who signs them, and prove themselves.
fn exported_alike(cluster: &Cluster, last: u64) {
    let export = |node: u64| {
        let path = cluster.path().join(format!("{node}.ndjson"));
        let (node, last, out) = (
            node.to_string(),
            last.to_string(),
            path.display().to_string(),
        );
        cluster.ok([
            "events", "export", "--node", &node, "--until", &last, "--out", &out,
        ]);
        cluster.ok(["verify", "--proof", &out]);
        std::fs::read(&path).unwrap()
    };
    let (one, two) = (export(1), export(2));
    // Without the last line, which is the signed checkpoint.
    let events = |bytes: &[u8]| {
        let before = &bytes[..bytes.len() - 1];
        let end = before.iter().rposition(|byte| *byte == b'\n').unwrap();
        bytes[..end].to_vec()
    };
    assert!(events(&one).len() > 100 * last as usize);
    assert!(
        events(&one) == events(&two),
        "the exports of nodes 1 and 2 differ"
    );
}
