//! Standard error is a pipe that nobody reads.

use std::fs::OpenOptions;
use std::process::Command;

use crate::support::{Cluster, account, eventually, fresh_id, fresh_ledger};

/// The node says far more than a pipe holds (64 KiB), serves on, and ends when asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_stops_nobody() {
    let cluster = Cluster::prepare(1, &[]);
    let node = cluster.node(1);
    let pipe = node.dir.with_extension("log");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    // Open for both, because a pipe without a reader would end its writer's writes with an error.
    let _unread = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    node.spawn_with(&[("--log-filter", "trace")]);
    let client = cluster.leader_client().await;
    let ledger = fresh_ledger();
    let mut accounts = 0;
    eventually("more log lines than a pipe holds", || {
        let client = &client;
        accounts += 1;
        async move {
            client
                .create_accounts(&[account(fresh_id(), ledger)])
                .await
                .unwrap();
            let status = client.status().await.unwrap();
            status
                .alarms
                .iter()
                .any(|alarm| alarm.contains("log lines were dropped"))
                .then_some(())
        }
    })
    .await;
    assert_eq!(client.status().await.unwrap().account_count, accounts);
    // What the node has said is read when it has ended; not from here.
    std::fs::remove_file(&pipe).unwrap();
    std::fs::write(&pipe, "").unwrap();
    let (exit, _) = node.terminate().await;
    assert_eq!(exit.code, Some(0));
}
