//! What a storage needs to know, with defaults measured on two cores.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of one replica's storage.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's directory; storage uses `state`, `snapshots` and `incoming` below it.
    pub dir: PathBuf,
    /// Written into snapshots; one of another cluster is refused.
    pub cluster_id: u128,
    /// Staggers run boundaries, so that the nodes of a cluster do not write their runs at the same moment.
    pub node_id: u64,
    /// A window is sealed at this many transfers.
    pub run_transfers_max: usize,
    /// A window is sealed at this many bytes of memory. Up to three windows exist at a time.
    pub run_bytes_max: usize,
    /// A window that is not empty is sealed at this age, so that a quiet node's log can be purged too.
    pub run_interval: Duration,
    /// Accounts kept in memory for the apply thread (200 to 300 bytes each).
    pub accounts_in_memory_max: usize,
    /// RocksDB's block cache, index and filter blocks included.
    pub block_cache_bytes: usize,
    /// Files RocksDB keeps open.
    pub open_files_max: i32,
    /// Background threads of RocksDB.
    pub background_jobs: i32,
    /// Ceiling of what compactions and run files write, in bytes a second.
    pub background_write_bytes_per_s: u64,
    /// Runs wait while any family has this many files in its first level: reads must stay fast.
    pub first_level_files_max: u64,
    /// Id ranges remembered to answer "never seen" without a look at the disk.
    pub id_ranges_max: usize,
    /// Runs wait while the file system has less free than this and three times the run, in bytes: RocksDB must never
    /// meet a full disk, from which it would not recover.
    pub free_bytes_min: u64,
    /// Bytes the node may use on its disk; with less than the disk has, that is what counts as the disk's size.
    pub disk_quota_bytes: Option<u64>,
    /// Recompute the digest of a snapshot from its rows before it is installed: safe, and as slow as reading it all.
    pub verify_snapshots: bool,
}

impl Config {
    /// The defaults for a node's directory.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            cluster_id: 0,
            node_id: 0,
            run_transfers_max: 1_000_000,
            run_bytes_max: 256 << 20,
            run_interval: Duration::from_secs(60),
            accounts_in_memory_max: 1 << 20,
            block_cache_bytes: 128 << 20,
            open_files_max: 1_024,
            background_jobs: 2,
            background_write_bytes_per_s: 256 << 20,
            first_level_files_max: 24,
            id_ranges_max: 4_096,
            free_bytes_min: 256 << 20,
            disk_quota_bytes: None,
            verify_snapshots: true,
        }
    }
}
