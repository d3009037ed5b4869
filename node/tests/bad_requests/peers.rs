//! The peers' listener: callers that do not say who they are, mean somebody else, or forge a vote.

use farthing_proto::peer::v1::peer_client::PeerClient;
use farthing_proto::peer::v1::snapshot_chunk::Part;
use farthing_proto::peer::v1::{
    AppendRequest, ConfirmRequest, LogId, ProbeRequest, ReadIndexRequest, SnapshotChunk,
    SnapshotHeader, TransferLeaderRequest, Vote, VoteRequest,
};
use farthing_proto::v1::Role;
use tonic::{Code, Request, Status};

use crate::support::{Client, fresh_id, uuid};
use crate::world::World;

/// The highest vote anybody has seen, said to be of node 1.
const FORGED: Vote = Vote {
    term: 1_000_000,
    node: 1,
    committed: true,
};

/// Who says that it calls whom.
#[derive(Debug, Clone)]
struct Claim {
    cluster_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

impl Claim {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        for (key, value) in [
            ("farthing-cluster-id", &self.cluster_id),
            ("farthing-from", &self.from),
            ("farthing-to", &self.to),
        ] {
            if let Some(value) = value {
                request.metadata_mut().insert(key, value.parse().unwrap());
            }
        }
        request
    }

    /// A snapshot from node 1: it is not even looked at before the sender is known.
    async fn snapshot(&self, address: &str) -> Code {
        let header = SnapshotHeader {
            vote: Some(FORGED),
            manifest: b"no manifest".as_slice().into(),
        };
        let chunk = SnapshotChunk {
            part: Some(Part::Header(header)),
        };
        let mut client = PeerClient::new(Client::new(address).channel());
        let request = self.request(tokio_stream::once(chunk));
        client.install_snapshot(request).await.unwrap_err().code()
    }

    /// How many of the appends on a stream are answered.
    async fn answered_appends(&self, address: &str) -> usize {
        let append = AppendRequest {
            vote: Some(FORGED),
            ..Default::default()
        };
        let mut client = PeerClient::new(Client::new(address).channel());
        let request = self.request(tokio_stream::iter([append.clone(), append]));
        let mut replies = client.append_stream(request).await.unwrap().into_inner();
        let mut answered = 0;
        while let Ok(Some(_)) = replies.message().await {
            answered += 1;
        }
        answered
    }

    /// Every call of the service with this claim.
    async fn codes(&self, address: &str) -> Vec<Code> {
        let mut client = PeerClient::new(Client::new(address).channel());
        let vote = FORGED;
        let last = LogId {
            term: 1_000_000,
            index: 1_000_000,
        };
        let append = AppendRequest {
            vote: Some(vote),
            committed: Some(last),
            ..Default::default()
        };
        let stands = VoteRequest {
            vote: Some(vote),
            last_log_id: Some(last),
            leadership_transfer: true,
        };
        let hand_over = TransferLeaderRequest {
            from_leader: Some(vote),
            to: 1,
            last_log_id: Some(last),
        };
        let code = |answer: Option<Status>| answer.map_or(Code::Ok, |status| status.code());
        vec![
            code(client.append(self.request(append.clone())).await.err()),
            code(
                client
                    .append_stream(self.request(tokio_stream::once(append)))
                    .await
                    .err(),
            ),
            code(client.vote(self.request(stands)).await.err()),
            code(client.pre_vote(self.request(stands)).await.err()),
            code(
                client
                    .install_snapshot(self.request(tokio_stream::once(SnapshotChunk::default())))
                    .await
                    .err(),
            ),
            code(client.transfer_leader(self.request(hand_over)).await.err()),
            code(
                client
                    .read_index(self.request(ReadIndexRequest {}))
                    .await
                    .err(),
            ),
            code(client.probe(self.request(ProbeRequest {})).await.err()),
            code(
                client
                    .confirm(self.request(ConfirmRequest::default()))
                    .await
                    .err(),
            ),
        ]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_do_not_say_who_they_are_or_mean_somebody_else() {
    let world = World::start().await;
    let node = world.cluster.node(1);
    let before = world.client.status().await.unwrap();
    let right = Claim {
        cluster_id: Some(format!("{:032x}", world.cluster.cluster_id)),
        from: Some("2".into()),
        to: Some("1".into()),
    };
    let rows: Vec<(Code, Claim)> = vec![
        (
            Code::Unauthenticated,
            Claim {
                cluster_id: None,
                from: None,
                to: None,
            },
        ),
        (
            Code::Unauthenticated,
            Claim {
                cluster_id: None,
                ..right.clone()
            },
        ),
        (
            Code::Unauthenticated,
            Claim {
                from: None,
                ..right.clone()
            },
        ),
        (
            Code::Unauthenticated,
            Claim {
                to: None,
                ..right.clone()
            },
        ),
        (
            Code::Unauthenticated,
            Claim {
                from: Some("x".into()),
                ..right.clone()
            },
        ),
        // A vote with the highest term, from a node of another cluster at a reused address.
        (
            Code::FailedPrecondition,
            Claim {
                cluster_id: Some(format!("{:032x}", fresh_id())),
                ..right.clone()
            },
        ),
        (
            Code::FailedPrecondition,
            Claim {
                cluster_id: Some(String::new()),
                ..right.clone()
            },
        ),
        (
            Code::FailedPrecondition,
            Claim {
                cluster_id: Some("x".into()),
                ..right.clone()
            },
        ),
        (
            Code::FailedPrecondition,
            Claim {
                to: Some("2".into()),
                ..right.clone()
            },
        ),
        (
            Code::FailedPrecondition,
            Claim {
                to: Some("x".into()),
                ..right.clone()
            },
        ),
    ];
    for (expected, claim) in rows {
        let codes = claim.codes(&node.peer_address).await;
        assert!(
            codes.iter().all(|code| *code == expected),
            "{claim:?}: {codes:?} instead of {expected:?}"
        );
    }
    let after = world.client.status().await.unwrap();
    assert_eq!(
        (after.term, after.vote, after.role()),
        (before.term, before.vote, Role::Leader)
    );
    assert_eq!(after.cluster_id, uuid(world.cluster.cluster_id));
    world.is_unchanged().await;
}

/// Every vote, append and hand-over names the node it comes from; one that names another is a forgery.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_speaks_for_another() {
    let world = World::start().await;
    let node = world.cluster.node(1);
    let before = world.client.status().await.unwrap();
    let stranger = Claim {
        cluster_id: Some(format!("{:032x}", world.cluster.cluster_id)),
        from: Some("99".into()),
        to: Some("1".into()),
    };
    // The claim's votes name node 1, and the caller says that it is node 99.
    let codes = stranger.codes(&node.peer_address).await;
    assert_eq!(
        stranger.snapshot(&node.peer_address).await,
        Code::PermissionDenied
    );
    assert_eq!(stranger.answered_appends(&node.peer_address).await, 0);
    for (call, position) in [
        ("append", 0),
        ("vote", 2),
        ("pre_vote", 3),
        ("transfer_leader", 5),
    ] {
        assert_eq!(codes[position], Code::PermissionDenied, "{call}: {codes:?}");
    }
    let after = world.client.status().await.unwrap();
    assert_eq!(
        (after.term, after.vote, after.role()),
        (before.term, before.vote, Role::Leader)
    );
    world.is_unchanged().await;
}
