//! A node under attack, and a client that must not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use farthing_proto::v1::{CreateTransferStatus, StatusReply};
use tokio::task::JoinHandle;

use crate::support::{Client, Cluster, Node, transfer};

/// Longest that a call of an honest client may take; far above what it takes, because machines that test are busy.
const CALL_MAX: Duration = Duration::from_secs(8);
/// What an attack may add to the memory of the node, at its worst moment. The limits of a connection allow it some ten
/// MiB; the rest is what a node takes anyway in its first seconds.
const GROWTH_BYTES_MAX: u64 = 96 << 20;
/// A node at rest takes a hundredth of a processor; a thread that spins takes all of one.
const REST: Duration = Duration::from_secs(1);
const REST_CPU_MAX: Duration = Duration::from_millis(400);

/// One node that serves an honest client, watched.
pub(crate) struct Attacked {
    cluster: Cluster,
    client: Client,
    accounts: (u32, u128, u128),
    before: u64,
    stop: Arc<AtomicBool>,
    honest: JoinHandle<Vec<Duration>>,
}

impl Attacked {
    /// Starts the node and the honest client.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with flags.
    pub(crate) async fn start_with(flags: &[(&str, &str)]) -> Self {
        let cluster = Cluster::start_with(1, flags);
        let client = cluster.leader_client().await;
        let (usd, a, b) = client.two_accounts().await;
        let stop = Arc::new(AtomicBool::new(false));
        let honest = tokio::spawn(pay(client.clone(), (usd, a, b), Arc::clone(&stop)));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (before, _) = cluster.node(1).resident_bytes();
        Self {
            cluster,
            client,
            accounts: (usd, a, b),
            before,
            stop,
            honest,
        }
    }

    pub(crate) fn node(&self) -> &Node {
        self.cluster.node(1)
    }

    /// Both listeners: what is kept off the one must be kept off the other.
    pub(crate) fn addresses(&self) -> [String; 2] {
        let node = self.node();
        [node.client_address.clone(), node.peer_address.clone()]
    }

    /// Its status by the honest client's connection.
    pub(crate) async fn status(&self) -> StatusReply {
        self.client.status().await.unwrap()
    }

    /// The account that the honest client pays from.
    pub(crate) fn payer(&self) -> u128 {
        self.accounts.1
    }

    /// What the node has grown by at its worst moment so far, in bytes.
    pub(crate) fn growth(&self) -> u64 {
        self.node().resident_bytes().1.saturating_sub(self.before)
    }

    /// The node is as it was: nothing the honest client sent was lost or late, memory was bounded, and nothing spins,
    /// though whoever attacked may still be connected.
    pub(crate) async fn ends_well(self) {
        self.ends_well_within(GROWTH_BYTES_MAX).await;
    }

    /// The same with another bound of memory.
    pub(crate) async fn ends_well_within(self, growth_bytes_max: u64) {
        self.stop.store(true, Ordering::Relaxed);
        let mut took = self.honest.await.unwrap();
        took.sort_unstable();
        let count = took.len();
        let p99 = took[(count * 99 / 100).min(count - 1)];
        let slowest = took[count - 1];
        let (_, a, _) = self.accounts;
        let paid = self.client.balances(a).await;
        assert_eq!(
            paid,
            [0, count as u128, 0, 0],
            "a payment was lost or doubled"
        );
        let (_, most) = self.cluster.node(1).resident_bytes();
        let growth = most.saturating_sub(self.before);
        let began = self.cluster.node(1).cpu_time();
        tokio::time::sleep(REST).await;
        let rest = self.cluster.node(1).cpu_time() - began;
        println!(
            "{count} honest calls, p99 {p99:?}, slowest {slowest:?}; grown by {} KiB at most, {rest:?} of processor at rest",
            growth >> 10
        );
        assert!(
            growth < growth_bytes_max,
            "the node grew by {growth} bytes, more than {growth_bytes_max}"
        );
        assert!(rest < REST_CPU_MAX, "{rest:?} of {REST:?} at rest");
        let panicked = self.cluster.node(1).log_text().contains("panicked");
        assert!(!panicked, "its log tells of a panic");
    }
}

/// Pays a cent after the other until told to stop; each call's time.
async fn pay(
    client: Client,
    (usd, a, b): (u32, u128, u128),
    stop: Arc<AtomicBool>,
) -> Vec<Duration> {
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) || took.is_empty() {
        let began = Instant::now();
        let payment = [transfer(a, b, "0.01", usd)];
        let call = tokio::time::timeout(CALL_MAX, client.create_transfers(&payment));
        let results = call
            .await
            .expect("an answer in time")
            .expect("an honest call");
        assert_eq!(results[0].status(), CreateTransferStatus::Created);
        took.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    took
}
