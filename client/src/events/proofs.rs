//! Checkpoints of the tree over all events, and proofs against them, as nodes give them. Whoever checks them needs no
//! node: the crate `proofs` does.

use bytes::Bytes;
use farthing_proto::v1;
use farthing_proto::v1::events_client::EventsClient;

use crate::client::Client;
use crate::error::Error;
use crate::queries::read::unreadable;

/// A node's word on the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The signed note: the tree's name, its size, its root in base64, and signatures.
    pub note: String,
    /// The key that checks it, as the node has it. Compare it with the one in the log: record `node-key/ID` of
    /// namespace 3.
    pub public_key: String,
}

impl SignedCheckpoint {
    /// The last sequence in the tree.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when the note is none.
    pub fn size(&self) -> Result<u64, Error> {
        let size = self.note.lines().nth(1).and_then(|line| line.parse().ok());
        size.ok_or_else(|| unreadable("its checkpoint does not say its size"))
    }
}

/// That an event is in the tree of `size`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The event's bytes: those that are hashed.
    pub event: Bytes,
    /// The last sequence in the tree.
    pub size: u64,
    /// Hashes, from the bottom.
    pub path: Vec<[u8; 32]>,
    /// Of the tree.
    pub root: [u8; 32],
}

/// That a tree begins with an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The last sequence in the later tree.
    pub size: u64,
    /// Hashes.
    pub path: Vec<[u8; 32]>,
    /// Of the earlier tree.
    pub earlier_root: [u8; 32],
    /// Of the later tree.
    pub root: [u8; 32],
}

impl Client {
    /// The newest checkpoint that a node has signed, at most a second or 10,000 events old while events come.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, Error> {
        self.checkpoint_of(0).await
    }

    /// A checkpoint of the tree of `size`, signed when it is asked for; 0 = the newest.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the node does not have the tree yet.
    pub async fn checkpoint_of(&self, size: u64) -> Result<SignedCheckpoint, Error> {
        let request = v1::GetCheckpointRequest { size };
        let reply = self
            .ask_any(request, |channel, request| async move {
                EventsClient::new(channel).get_checkpoint(request).await
            })
            .await?;
        Ok(SignedCheckpoint {
            note: reply.note,
            public_key: reply.public_key,
        })
    }

    /// The path from an event to the root of the tree of `size`; 0 = of the newest checkpoint.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the tree does not have the event, or the node not the tree yet.
    pub async fn prove_inclusion(&self, sequence: u64, size: u64) -> Result<InclusionProof, Error> {
        let request = v1::ProveInclusionRequest { sequence, size };
        let reply = self
            .ask_any(request, |channel, request| async move {
                EventsClient::new(channel).prove_inclusion(request).await
            })
            .await?;
        Ok(InclusionProof {
            event: reply.event,
            size: reply.size,
            path: hashes(&reply.path)?,
            root: hash(&reply.root)?,
        })
    }

    /// That the tree of `size` (0 = of the newest checkpoint) begins with that of `earlier_size`.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the sizes do not fit each other, or the node does not have the tree yet.
    pub async fn prove_consistency(
        &self,
        earlier_size: u64,
        size: u64,
    ) -> Result<ConsistencyProof, Error> {
        let request = v1::ProveConsistencyRequest { earlier_size, size };
        let reply = self
            .ask_any(request, |channel, request| async move {
                EventsClient::new(channel).prove_consistency(request).await
            })
            .await?;
        Ok(ConsistencyProof {
            size: reply.size,
            path: hashes(&reply.path)?,
            earlier_root: hash(&reply.earlier_root)?,
            root: hash(&reply.root)?,
        })
    }

    /// The roots of the largest complete subtrees of the tree of `size`, from the left: it can be grown from them by the
    /// events that follow.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] when the node does not have the tree yet.
    pub async fn peaks(&self, size: u64) -> Result<Vec<[u8; 32]>, Error> {
        let request = v1::GetPeaksRequest { size };
        let reply = self
            .ask_any(request, |channel, request| async move {
                EventsClient::new(channel).get_peaks(request).await
            })
            .await?;
        hashes(&reply.peaks)
    }
}

fn hashes(hashes: &[Bytes]) -> Result<Vec<[u8; 32]>, Error> {
    hashes.iter().map(hash).collect()
}

fn hash(bytes: &Bytes) -> Result<[u8; 32], Error> {
    let hash = <[u8; 32]>::try_from(bytes.as_ref());
    hash.map_err(|_| unreadable(&format!("a hash has 32 bytes, not {}", bytes.len())))
}
