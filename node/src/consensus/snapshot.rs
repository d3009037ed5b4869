//! A checkpoint on the wire: a header with the manifest, then its files in chunks. The receiver keeps the chunks in
//! `DIR/incoming` and checks every file against the manifest before Raft hears of it.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::snapshot_chunk::Part;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::blocking;
use super::convert;
use super::identity::speaks_for_itself;
use super::types::{RaftVote, StoredMembership, TypeConfig, decode_membership, from_log_id};
use crate::log;
use crate::storage::{self, Manifest, SnapshotSource, Store};

/// Bytes of a file in one message.
const CHUNK_BYTES: usize = 1 << 20;
/// Messages read ahead of the network.
const CHUNKS_AHEAD: usize = 4;

/// The files of a snapshot, complete and checked, in a directory of this node.
#[derive(Debug, Clone)]
pub(crate) enum SnapshotFiles {
    /// The state before the first entry: nothing to send.
    Nothing,
    /// A checkpoint of this node's own state, to be sent.
    Own(Arc<dyn SnapshotSource>),
    /// What a leader sent, to be installed.
    Received { dir: PathBuf, manifest: Manifest },
}

impl SnapshotFiles {
    fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Nothing => None,
            Self::Own(checkpoint) => Some(checkpoint.manifest()),
            Self::Received { manifest, .. } => Some(manifest),
        }
    }
}

pub(crate) type RaftSnapshot = openraft::alias::SnapshotOf<TypeConfig, SnapshotFiles>;

/// What openraft needs to know of a checkpoint.
pub(crate) fn describe(files: SnapshotFiles) -> std::io::Result<RaftSnapshot> {
    let last_log_id = files
        .manifest()
        .map(|manifest| raft_log_id(&manifest.log_id));
    let last_membership = match files
        .manifest()
        .and_then(|manifest| manifest.membership.as_ref())
    {
        Some((log_id, bytes)) => {
            StoredMembership::new(Some(raft_log_id(log_id)), decode_membership(bytes)?)
        }
        None => StoredMembership::default(),
    };
    let meta = openraft::alias::SnapshotMetaOf::<TypeConfig> {
        last_log_id,
        last_membership,
    };
    Ok(RaftSnapshot {
        meta,
        snapshot: files,
    })
}

fn raft_log_id(id: &storage::LogId) -> super::types::RaftLogId {
    from_log_id(&log::LogId {
        term: id.term,
        node: id.node,
        index: id.index,
    })
}

/// The messages of a snapshot, read as fast as the network takes them, off the Raft thread. The second value resolves
/// with a reason if reading fails.
pub(crate) fn send(
    vote: Option<RaftVote>,
    files: SnapshotFiles,
) -> (
    ReceiverStream<wire::SnapshotChunk>,
    impl Future<Output = String> + Send,
) {
    let (chunks, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let (failed, failure) = oneshot::channel();
    tokio::spawn(async move {
        if let Err(error) = read_files(vote.as_ref(), &files, &chunks).await {
            let _ = failed.send(format!("reading a snapshot: {error}"));
        }
    });
    let failure = async move {
        match failure.await {
            Ok(why) => why,
            Err(_) => std::future::pending().await, // everything was read
        }
    };
    (ReceiverStream::new(receiver), failure)
}

async fn read_files(
    vote: Option<&RaftVote>,
    files: &SnapshotFiles,
    chunks: &mpsc::Sender<wire::SnapshotChunk>,
) -> std::io::Result<()> {
    let SnapshotFiles::Own(checkpoint) = files else {
        return Err(other("only an own checkpoint is sent"));
    };
    let header = wire::SnapshotHeader {
        vote: vote.map(convert::vote_to_wire),
        manifest: Bytes::from(checkpoint.manifest().to_bytes().map_err(other)?),
    };
    let send = async |part: Part| {
        let sent = chunks.send(wire::SnapshotChunk { part: Some(part) }).await;
        sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))
    };
    send(Part::Header(header)).await?;
    for (position, file) in checkpoint.manifest().files.iter().enumerate() {
        let of = Arc::clone(checkpoint);
        let opened = blocking::run(move || of.open(position)).await?;
        let mut source = opened.map_err(|error| {
            checkpoint.condemn();
            other(error)
        })?;
        let number = u32::try_from(position).map_err(other)?;
        let (mut offset, mut crc) = (0, 0);
        while offset < file.length {
            let wanted = usize::try_from(file.length - offset)
                .unwrap_or(usize::MAX)
                .min(CHUNK_BYTES);
            let (back, data) = blocking::run(move || {
                let mut data = vec![0; wanted];
                let read = source.read_exact(&mut data);
                (source, read.map(|()| data))
            })
            .await?;
            source = back;
            let data = data.inspect_err(|_| checkpoint.condemn())?;
            crc = crc32c::crc32c_append(crc, &data);
            send(Part::Chunk(wire::FileChunk {
                file: number,
                offset,
                data: Bytes::from(data),
            }))
            .await?;
            offset += wanted as u64;
        }
        if crc != file.crc32c {
            tracing::error!(
                file = file.name,
                "a snapshot's file is damaged: another snapshot takes its place"
            );
            checkpoint.condemn();
            return Err(other("a file of the snapshot is damaged"));
        }
    }
    Ok(())
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> std::io::Error {
    std::io::Error::other(error)
}

/// Takes the messages of one snapshot.
pub(crate) struct Receiver {
    storage: Arc<dyn Store>,
    from: u64,
}

impl Receiver {
    pub(crate) fn new(storage: Arc<dyn Store>, from: u64) -> Self {
        Self { storage, from }
    }

    /// Receives everything and checks it; an error leaves nothing behind that a restart does not clear.
    pub(crate) async fn receive(
        self,
        mut chunks: Streaming<wire::SnapshotChunk>,
    ) -> Result<(RaftVote, RaftSnapshot), Status> {
        let Some(wire::SnapshotChunk {
            part: Some(Part::Header(header)),
        }) = chunks.message().await?
        else {
            return Err(Status::invalid_argument(
                "a snapshot begins with its header",
            ));
        };
        let vote = convert::vote_from_wire(header.vote)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        // Before its files are taken: a stranger must not fill the disk.
        speaks_for_itself(self.from, &vote)?;
        let files = self.take(&header.manifest, chunks, 0).await?;
        let snapshot = describe(files).map_err(|error| Status::internal(error.to_string()))?;
        Ok((vote, snapshot))
    }

    /// The same of an answer to a question of this node: it comes without a vote, and must reach entry `index_min`.
    pub(crate) async fn receive_files(
        self,
        mut chunks: Streaming<wire::SnapshotChunk>,
        index_min: u64,
    ) -> Result<SnapshotFiles, Status> {
        match chunks.message().await?.and_then(|chunk| chunk.part) {
            Some(Part::Header(header)) => self.take(&header.manifest, chunks, index_min).await,
            _ => Err(Status::invalid_argument(
                "a checkpoint begins with its header",
            )),
        }
    }

    async fn take(
        self,
        manifest: &[u8],
        mut chunks: Streaming<wire::SnapshotChunk>,
        index_min: u64,
    ) -> Result<SnapshotFiles, Status> {
        let manifest = Manifest::from_bytes(manifest)
            .map_err(|error| Status::invalid_argument(format!("manifest: {error}")))?;
        if manifest.log_id.index < index_min {
            return Err(Status::invalid_argument("it does not reach far enough"));
        }
        tracing::info!(from = self.from, log_id = ?manifest.log_id, files = manifest.files.len(), "receiving a snapshot");
        let mut incoming = blocking(move || self.storage.receive(manifest)).await?;
        while let Some(chunk) = chunks.message().await? {
            let Some(Part::Chunk(chunk)) = chunk.part else {
                return Err(Status::invalid_argument("a snapshot has one header"));
            };
            incoming = blocking(move || {
                incoming.write(chunk.file as usize, chunk.offset, &chunk.data)?;
                Ok(incoming)
            })
            .await?;
        }
        let (dir, manifest) = blocking(move || incoming.finish()).await?;
        Ok(SnapshotFiles::Received { dir, manifest })
    }
}

/// File work off the Raft thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, storage::Error> + Send + 'static,
) -> Result<T, Status> {
    match blocking::run(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Status::internal(format!("snapshot: {error}"))),
        Err(error) => Err(Status::internal(format!("snapshot: {error}"))),
    }
}
