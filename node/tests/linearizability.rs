//! Concurrent writers and readers while leadership moves and leaders die. One account only ever grows, so real time
//! decides: a read must see at least what was acknowledged before it began, at least what any read that ended before it
//! saw, and at most what had been sent when it ended. At the end every transfer counts exactly once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farthing_ledger::CreateTransferStatus as Status;
use farthing_proto::packed::transfers_section;
use support::{Client, Cluster, account, fresh_id, fresh_ledger, packed_transfer};

const DURATION: Duration = Duration::from_secs(11);
const WRITERS: u64 = 3;
const READERS: usize = 4;
/// Less than this and the run has not tested what it is for.
const LEADER_CHANGES_MIN: u64 = 3;
const READS_MIN: u64 = 200;

/// What everybody knows in real time, in units of the ledger.
#[derive(Default)]
struct History {
    /// Sent at least once.
    sent: AtomicU64,
    /// Acknowledged.
    acknowledged: AtomicU64,
    /// The highest total any finished read saw.
    seen: AtomicU64,
    /// Finished reads on the leader of the moment and on others.
    reads_of_leader: AtomicU64,
    reads_of_followers: AtomicU64,
    over: AtomicBool,
}

impl History {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }
}

#[derive(Clone, Copy)]
struct Accounts {
    ledger: u32,
    from: u128,
    to: u128,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_are_never_older_than_what_was_acknowledged() {
    let cluster = Arc::new(Cluster::start(3));
    let accounts = Accounts {
        ledger: fresh_ledger(),
        from: fresh_id(),
        to: fresh_id(),
    };
    let rows = [
        account(accounts.from, accounts.ledger),
        account(accounts.to, accounts.ledger),
    ];
    cluster
        .leader_client()
        .await
        .create_accounts(&rows)
        .await
        .unwrap();

    let history = Arc::new(History::default());
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            tokio::spawn(write(
                Arc::clone(&cluster),
                Arc::clone(&history),
                accounts,
                number,
            ))
        })
        .collect();
    let readers: Vec<_> = (0..READERS)
        .map(|number| {
            tokio::spawn(read(
                Arc::clone(&cluster),
                Arc::clone(&history),
                accounts,
                number,
            ))
        })
        .collect();
    let changes = disturb(&cluster).await;
    history.over.store(true, Ordering::SeqCst);
    let mut transfers = Vec::new();
    for writer in writers {
        transfers.extend(writer.await.unwrap());
    }
    for reader in readers {
        reader.await.unwrap();
    }

    // Every writer went on until its last transfer was acknowledged, so nothing is open.
    let expected: u64 = transfers.iter().map(|(_, amount)| amount).sum();
    assert_eq!(history.acknowledged.load(Ordering::SeqCst), expected);
    cluster.converge().await;
    for node in cluster.nodes() {
        let client = node.client();
        assert_eq!(
            client.balances(accounts.to).await,
            [0, 0, 0, u128::from(expected)]
        );
        assert_eq!(
            client.balances(accounts.from).await,
            [0, u128::from(expected), 0, 0]
        );
        for chunk in transfers.chunks(8_000) {
            let ids: Vec<u128> = chunk.iter().map(|(id, _)| *id).collect();
            let found = client.lookup_transfers(&ids).await.unwrap();
            for ((_, amount), transfer) in chunk.iter().zip(found) {
                assert_eq!(
                    transfer.expect("an acknowledged transfer").amount,
                    u128::from(*amount)
                );
            }
        }
    }
    let leader = history.reads_of_leader.load(Ordering::SeqCst);
    let followers = history.reads_of_followers.load(Ordering::SeqCst);
    let enough = changes >= LEADER_CHANGES_MIN && leader >= READS_MIN && followers >= READS_MIN;
    let told = format!(
        "{} transfers, {leader} reads of leaders, {followers} of followers, {changes} changes of leader",
        transfers.len()
    );
    assert!(enough, "the run tested too little: {told}");
    println!("{told}");
}

/// Sends transfers one after the other, each until it is acknowledged; returns their ids and amounts.
async fn write(
    cluster: Arc<Cluster>,
    history: Arc<History>,
    accounts: Accounts,
    number: u64,
) -> Vec<(u128, u64)> {
    let clients = clients(&cluster);
    let mut at = 0;
    let mut done = Vec::new();
    while history.goes_on() {
        let amount = number + 1 + done.len() as u64 % 3;
        let transfer = packed_transfer(
            accounts.from,
            accounts.to,
            u128::from(amount),
            accounts.ledger,
        );
        history.sent.fetch_add(amount, Ordering::SeqCst);
        let began = Instant::now();
        loop {
            match clients[at]
                .submit(vec![transfers_section(&[transfer])])
                .await
            {
                Ok((results, _)) => {
                    let status = Status::from_code(results[0][0].status);
                    assert!(
                        matches!(status, Some(Status::Created | Status::Exists)),
                        "{status:?}"
                    );
                    break;
                }
                // Whatever it means, the same id somewhere else is the answer.
                Err(_) => {
                    assert!(
                        began.elapsed() < support::PATIENCE,
                        "a transfer was never acknowledged"
                    );
                    at = (at + 1) % clients.len();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        history.acknowledged.fetch_add(amount, Ordering::SeqCst);
        done.push((transfer.id.0, amount));
    }
    done
}

/// Reads on one node after the other.
async fn read(cluster: Arc<Cluster>, history: Arc<History>, accounts: Accounts, number: usize) {
    let clients = clients(&cluster);
    let mut at = number;
    while history.goes_on() {
        at = (at + 1) % clients.len();
        let led = clients[at]
            .status()
            .await
            .is_ok_and(|status| status.leader_id == status.node_id);
        let acknowledged = history.acknowledged.load(Ordering::SeqCst);
        let seen = history.seen.load(Ordering::SeqCst);
        let rows = match clients[at]
            .lookup_accounts(&[accounts.from, accounts.to])
            .await
        {
            Ok(rows) => rows,
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let sent = history.sent.load(Ordering::SeqCst);
        let (from, to) = (rows[0].expect("the account"), rows[1].expect("the account"));
        assert_eq!(
            from.debits_posted, to.credits_posted,
            "half of a transfer is visible"
        );
        let total = u64::try_from(to.credits_posted).unwrap();
        let where_ = format!(
            "node {}, which {}",
            at + 1,
            if led { "led" } else { "followed" }
        );
        assert!(
            total >= acknowledged,
            "{where_}: {total} read, {acknowledged} acknowledged before: a stale read"
        );
        assert!(
            total >= seen,
            "{where_}: {total} read, {seen} seen before: time went back"
        );
        assert!(
            total <= sent,
            "{where_}: {total} read, only {sent} sent: something counts twice"
        );
        history.seen.fetch_max(total, Ordering::SeqCst);
        let count = if led {
            &history.reads_of_leader
        } else {
            &history.reads_of_followers
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

fn clients(cluster: &Cluster) -> Vec<Client> {
    cluster
        .nodes()
        .iter()
        .map(|node| node.client().with_deadline(Duration::from_millis(1_500)))
        .collect()
}

/// Moves leadership by asking, by killing and by pausing, in turn. Returns how often it moved.
async fn disturb(cluster: &Cluster) -> u64 {
    let began = Instant::now();
    let mut changes = 0;
    for round in 0.. {
        tokio::time::sleep(Duration::from_millis(600)).await;
        if began.elapsed() >= DURATION {
            break;
        }
        let leader = cluster.leader().await;
        match round % 3 {
            0 => {
                let _ = leader
                    .client()
                    .with_deadline(Duration::from_secs(3))
                    .transfer_leader(0)
                    .await;
            }
            1 => {
                leader.kill();
                cluster.leader_other_than(leader.id).await;
                leader.start();
            }
            _ => {
                leader.pause();
                cluster.leader_other_than(leader.id).await;
                leader.resume();
            }
        }
        changes += u64::from(cluster.leader().await.id != leader.id);
    }
    changes
}
