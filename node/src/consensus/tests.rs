//! openraft's own conformance suite on our log and our state, on a real disk.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::log_store::LogStore;
use super::machine::Machine;
use super::types::TypeConfig;
use crate::disk::RealDisk;
use crate::log::{self, Log};
use crate::state;
use crate::storage::{self, DurableLog, Storage};

struct Durable(Log);

impl DurableLog for Durable {
    fn wait_durable(&self, index: u64, timeout: Duration) -> bool {
        self.0.wait_durable(index, timeout).unwrap_or(false)
    }
}

/// What a store of one test stands on; dropped after it.
struct Ground {
    _dir: TempDir,
    log: Log,
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.log.close();
    }
}

struct Builder;

impl StoreBuilder<TypeConfig, LogStore, Machine, Ground> for Builder {
    async fn build(&self) -> Result<(Ground, LogStore, Machine), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().unwrap();
        let mut config = log::Config::new(dir.path().join("log"), 1, 1);
        config.segment_bytes = 8 << 20;
        config.spare_segments = 1;
        let log = Log::open(Arc::new(RealDisk), config).unwrap();
        let storage_config = storage::Config { cluster_id: 1, node_id: 1, ..storage::Config::new(dir.path()) };
        let (writer, storage) = Storage::open(storage_config, Arc::new(Durable(log.clone()))).unwrap();
        let (state, _thread) = state::start(writer, storage.clone()).unwrap();
        let machine = Machine::new(state, storage);
        Ok((Ground { _dir: dir, log: log.clone() }, LogStore::new(log), machine))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openrafts_suite_passes() {
    Suite::test_all(Builder).await.unwrap();
}
