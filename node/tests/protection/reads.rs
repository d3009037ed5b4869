//! What a linearizable read waits for, and what a voter says when it is asked before one.

use farthing_proto::peer::v1::peer_client::PeerClient;
use farthing_proto::peer::v1::{ConfirmRequest, Vote};
use tonic::Request;

use crate::bank::Bank;
use crate::support::{Client, Cluster, Node, eventually};

/// What `voter` says when `from` asks whether `vote` is its last one.
async fn confirms(cluster: &Cluster, voter: &Node, from: u64, vote: Option<Vote>) -> bool {
    let mut request = Request::new(ConfirmRequest { vote });
    for (key, value) in [
        (
            "farthing-cluster-id",
            format!("{:032x}", cluster.cluster_id),
        ),
        ("farthing-from", from.to_string()),
        ("farthing-to", voter.id.to_string()),
    ] {
        request.metadata_mut().insert(key, value.parse().unwrap());
    }
    let mut client = PeerClient::new(Client::new(&voter.peer_address).channel());
    client
        .confirm(request)
        .await
        .unwrap()
        .into_inner()
        .confirmed
}

/// The vote that `node` last gave, as its peers say it.
async fn last_vote(node: &Node) -> Vote {
    let status = node.client().status().await.unwrap();
    let vote = status.vote.unwrap();
    Vote {
        term: vote.term,
        node: vote.node_id,
        committed: vote.committed,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_voter_confirms_its_last_vote_only() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader().await;
    let voter = cluster.others(leader.id).next().unwrap();
    let vote = eventually("a vote for the leader", || async {
        let vote = last_vote(voter).await;
        (vote.node == leader.id).then_some(vote)
    })
    .await;
    assert!(confirms(&cluster, voter, leader.id, Some(vote)).await);
    let third = 6 - leader.id - voter.id;
    assert!(!confirms(&cluster, voter, third, Some(vote)).await);
    assert!(!confirms(&cluster, voter, leader.id, None).await);
    for term in [vote.term - 1, vote.term + 1] {
        let other = Some(Vote { term, ..vote });
        assert!(!confirms(&cluster, voter, leader.id, other).await);
    }
    leader.client().transfer_leader(third).await.unwrap();
    eventually("another leader", || async {
        (last_vote(voter).await.node == third).then_some(())
    })
    .await;
    assert!(!confirms(&cluster, voter, leader.id, Some(vote)).await);
}

/// Each write takes as long as the followers' disks; a read that comes after it is answered before it.
#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_does_not_wait_for_the_disks_of_the_voters() {
    let cluster = Cluster::prepare(3, &[]);
    cluster.node(1).start();
    for slow in cluster.others(1) {
        slow.spawn_with(&[("--failpoint", "log.sync.slow=sleep(300)")]);
    }
    let mut bank = Bank::open(&cluster).await;
    let leader = cluster.leader().await;
    if leader.id != 1 {
        leader.client().transfer_leader(1).await.unwrap();
        eventually("the leader whose disk is not slow", || async {
            (cluster.leader().await.id == 1).then_some(())
        })
        .await;
    }
    let (_, account, _) = cluster.node(1).client().two_accounts().await;
    let mut earlier = 0;
    for _ in 0..5 {
        let reads = async {
            // The write is on its way by then, and the followers' disks at work.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let client = cluster.node(1).client();
            for _ in 0..3 {
                client.balances(account).await;
            }
            std::time::Instant::now()
        };
        let write = async {
            bank.pay(&cluster, 1).await;
            std::time::Instant::now()
        };
        let (read, written) = tokio::join!(reads, write);
        earlier += usize::from(read < written);
    }
    assert!(earlier >= 4, "{earlier} of 5 reads did not wait");
    bank.check(&cluster.leader_client().await).await;
}
