//! openraft's own conformance suite on our log and our state, on a real disk; and what it does not ask: that nothing is
//! promised before it is durable.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use openraft::StorageError;
use openraft::entry::RaftEntry as _;
use openraft::storage::{EntryResponder, IOFlushed, RaftLogStorage, RaftStateMachine};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::TypeConfigExt as _;
use tempfile::TempDir;

use super::log_store::LogStore;
use super::machine::{Builder as SnapshotBuilder, Machine};
use super::snapshot::{RaftSnapshot, SnapshotFiles};
use super::types::{
    CommittedLeader, RaftEntry, RaftLogId, StoredMembership, TypeConfig, from_vote,
};
use crate::disk::{Effect, FaultDisk, MemoryDisk, RealDisk, Rule, Target};
use crate::log::{self, Log};
use crate::state;
use crate::storage::{self, DurableLog, Storage};

/// The suite applies entries that are in no log, so a run would wait for ever for the log to have them.
struct Durable;

impl DurableLog for Durable {
    fn wait_durable(&self, _index: u64, _timeout: Duration) -> bool {
        true
    }
}

/// What a store of one test stands on; dropped after it.
struct Ground {
    _dir: TempDir,
    log: Log,
    storage: storage::Handle,
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.storage.shutdown();
        self.log.close();
    }
}

/// The suite applies entries with gaps between them, which Raft never does and our state refuses. This fills the gaps
/// with blank entries and otherwise only passes on.
struct Gapless(Machine);

impl RaftStateMachine<TypeConfig> for Gapless {
    type SnapshotData = SnapshotFiles;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> std::io::Result<(Option<RaftLogId>, StoredMembership)> {
        self.0.applied_state().await
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> std::io::Result<()>
    where
        Strm: Stream<Item = std::io::Result<EntryResponder<TypeConfig>>> + Unpin + Send,
    {
        let mut next = self.0.applied_state().await?.0.map(|id| id.index + 1);
        let mut filled = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            let id = entry.0.log_id();
            for index in next.unwrap_or(id.index)..id.index {
                let blank = RaftEntry::new_blank(RaftLogId::new(id.leader_id, index));
                filled.push(Ok((blank, None)));
            }
            next = Some(id.index + 1);
            filled.push(Ok(entry));
        }
        self.0.apply(futures::stream::iter(filled)).await
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        self.0.get_snapshot_builder().await
    }

    async fn install_snapshot(
        &mut self,
        meta: &openraft::alias::SnapshotMetaOf<TypeConfig>,
        snapshot: SnapshotFiles,
    ) -> std::io::Result<()> {
        // Between two nodes a snapshot crosses the wire; here its files are copied as the receiver would write them.
        let SnapshotFiles::Own(checkpoint) = snapshot else {
            return self.0.install_snapshot(meta, snapshot).await;
        };
        let mut incoming = self
            .0
            .storage()
            .receive(checkpoint.manifest().clone())
            .map_err(std::io::Error::other)?;
        for position in 0..checkpoint.manifest().files.len() {
            let mut bytes = Vec::new();
            let mut file = checkpoint.open(position).map_err(std::io::Error::other)?;
            std::io::Read::read_to_end(&mut file, &mut bytes)?;
            if !bytes.is_empty() {
                incoming
                    .write(position, 0, &bytes)
                    .map_err(std::io::Error::other)?;
            }
        }
        let (dir, manifest) = incoming.finish().map_err(std::io::Error::other)?;
        self.0
            .install_snapshot(meta, SnapshotFiles::Received { dir, manifest })
            .await
    }

    async fn get_current_snapshot(&mut self) -> std::io::Result<Option<RaftSnapshot>> {
        self.0.get_current_snapshot().await
    }
}

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, Gapless, Ground> for Builder {
    async fn build(&self) -> Result<(Ground, LogStore, Gapless), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let mut config = log::Config::new(dir.path().join("log"), 1, 1);
        config.segment_bytes = 8 << 20;
        config.spare_segments = 1;
        let log = Log::open(Arc::new(RealDisk), config).unwrap();
        let storage_config = storage::Config {
            cluster_id: 1,
            node_id: 1,
            ..storage::Config::new(dir.path())
        };
        let (writer, storage) = Storage::open(storage_config, Arc::new(Durable)).unwrap();
        let (state, _thread) = state::start(writer, storage.clone()).unwrap();
        let machine = Gapless(Machine::new(state, Arc::new(storage.clone()), log.clone()));
        Ok((
            Ground {
                _dir: dir,
                log: log.clone(),
                storage,
            },
            LogStore::new(log),
            machine,
        ))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openrafts_suite_passes() {
    Suite::test_all(Builder).await.unwrap();
}

/// A vote or an entry that is answered before it is on disk is forgotten by a power cut, and then given twice.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_promised_that_the_disk_has_not_taken() {
    let entry = |index| RaftEntry::new_blank(RaftLogId::new(CommittedLeader::new(1), index));
    for operation in ["append", "vote", "truncate", "purge"] {
        let disk = FaultDisk::new(Arc::new(MemoryDisk::new()));
        let config = log::Config {
            segment_bytes: 64 << 10,
            ..log::Config::new("log", 1, 1)
        };
        let log = Log::open(Arc::new(disk.clone()), config).unwrap();
        let mut store = LogStore::new(log.clone());
        let mut perform = async |operation, indexes: std::ops::RangeInclusive<u64>| {
            let at = RaftLogId::new(CommittedLeader::new(1), 1);
            let vote = from_vote(&log::Vote {
                term: 2,
                node: 3,
                committed: false,
            });
            match operation {
                "append" => {
                    let (flushed, done) = TypeConfig::oneshot();
                    let entries = indexes.map(entry);
                    let flushed = IOFlushed::signal(flushed);
                    store.append(entries, flushed).await?;
                    done.await.map_err(std::io::Error::other)?
                }
                "vote" => store.save_vote(&vote).await,
                "truncate" => store.truncate_after(Some(at)).await,
                _ => store.purge(at).await,
            }
        };
        perform("append", 1..=3).await.unwrap();
        disk.add(Rule {
            target: Target::SyncData,
            path: String::new(),
            skip: 0,
            count: u64::MAX,
            effect: Effect::FailOs(5),
        });
        let promised = perform(operation, 4..=4).await;
        assert!(promised.is_err(), "{operation} was promised");
        log.close();
    }
}
