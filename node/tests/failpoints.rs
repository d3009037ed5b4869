//! A process that dies between any two steps of a run's commit, of a snapshot's build or of its installation starts
//! again and has everything that was acknowledged, with the same digest as nodes that did not die.
//!
//! The steps are the product's own list of failpoints; one that is never reached fails the test.
#![cfg(feature = "failpoints")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::time::{Duration, Instant};

use farthing_node::storage::FAILPOINTS;
use farthing_proto::packed::transfers_section;
use farthing_proto::v1;
use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::verify_reply::Step;
use support::{Client, Cluster, Node, packed_transfer};

const ACCOUNTS: [u128; 2] = [1, 2];
const LEDGER: u32 = 1;
const PATIENCE: Duration = Duration::from_secs(30);

/// Small runs, so that many are written.
const SMALL_RUNS: [(&str, &str); 2] = [("--run-transfers", "200"), ("--run-interval-ms", "200")];

fn points(prefixes: &[&str]) -> Vec<&'static str> {
    let points = FAILPOINTS
        .iter()
        .filter(|point| prefixes.iter().any(|prefix| point.starts_with(prefix)));
    points.copied().collect()
}

async fn create_accounts(client: &Client) {
    let accounts = ACCOUNTS.map(|id| support::account(id, LEDGER));
    client
        .create_accounts(&accounts)
        .await
        .expect("accounts are created");
}

/// Posts one unit `count` times in one request; the number acknowledged, or `None` when nobody answered.
async fn pay(client: &Client, count: usize) -> Option<u128> {
    let transfers: Vec<_> = (0..count)
        .map(|_| packed_transfer(ACCOUNTS[0], ACCOUNTS[1], 1, LEDGER))
        .collect();
    let (results, _) = client
        .submit(vec![transfers_section(&transfers)])
        .await
        .ok()?;
    assert!(
        results[0].iter().all(|result| result.status == 0),
        "{results:?}"
    );
    Some(count as u128)
}

/// The report of a full scan by the node itself.
async fn verify(client: &Client) -> v1::VerifyReport {
    let mut admin = AdminClient::new(client.channel());
    let mut replies = admin
        .verify(client.request(v1::VerifyRequest {}))
        .await
        .unwrap()
        .into_inner();
    while let Some(reply) = replies.message().await.unwrap() {
        if let Some(Step::Report(report)) = reply.step {
            return report;
        }
    }
    panic!("the scan ended without a report");
}

async fn snapshot(client: &Client) -> Result<u64, tonic::Status> {
    let mut admin = AdminClient::new(client.channel());
    let reply = admin
        .snapshot(client.request(v1::SnapshotRequest {}))
        .await?;
    Ok(reply.into_inner().index)
}

/// What was acknowledged is there, what was not may be, and a full scan finds nothing wrong.
async fn check(client: &Client, acknowledged: u128, attempted: u128) -> u128 {
    let [_, debits_posted, ..] = client.balances(ACCOUNTS[0]).await;
    assert!(
        (acknowledged..=attempted).contains(&debits_posted),
        "{acknowledged} acknowledged of {attempted} attempted, and {debits_posted} posted"
    );
    let report = verify(client).await;
    assert!(report.ok, "{report:?}");
    debits_posted
}

fn died(node: &Node, point: &str) {
    let exit = node
        .wait_exit(PATIENCE)
        .unwrap_or_else(|| panic!("{point} was not reached"));
    assert_eq!(
        exit.code, None,
        "{point}: it should have been killed, and ended with {exit:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_of_a_run() {
    let points = points(&["storage.run."]);
    assert!(points.len() >= 10, "{points:?}");
    let cluster = Cluster::prepare(1, &SMALL_RUNS);
    let node = cluster.node(1);
    node.start();
    cluster.leader().await;
    create_accounts(&node.client()).await;
    let (mut acknowledged, mut attempted) = (0, 0);
    for (round, point) in points.into_iter().enumerate() {
        node.kill();
        // Pass it once or twice first, so that runs before it were committed in this life too.
        node.spawn_with(&[("--failpoint", &format!("{point}={}*off->panic", round % 3))]);
        let client = node.client().with_deadline(Duration::from_secs(2));
        let began = Instant::now();
        while node.wait_exit(Duration::ZERO).is_none() {
            assert!(began.elapsed() < PATIENCE, "{point} was not reached");
            attempted += 60;
            match pay(&client, 60).await {
                Some(paid) => acknowledged += paid,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        node.start();
        cluster.leader().await;
        let posted = check(&node.client(), acknowledged, attempted).await;
        (acknowledged, attempted) = (posted, posted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_of_a_snapshots_build() {
    let cluster = Cluster::prepare(1, &SMALL_RUNS);
    let node = cluster.node(1);
    node.start();
    cluster.leader().await;
    create_accounts(&node.client()).await;
    let mut acknowledged = 0;
    for point in points(&["storage.checkpoint."]) {
        node.kill();
        node.spawn_with(&[("--failpoint", &format!("{point}=panic"))]);
        cluster.leader().await;
        let client = node.client();
        acknowledged += pay(&client, 100)
            .await
            .expect("it serves until the snapshot");
        let _ = snapshot(&client.with_deadline(Duration::from_secs(5))).await;
        died(node, point);
        node.start();
        cluster.leader().await;
        check(&node.client(), acknowledged, acknowledged).await;
        let index = snapshot(&node.client())
            .await
            .expect("a snapshot is built after the failed one");
        assert!(index > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_of_a_snapshots_installation() {
    let flags = [
        ("--log-keep-bytes", "16777216"),
        ("--run-interval-ms", "500"),
    ];
    let cluster = Cluster::start_with(3, &flags);
    let leader = cluster.leader().await;
    create_accounts(&leader.client()).await;
    let follower = cluster.others(leader.id).next().unwrap();
    let mut acknowledged = 0;
    for point in points(&["storage.install.", "storage.generation."]) {
        // A follower that stays away until the log it would need is gone.
        let from = follower
            .client()
            .status()
            .await
            .map(|status| status.last_log_index)
            .unwrap();
        follower.kill();
        let client = cluster.leader_client().await;
        let began = Instant::now();
        while client.status().await.unwrap().purged_index <= from {
            assert!(began.elapsed() < PATIENCE, "the log is not purged");
            acknowledged += pay(&client, 8_000).await.expect("two of three go on");
        }
        follower.spawn_with(&[("--failpoint", &format!("{point}=panic"))]);
        died(follower, point);
        follower.start();
        cluster.converge().await;
        check(&follower.client(), acknowledged, acknowledged).await;
    }
}

/// After a failed sync nothing is known about what was written, and after a failed run the state falls behind: the node
/// ends, says so with its own exit code, and what it had acknowledged is there when it starts again.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_fails_ends() {
    let cluster = Cluster::prepare(1, &SMALL_RUNS);
    let node = cluster.node(1);
    node.start();
    cluster.leader().await;
    create_accounts(&node.client()).await;
    let mut acknowledged = 0;
    for point in [
        "log.append.before_write=20*off->return",
        "log.append.before_sync=20*off->return",
        "log.append.after_sync=20*off->return",
        "storage.run.current.written=return",
    ] {
        node.kill();
        node.spawn_with(&[("--failpoint", point)]);
        cluster.leader().await;
        let client = node.client().with_deadline(Duration::from_secs(2));
        let mut attempted = acknowledged;
        while let Some(paid) = pay(&client, 1).await {
            attempted += paid;
            acknowledged += paid;
            assert!(acknowledged < 10_000, "{point} was not reached");
        }
        let exit = node.wait_exit(PATIENCE);
        let exit = exit.unwrap_or_else(|| panic!("{point}: it goes on"));
        assert_eq!(exit.code, Some(3), "{point}: {exit:?}");
        node.start();
        cluster.leader().await;
        acknowledged = check(&node.client(), acknowledged, attempted + 1).await;
    }
}

/// A follower that is behind waits before it answers, whichever service is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_applies_late_reads_what_was_acknowledged() {
    let cluster = Cluster::prepare(3, &[]);
    cluster.node(1).start();
    cluster.node(2).start();
    cluster
        .node(3)
        .spawn_with(&[("--failpoint", "state.before_apply=sleep(150)")]);
    let leader = cluster.leader().await;
    if leader.id == 3 {
        leader.client().transfer_leader(1).await.unwrap();
    }
    let writer = cluster.leader_other_than(3).await.client();
    let late = cluster.node(3).client();

    create_accounts(&writer).await;
    assert_eq!(late.account(ACCOUNTS[0]).await.ledger, LEDGER);
    let ledger = support::ledger(LEDGER + 1, "USD", 2);
    writer.create_ledgers(&[ledger]).await.unwrap();
    let request = v1::LookupLedgersRequest {
        numbers: vec![LEDGER + 1],
        ..Default::default()
    };
    let found = late.ledgers().lookup_ledgers(late.request(request)).await;
    let found = found.unwrap().into_inner().ledgers;
    assert!(found[0].ledger.is_some(), "a stale ledger: {found:?}");
    let record = support::record(1, b"key", b"value");
    writer.write_records(&[record]).await.unwrap();
    assert!(
        late.record(1, b"key").await.record.is_some(),
        "a stale record"
    );
    let paid = packed_transfer(ACCOUNTS[0], ACCOUNTS[1], 1, LEDGER);
    writer
        .submit(vec![transfers_section(&[paid])])
        .await
        .unwrap();
    let ids = vec![support::uuid(paid.id.0)];
    let request = v1::LookupTransfersRequest {
        ids,
        consistency: None,
    };
    let found = late
        .transfers()
        .lookup_transfers(late.request(request))
        .await;
    let found = found.unwrap().into_inner().transfers;
    assert!(found[0].transfer.is_some(), "a stale transfer");
    writer
        .submit(vec![transfers_section(&[packed_transfer(
            ACCOUNTS[0],
            ACCOUNTS[1],
            1,
            LEDGER,
        )])])
        .await
        .unwrap();
    let ids = vec![support::uuid(ACCOUNTS[1])];
    let request = v1::LookupAccountsRequest {
        ids,
        consistency: None,
    };
    let found = late.accounts().lookup_accounts(late.request(request)).await;
    let found = found.unwrap().into_inner().accounts;
    let account = found[0].account.as_ref().expect("the account");
    assert_eq!(account.credits_posted, "2", "stale balances");
}
