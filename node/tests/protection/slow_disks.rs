//! A leader whose log is synced slowly.

use std::time::{Duration, Instant};

use farthing_proto::v1::Role;

use crate::bank::Bank;
use crate::support::{Cluster, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_on_a_slow_disk_hands_over_and_does_not_come_back() {
    let cluster = Cluster::prepare(3, &[]);
    let slow = cluster.node(1);
    slow.spawn_with(&[("--failpoint", "log.sync.slow=sleep(300)")]);
    cluster.others(1).for_each(|node| node.start());
    let mut bank = Bank::open(&cluster).await;
    let leader = cluster.leader().await;
    if leader.id != slow.id {
        leader.client().transfer_leader(slow.id).await.unwrap();
    }
    let began = Instant::now();
    let mut terms = Vec::new();
    while began.elapsed() < Duration::from_secs(20) {
        bank.pay(&cluster, 5).await;
        let status = cluster.node(2).client().status().await.unwrap();
        if status.leader_id != 0 && status.leader_id != slow.id {
            terms.push(status.term);
            if terms.len() == 40 {
                break;
            }
        }
    }
    assert_eq!(terms.len(), 40, "the slow node leads on");
    let status = slow.client().status().await.unwrap();
    assert_ne!(status.role(), Role::Leader);
    assert_eq!(terms.first(), terms.last(), "leadership goes to and fro");
    eventually("an alarm", || async {
        let alarms = slow.client().status().await.unwrap().alarms;
        alarms
            .iter()
            .find(|alarm| alarm.contains("disk is slow"))
            .cloned()
    })
    .await;
    bank.check(&cluster.leader_client().await).await;
}
