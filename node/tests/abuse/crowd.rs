//! More connections than there are clients.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::honest::Attacked;
use crate::support::{Cluster, binary, eventually};
use crate::wire::{End, PREFACE, SETTINGS, Wire, frame};

/// Idle connections to each listener.
const CLIENTS: u64 = 4_000;
/// What one of them may cost, in bytes.
const IDLE_BYTES_MAX: u64 = 24 << 10;

/// Opens connections, which speak and then say nothing more.
async fn crowd(address: &str, count: u64) -> Vec<TcpStream> {
    let mut idle = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Those that are turned away may be gone already.
        let _ = stream.write_all(PREFACE).await;
        let _ = stream.write_all(&frame(SETTINGS, 0, 0, &[])).await;
        idle.push(stream);
    }
    idle
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_that_are_idle() {
    let attacked = Attacked::start().await;
    let [clients, peers] = attacked.addresses();
    let idle = crowd(&clients, CLIENTS).await;
    let more = crowd(&peers, 700).await;
    let status = eventually("all are counted", || async {
        let status = attacked.status().await;
        let is_all = status.connections.unwrap().open > CLIENTS;
        (is_all && status.peer_connections.unwrap().refused > 0).then_some(status)
    })
    .await;
    let growth = attacked.growth();
    println!("{} bytes each", growth / (CLIENTS + 512));
    assert_eq!(status.connections.unwrap().refused, 0, "{status:?}");
    // Peers have fewer places, of their own.
    let peers = status.peer_connections.unwrap();
    assert_eq!((peers.limit, peers.open), (512, 512), "{status:?}");
    let alarm = status.alarms.iter().find(|line| line.contains("peers"));
    assert!(alarm.is_some(), "{:?}", status.alarms);
    drop((idle, more));
    eventually("all are gone", || async {
        let status = attacked.status().await;
        let open = status.connections.unwrap().open + status.peer_connections.unwrap().open;
        (open == 1).then_some(())
    })
    .await;
    attacked
        .ends_well_within((CLIENTS + 512) * IDLE_BYTES_MAX)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_connections_max_and_peers_are_not_hurt() {
    let flags = [("--connections-max", "20")];
    let cluster = Cluster::start_with(3, &flags);
    let leader = cluster.leader().await;
    let crowds: Vec<Vec<TcpStream>> = futures::future::join_all(
        cluster
            .nodes()
            .iter()
            .map(|node| crowd(&node.client_address, 60)),
    )
    .await;
    // No client gets in, and yet a node that starts again finds the others and catches up.
    let follower = cluster.others(leader.id).next().unwrap();
    let refused = leader.client().with_deadline(Duration::from_secs(1));
    refused.status().await.unwrap_err();
    follower.kill();
    follower.start();
    let index = eventually("the follower hears from the leader", || async {
        let status = follower.client().status().await.ok()?;
        (status.leader_id == leader.id && status.committed_index > 0).then_some(status)
    })
    .await
    .committed_index;
    assert!(index > 0);
    drop(crowds);
    // Places come back with the connections that end.
    let status = eventually("a place", || async { leader.client().status().await.ok() }).await;
    let clients = status.connections.unwrap();
    assert_eq!(clients.limit, 20, "{status:?}");
    assert!((40..).contains(&clients.refused), "{status:?}");
    assert!(
        status
            .alarms
            .iter()
            .any(|line| line.contains("connections of clients are turned away")),
        "{:?}",
        status.alarms
    );
    let complaints = leader.log_text();
    let complaints = complaints.matches("connections are refused").count();
    assert_eq!(complaints, 1, "a line a minute, and not one for each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_is_closed_at_once() {
    let attacked = Attacked::start_with(&[("--connections-max", "4")]).await;
    let address = attacked.node().client_address.clone();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(Wire::open(&address).await);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..10 {
        let (end, _) = Wire::connect(&address)
            .await
            .ended(Duration::from_secs(2))
            .await;
        assert_eq!(end, End::Closed);
    }
    let clients = attacked.status().await.connections.unwrap();
    assert_eq!((clients.open, clients.refused), (4, 10));
    attacked.ends_well().await;
}

/// Without a descriptor for one more the node waits a little and tries again, instead of trying all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_descriptor_left() {
    let attacked = Attacked::start().await;
    let (open, most) = attacked.node().open_files();
    attacked.node().limit_files(open + 10);
    let [clients, peers] = attacked.addresses();
    let waiting = (crowd(&clients, 40).await, crowd(&peers, 10).await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = attacked.node().cpu_time();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let worked = attacked.node().cpu_time() - began;
    assert!(worked < Duration::from_millis(800), "{worked:?} of 2 s");
    let status = attacked.status().await;
    let failures = status.connections.unwrap().accept_failures
        + status.peer_connections.unwrap().accept_failures;
    assert!((5..200).contains(&failures), "{failures} failures in 3 s");
    let complaints = attacked.node().log_text();
    let complaints = complaints.matches("cannot be accepted").count();
    assert!((1..=2).contains(&complaints), "{complaints} lines in 3 s");
    attacked.node().limit_files(most);
    eventually("all who wait are let in", || async {
        let status = attacked.status().await;
        (status.connections.unwrap().open >= 41).then_some(())
    })
    .await;
    drop(waiting);
    attacked.ends_well().await;
}

/// A node takes as many files as it may have, and says what is wrong when they are too few.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_files() {
    let limited = |limits: &str, dir: &std::path::Path| {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{limits} && exec \"$0\" \"$@\""));
        command.arg(binary()).arg("--dir").arg(dir);
        command.args(["--node-id", "1", "--log-segment-bytes", "8388608"]);
        command.args(["--cluster-id", "5f0c7a2e-8d1b-4c3f-9a6e-2b7d4e8f1a90"]);
        command.args(["--client-address", "127.0.0.1:0"]);
        command.args(["--peer-address", "127.0.0.1:0"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let child = limited("ulimit -n 500", dir.path());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
    let output = output.await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("may open only 500 files"), "{stderr}");

    // Enough for some: the soft limit is raised, and fewer connections are served than were asked for.
    let mut child = limited("ulimit -Sn 300 && ulimit -Hn 2500", dir.path());
    let stdout = child.stdout.take().unwrap();
    let (ready, raised) = tokio::task::spawn_blocking(move || {
        use std::io::BufRead as _;
        let mut line = String::new();
        std::io::BufReader::new(stdout)
            .read_line(&mut line)
            .unwrap();
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let raised = limits.contains("Max open files            2500 ");
        (
            (line, String::from_utf8_lossy(&output.stderr).into_owned()),
            raised,
        )
    })
    .await
    .unwrap();
    assert!(ready.0.contains("\"ready\":true"), "{ready:?}");
    assert!(raised, "the soft limit is not raised");
    assert!(ready.1.contains("fewer are served"), "{}", ready.1);
}
