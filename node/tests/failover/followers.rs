//! What a follower answers: writes with the leader's address, reads with the truth.

use std::time::{Duration, Instant};

use farthing_proto::error::Reason;
use farthing_proto::packed::transfers_section;
use farthing_proto::v1::{CreateTransferStatus, Role, SubmitRequest};
use tonic::Code;

use crate::bank::Bank;
use crate::support::{Cluster, Refusal, account, fresh_id, ledger, record, transfer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_names_the_leader() {
    let cluster = Cluster::start_with(3, &[("--admission-bytes", "300000")]);
    let bank = Bank::open(&cluster).await;
    let leader = cluster.leader().await;
    cluster.converge().await;
    for follower in cluster.others(leader.id) {
        let client = follower.client();
        let refused = [
            client
                .create_transfers(&[transfer(bank.from, bank.to, "1", bank.ledger)])
                .await
                .unwrap_err(),
            client
                .create_accounts(&[account(fresh_id(), bank.ledger)])
                .await
                .unwrap_err(),
            client
                .create_ledgers(&[ledger(7, "USD", 2)])
                .await
                .unwrap_err(),
            client
                .write_records(&[record(1, b"key", b"")])
                .await
                .unwrap_err(),
            client
                .submit(vec![transfers_section(&[bank.transfer()])])
                .await
                .unwrap_err(),
            client.transfer_leader(0).await.unwrap_err(),
        ];
        for status in refused {
            let refusal = Refusal::expect(&status, Code::Unavailable, "NOT_LEADER");
            assert_eq!(
                refusal.leader.as_deref(),
                Some(leader.client_address.as_str())
            );
        }
        // As often as one likes: what it refuses takes no room.
        let many: Vec<_> = (0..1_000).map(|_| bank.transfer()).collect();
        for _ in 0..4 {
            let sections = vec![transfers_section(&many)];
            let status = client.submit(sections).await.unwrap_err();
            Refusal::expect(&status, Code::Unavailable, "NOT_LEADER");
        }
        // On a stream the same, as a message.
        let sections = vec![transfers_section(&[bank.transfer()])];
        let request = SubmitRequest {
            request_number: 3,
            sections,
            deadline_ms: 0,
        };
        let replies = client
            .packed()
            .submit_stream(tokio_stream::once(request))
            .await
            .unwrap();
        let refusal = replies
            .into_inner()
            .message()
            .await
            .unwrap()
            .unwrap()
            .refusal
            .unwrap();
        assert_eq!(refusal.reason, Reason::NotLeader.as_str());
        assert_eq!(refusal.leader_address, leader.client_address);
        let status = client.status().await.unwrap();
        assert_eq!(
            (status.role(), status.leader_id),
            (Role::Follower, leader.id)
        );
        assert_eq!(status.leader_address, leader.client_address);
        assert_eq!(status.members.len(), 3);
    }
    bank.check(&leader.client()).await;
    // The address is where the next try succeeds.
    let results = leader
        .client()
        .create_transfers(&[transfer(bank.from, bank.to, "1", bank.ledger)])
        .await
        .unwrap();
    assert_eq!(results[0].status(), CreateTransferStatus::Created);
}

/// A read on any node sees what was acknowledged before it began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_reads_what_was_acknowledged() {
    let cluster = Cluster::start(3);
    let bank = Bank::open(&cluster).await;
    let leader = cluster.leader().await;
    let followers: Vec<_> = cluster
        .others(leader.id)
        .map(|node| node.client())
        .collect();
    let writer = leader.client();
    for number in 1..=50_u128 {
        let transfer = bank.transfer();
        let (_, index) = writer
            .submit(vec![transfers_section(&[transfer])])
            .await
            .unwrap();
        let client = &followers[number as usize % 2];
        assert_eq!(
            client.balances(bank.to).await,
            [0, 0, 0, number],
            "a stale read"
        );
        assert!(client.lookup_transfers(&[transfer.id.0]).await.unwrap()[0].is_some());
        // By the index that came with the acknowledgement, without asking the leader.
        let other = followers[(number as usize + 1) % 2].clone().at_least(index);
        let [.., credits] = other.balances(bank.to).await;
        assert!(
            credits >= number,
            "a read at index {index} sees {credits}, not {number}"
        );
    }
    cluster.converge().await;
    assert_eq!(
        followers[0].clone().stale().balances(bank.to).await,
        [0, 0, 0, 50]
    );
}

/// An index that is not there yet is waited for until the deadline, and no longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_the_future_is_refused_at_the_deadline() {
    let cluster = Cluster::start(3);
    let bank = Bank::open(&cluster).await;
    for node in cluster.nodes() {
        let client = node
            .client()
            .at_least(1_000_000)
            .with_message_deadline(Duration::from_millis(400));
        let began = Instant::now();
        let status = client.lookup_accounts(&[bank.from]).await.unwrap_err();
        Refusal::expect(&status, Code::Unavailable, "INDEX_NOT_REACHED");
        let took = began.elapsed();
        assert!(
            took > Duration::from_millis(200) && took < Duration::from_millis(650),
            "{took:?}"
        );
    }
}
