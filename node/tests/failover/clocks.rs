//! A clock that is wrong must not move the cluster's time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use farthing_ledger::{PendingStatus, Transfer, TransferFlags};
use farthing_proto::packed::transfers_section;

use crate::bank::Bank;
use crate::support::{Cluster, eventually};

const HOUR_MS: &str = "3600000";

/// A leader whose clock is ahead is held to the others', from its first moment on: with its own time it would expire
/// what others hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_leader_an_hour_ahead_expires_nothing() {
    let cluster = Cluster::prepare(3, &[]);
    cluster.node(1).spawn_with(&[("--clock-skew-ms", HOUR_MS)]);
    cluster.node(2).start();
    cluster.node(3).start();
    let bank = Bank::open(&cluster).await;
    let hold = Transfer {
        flags: TransferFlags::PENDING,
        timeout: 600,
        ..bank.transfer()
    };
    let client = cluster.leader_client().await;
    client
        .submit(vec![transfers_section(&[hold])])
        .await
        .unwrap();
    for to in [2, 1, 3, 1] {
        let leader = cluster.leader().await;
        if leader.id != to {
            leader.client().transfer_leader(to).await.unwrap();
        }
        let client = cluster.node(to).client();
        let transfer = bank.transfer();
        let (results, _) = eventually("an answer of the new leader", || async {
            let sections = vec![transfers_section(&[transfer])];
            client.submit(sections).await.ok()
        })
        .await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let ahead = Duration::from_nanos(results[0][0].timestamp).saturating_sub(now);
        assert!(ahead < Duration::from_secs(1), "time is {ahead:?} ahead");
    }
    // Long enough for whatever looks for what is due.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let held = cluster.leader_client().await.pending(hold.id.0).await;
    assert_eq!(held.unwrap().status, PendingStatus::Pending);
}
