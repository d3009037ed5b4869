//! Checkpoints and proofs, checked by what needs no node.

use std::str::FromStr;
use std::time::Duration;

use farthing_proofs::{Change, Frontier, Hash, Note, Verifier, consistency, inclusion};
use farthing_proto::v1::{
    GetCheckpointRequest, GetPeaksRequest, ProveConsistencyRequest, ProveInclusionRequest,
};
use tonic::Code;

use crate::stream::{Stream, World, packed};
use crate::support::{Client, Cluster, Node, eventually, transfer};

/// The newest checkpoint of a node, checked with the key that the log has for it.
async fn checkpoint(cluster: &Cluster, node: &Node) -> Note {
    let client = cluster.leader_client().await;
    let key = format!("node-key/{}", node.id);
    let text = eventually("the node's key in the log", || async {
        let found = client.record(3, key.as_bytes()).await;
        found.record.map(|record| record.value)
    })
    .await;
    let verifier = Verifier::from_str(std::str::from_utf8(&text).unwrap()).unwrap();
    let request = GetCheckpointRequest::default();
    let reply = node
        .client()
        .events()
        .get_checkpoint(request)
        .await
        .unwrap();
    let reply = reply.into_inner();
    assert_eq!(reply.public_key.as_bytes(), text.as_ref());
    let note = Note::from_str(&reply.note).unwrap();
    note.verify(&verifier).unwrap();
    note
}

/// A checkpoint that covers a sequence.
async fn covering(cluster: &Cluster, node: &Node, sequence: u64) -> Note {
    eventually("a checkpoint", || async {
        let note = checkpoint(cluster, node).await;
        (note.checkpoint.size >= sequence).then_some(note)
    })
    .await
}

async fn leaves(client: &Client, last: u64) -> Vec<Hash> {
    let mut stream = Stream::open(client, packed()).await.unwrap();
    let mut leaves: Vec<Hash> = stream
        .up_to(last)
        .await
        .iter()
        .map(|it| Hash::of_leaf(it))
        .collect();
    leaves.truncate(last as usize);
    leaves
}

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Frontier::new();
    leaves
        .iter()
        .for_each(|leaf| tree.push(*leaf, |_, _, _| ()));
    tree.root()
}

fn hashes(hashes: &[bytes::Bytes]) -> Vec<Hash> {
    let hash = |hash: &bytes::Bytes| Hash(hash.as_ref().try_into().unwrap());
    hashes.iter().map(hash).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_signs_the_tree_of_the_same_events() {
    let cluster = Cluster::start(3);
    let world = World::make(&cluster).await;
    let mut signers = vec![];
    for node in cluster.nodes() {
        let note = covering(&cluster, node, world.last).await;
        let leaves = leaves(&node.client(), note.checkpoint.size).await;
        assert_eq!(note.checkpoint.root, root(&leaves), "node {}", node.id);
        signers.push(note.signatures[0].by.clone());
    }
    signers.dedup();
    assert_eq!(signers.len(), 3, "each by its own key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_shows_one_event_and_what_was_before() {
    let cluster = Cluster::start(1);
    let world = World::make(&cluster).await;
    let node = cluster.node(1);
    let client = node.client();
    for _ in 0..300 {
        let paid = transfer(world.a, world.b, "0.01", world.usd);
        client.create_transfers(&[paid]).await.unwrap();
    }
    let earlier = covering(&cluster, node, world.last).await.checkpoint;
    let note = covering(&cluster, node, world.last + 300).await.checkpoint;
    let mut events = client.events();
    for sequence in [1, 2, world.last, 255, 256, 257, note.size] {
        let request = ProveInclusionRequest {
            sequence,
            size: note.size,
        };
        let proof = events.prove_inclusion(request).await.unwrap().into_inner();
        let change = Change::from_bytes(&proof.event).unwrap();
        assert_eq!(change.sequence(), sequence);
        let path = hashes(&proof.path);
        inclusion::verify(&change.leaf(), sequence - 1, note.size, &path, &note.root).unwrap();
        let other = Hash::of_leaf(b"another event");
        inclusion::verify(&other, sequence - 1, note.size, &path, &note.root).unwrap_err();
    }
    let request = ProveConsistencyRequest {
        earlier_size: earlier.size,
        size: note.size,
    };
    let proof = events
        .prove_consistency(request)
        .await
        .unwrap()
        .into_inner();
    let path = hashes(&proof.path);
    consistency::verify(earlier.size, &earlier.root, note.size, &note.root, &path).unwrap();
    let peaks = GetPeaksRequest { size: world.last };
    let peaks = events.get_peaks(peaks).await.unwrap().into_inner().peaks;
    let mut tree = Frontier::from_peaks(world.last, hashes(&peaks)).unwrap();
    let leaves = leaves(&client, note.size).await;
    for leaf in &leaves[world.last as usize..] {
        tree.push(*leaf, |_, _, _| ());
    }
    assert_eq!(tree.root(), note.root, "an export may begin anywhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_are_a_second_apart_and_outlive_a_restart() {
    let cluster = Cluster::start(1);
    let world = World::make(&cluster).await;
    let node = cluster.node(1);
    let before = covering(&cluster, node, world.last).await.checkpoint;
    let client = node.client();
    let paid = transfer(world.a, world.b, "0.01", world.usd);
    client.create_transfers(&[paid]).await.unwrap();
    let began = std::time::Instant::now();
    covering(&cluster, node, before.size + 1).await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    node.kill();
    node.start();
    let after = covering(&cluster, node, before.size + 1).await;
    let leaves = leaves(&node.client(), after.checkpoint.size).await;
    assert_eq!(root(&leaves[..before.size as usize]), before.root);
    assert_eq!(root(&leaves), after.checkpoint.root);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_cannot_be_proven() {
    let cluster = Cluster::start(1);
    let world = World::make(&cluster).await;
    let mut events = cluster.node(1).client().events();
    let far = world.last + 1_000;
    for (sequence, size) in [
        (0, world.last),
        (world.last, world.last - 1),
        (far, far),
        (1, far),
    ] {
        let request = ProveInclusionRequest { sequence, size };
        let status = events.prove_inclusion(request).await.unwrap_err();
        assert_eq!(
            status.code(),
            Code::InvalidArgument,
            "{sequence} of {size}: {status:?}"
        );
    }
    let request = ProveConsistencyRequest {
        earlier_size: world.last,
        size: world.last - 1,
    };
    let status = events.prove_consistency(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let status = events
        .get_peaks(GetPeaksRequest { size: far })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}
