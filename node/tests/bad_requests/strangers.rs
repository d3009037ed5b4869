//! Callers that mean another cluster, and calls at the wrong listener.

use farthing_proto::metadata::CLUSTER_ID;
use farthing_proto::peer::v1::peer_client::PeerClient;
use farthing_proto::peer::v1::{ProbeRequest, VoteRequest};
use farthing_proto::v1::{
    CreateAccountsRequest, CreateLedgersRequest, CreateTransfersRequest, LookupAccountsRequest,
    LookupRequest, StatusRequest, SubmitRequest, WriteRecordsRequest,
};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status};

use crate::support::{Client, Refusal, account, fresh_id, uuid};
use crate::world::World;

/// A message from somebody who says which cluster is meant.
fn meant_for<T>(cluster_id: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request
        .metadata_mut()
        .insert(CLUSTER_ID, MetadataValue::try_from(cluster_id).unwrap());
    request
}

fn mismatch<T>(answer: Result<Response<T>, Status>) {
    let status = answer
        .err()
        .expect("a caller of another cluster was served");
    Refusal::expect(&status, Code::FailedPrecondition, "CLUSTER_ID_MISMATCH");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_mean_another_cluster() {
    let world = World::start().await;
    let client = &world.client;
    let other = uuid(fresh_id());
    for id in [
        other.as_str(),
        "",
        "x",
        "00000000000000000000000000000000",
        &"f".repeat(33),
    ] {
        let transfers = CreateTransfersRequest {
            transfers: vec![world.good()],
        };
        mismatch(
            client
                .transfers()
                .create_transfers(meant_for(id, transfers))
                .await,
        );
        let accounts = CreateAccountsRequest {
            accounts: vec![account(fresh_id(), world.usd)],
        };
        mismatch(
            client
                .accounts()
                .create_accounts(meant_for(id, accounts))
                .await,
        );
        mismatch(
            client
                .accounts()
                .lookup_accounts(meant_for(id, LookupAccountsRequest::default()))
                .await,
        );
        mismatch(
            client
                .ledgers()
                .create_ledgers(meant_for(id, CreateLedgersRequest::default()))
                .await,
        );
        mismatch(
            client
                .records()
                .write_records(meant_for(id, WriteRecordsRequest::default()))
                .await,
        );
        mismatch(
            client
                .packed()
                .submit(meant_for(id, SubmitRequest::default()))
                .await,
        );
        mismatch(
            client
                .packed()
                .submit_stream(meant_for(id, tokio_stream::empty()))
                .await,
        );
        mismatch(
            client
                .packed()
                .lookup(meant_for(id, LookupRequest::default()))
                .await,
        );
        mismatch(client.admin().status(meant_for(id, StatusRequest {})).await);
    }
    // The right one is let in, in either form of an id, and told back.
    for id in [
        uuid(world.cluster.cluster_id),
        format!("{:032X}", world.cluster.cluster_id),
    ] {
        let answer = client
            .admin()
            .status(meant_for(&id, StatusRequest {}))
            .await
            .unwrap();
        let told = answer
            .metadata()
            .get(CLUSTER_ID)
            .expect("the answer names its cluster")
            .to_str()
            .unwrap();
        assert_eq!(told, uuid(world.cluster.cluster_id));
    }
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_wrong_listener() {
    let world = World::start().await;
    // What replicas say to each other is not said where clients listen.
    let mut peer = PeerClient::new(world.client.channel());
    assert_eq!(
        peer.probe(ProbeRequest {}).await.unwrap_err().code(),
        Code::Unimplemented
    );
    assert_eq!(
        peer.vote(VoteRequest::default()).await.unwrap_err().code(),
        Code::Unimplemented
    );
    // And no client is served where peers listen.
    let client = Client::new(&world.cluster.node(1).peer_address);
    let status = client.create_transfers(&[world.good()]).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
    assert_eq!(
        client.lookup_accounts(&[1]).await.unwrap_err().code(),
        Code::Unimplemented
    );
    assert_eq!(
        client.status().await.unwrap_err().code(),
        Code::Unimplemented
    );
    world.is_unchanged().await;
}
