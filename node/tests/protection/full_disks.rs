//! Disks that fill up: work is refused at the door before the log or the state meets a full disk, reads go on, and
//! service comes back with the room.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use farthing_ledger::{Transfer, TransferFlags, TransferId};
use farthing_proto::packed::transfers_section;
use rustix::fs::{FallocateFlags, fallocate};
use tonic::{Code, Status};

use crate::bank::Bank;
use crate::support::{Client, Cluster, Node, Refusal, account, eventually, fresh_id};

const MIB: u64 = 1 << 20;

/// What the node believes its disk to be, in MiB: with other bytes in its directory there is less.
const QUOTA: u64 = 1_024;
const LOW: u64 = 400;
const RESERVE: u64 = 200;

fn flags() -> [(&'static str, &'static str); 4] {
    [
        ("--disk-quota-bytes", "1073741824"),
        ("--disk-low-bytes", "419430400"),
        ("--disk-reserve-bytes", "209715200"),
        ("--run-transfers", "1000"),
    ]
}

/// Bytes of others in the node's directory, so that about `free` MiB are left of its quota.
fn fill(node: &Node, free: u64) {
    let file = File::options()
        .create(true)
        .append(true)
        .open(node.dir.join("others"))
        .unwrap();
    let taken = file.metadata().unwrap().len();
    let used = farthing_node::storage::used_bytes(&node.dir) / MIB;
    let more = (QUOTA - used - free) * MIB;
    fallocate(&file, FallocateFlags::empty(), taken, more).unwrap();
}

fn empty(node: &Node) {
    std::fs::remove_file(node.dir.join("others")).unwrap();
}

async fn refused_for_disk(what: &str, call: impl AsyncFn() -> Result<(), Status>) {
    // On a busy machine there may be an election in between, which is no refusal.
    let refused = || async {
        let status = call().await.err();
        status.filter(|status| status.code() != Code::Unavailable)
    };
    let status = eventually(what, refused).await;
    let refusal = Refusal::expect(&status, Code::ResourceExhausted, "DISK_FULL");
    assert!(
        refusal
            .retry_after
            .is_some_and(|wait| wait > Duration::ZERO)
    );
}

async fn create(client: &Client, transfers: &[Transfer]) -> Result<(), Status> {
    let (results, _) = client.submit(vec![transfers_section(transfers)]).await?;
    assert!(
        results[0].iter().all(|result| result.status == 0),
        "{results:?}"
    );
    Ok(())
}

/// The marks are looked at now and then: what is asked before may still be done.
async fn alarmed(client: &Client, words: &str) {
    eventually("an alarm", || async {
        let alarms = client.status().await.unwrap().alarms;
        alarms
            .iter()
            .any(|alarm| alarm.contains(words))
            .then_some(())
    })
    .await;
}

struct World {
    bank: Bank,
    pendings: [u128; 2],
}

impl World {
    async fn open(cluster: &Cluster) -> Self {
        let bank = Bank::open(cluster).await;
        let pendings = [fresh_id(), fresh_id()];
        let pending_of = |id| Transfer {
            id: TransferId(id),
            flags: TransferFlags::PENDING,
            ..bank.transfer()
        };
        let items = pendings.map(pending_of);
        let client = cluster.leader_client().await;
        create(&client, &items).await.unwrap();
        Self { bank, pendings }
    }

    async fn pay(&self, client: &Client) -> Result<(), Status> {
        create(client, &[self.bank.transfer()]).await
    }

    async fn post(&self, client: &Client, number: usize) -> Result<(), Status> {
        let post = Transfer {
            flags: TransferFlags::POST_PENDING_TRANSFER,
            pending_id: TransferId(self.pendings[number]),
            ..self.bank.transfer()
        };
        create(client, &[post]).await
    }

    async fn posted(&self, client: &Client) -> u128 {
        client.balances(self.bank.to).await[3]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_the_marks_work_is_refused_and_above_them_it_goes_on() {
    let cluster = Cluster::start_with(3, &flags());
    let world = World::open(&cluster).await;
    let leader = cluster.leader().await;
    let client = leader.client();

    // One node of three without room changes nothing for callers, and if it leads another one will.
    fill(leader, LOW - 100);
    let next = cluster.leader_other_than(leader.id).await;
    let client_of_next = next.client();
    world.pay(&client_of_next).await.unwrap();
    let alarms = client.status().await.unwrap().alarms;
    assert!(
        alarms.iter().any(|alarm| alarm.contains("MiB free")),
        "{alarms:?}"
    );

    // A second one leaves no majority with room. The leader's own disk is well.
    let third = cluster
        .others(leader.id)
        .find(|node| node.id != next.id)
        .unwrap();
    fill(third, LOW - 100);
    refused_for_disk("new transfers are refused", async || {
        world.pay(&client_of_next).await
    })
    .await;
    let more = [account(fresh_id(), world.bank.ledger)];
    let status = client_of_next.create_accounts(&more).await.unwrap_err();
    Refusal::expect(&status, Code::ResourceExhausted, "DISK_FULL");
    let posted = world.posted(&client_of_next).await;
    world.post(&client_of_next, 0).await.unwrap();
    assert_eq!(world.posted(&client_of_next).await, posted + 1);

    // Below the reserve only reads are left, on every node.
    for node in [leader, third] {
        fill(node, RESERVE - 100);
    }
    alarmed(&client_of_next, "everything but reads").await;
    refused_for_disk("posts are refused", async || {
        world.post(&client_of_next, 1).await
    })
    .await;
    for node in cluster.nodes() {
        assert_eq!(world.posted(&node.client()).await, posted + 1);
    }

    [leader, third].into_iter().for_each(empty);
    eventually("posts again", || async {
        world.post(&client_of_next, 1).await.ok()
    })
    .await;
    eventually("transfers again", || async {
        world.pay(&client_of_next).await.ok()
    })
    .await;
    cluster.converge().await;
}

/// Small file systems in memory, one for each node.
struct Disks {
    mounted: Vec<PathBuf>,
}

impl Disks {
    /// `None` where this process may not mount.
    fn mount(cluster: &Cluster, mebibytes: u64) -> Option<Self> {
        let mut disks = Self { mounted: vec![] };
        for node in cluster.nodes() {
            std::fs::create_dir_all(&node.dir).unwrap();
            let size = format!("size={mebibytes}m,mode=700");
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
                .arg(&node.dir)
                .output();
            if !mounted.is_ok_and(|output| output.status.success()) {
                return None;
            }
            disks.mounted.push(node.dir.clone());
        }
        Some(disks)
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        for dir in &self.mounted {
            let _ = Command::new("umount").arg("-l").arg(dir).status();
        }
    }
}

/// Takes everything that the file system of `dir` has left.
fn take_all(dir: &Path) {
    let path = dir.join("others");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    let zeros = vec![0; 64 << 10];
    while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_that_are_really_full_end_no_node() {
    // Small runs and a small door make a low-water mark of some 60 MiB.
    let flags = [
        ("--admission-bytes", "4194304"),
        ("--disk-reserve-bytes", "25165824"),
        ("--run-transfers", "2000"),
    ];
    let cluster = Cluster::prepare(3, &flags);
    let Some(_disks) = Disks::mount(&cluster, 160) else {
        eprintln!("skipped: mounting a tmpfs is not permitted here");
        return;
    };
    cluster.nodes().iter().for_each(Node::start);
    let world = World::open(&cluster).await;
    let client = cluster.leader_client().await;
    // The work itself fills the disks until it is refused.
    let mut paid: u128 = 0;
    let refusal = loop {
        let batch: Vec<_> = (0..2_000).map(|_| world.bank.transfer()).collect();
        match client.submit(vec![transfers_section(&batch)]).await {
            Ok(_) => paid += 2_000,
            Err(status) => break status,
        }
        assert!(paid < 2_000_000, "the disks never filled up");
    };
    Refusal::expect(&refusal, Code::ResourceExhausted, "DISK_FULL");
    assert_eq!(world.posted(&client).await, paid);
    // Then others take what is left, the ballast too once it is given up.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..4 {
        cluster.nodes().iter().for_each(|node| take_all(&node.dir));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    alarmed(&client, "everything but reads").await;
    refused_for_disk("posts are refused", async || world.post(&client, 0).await).await;
    for node in cluster.nodes() {
        let client = node.client();
        assert_eq!(world.posted(&client).await, paid);
        assert!(!client.status().await.unwrap().alarms.is_empty());
    }

    cluster.nodes().iter().for_each(empty);
    eventually("posts again", || async {
        world.post(&client, 0).await.ok()
    })
    .await;
    assert_eq!(world.posted(&client).await, paid + 1);
    cluster.converge().await;
}
