//! What a log needs to be told, and what it tells about itself.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::record::{ALIGNMENT, PREAMBLE_RECORDS, RECORD_HEADER_BYTES};
use super::segment::SEGMENT_HEADER_BYTES;
use super::{Damage, OpenError};

/// The largest payload of an entry, bytes.
pub const ENTRY_BYTES_MAX: usize = 16 << 20;

/// Called once, from one of the log's threads, with the failure that stopped the log. The node is expected to stop.
pub type OnFatal = Arc<dyn Fn(&io::Error) + Send + Sync + 'static>;

/// Settings of a log.
#[derive(Clone)]
pub struct Config {
    /// The log's directory; created if missing. Nobody else may use it.
    pub dir: PathBuf,
    /// Cluster the log belongs to; a segment of another is refused.
    pub cluster_id: u128,
    /// Node the log belongs to; a segment of another is refused.
    pub node_id: u64,
    /// Size of a new segment: a multiple of 4,096, 8 KiB to 1 GiB. Existing segments keep theirs.
    pub segment_bytes: u32,
    /// Payload and bookkeeping bytes of recent entries kept in memory for readers. Entries that are not durable yet
    /// are kept above it.
    pub tail_bytes_max: u64,
    /// [`super::Log::is_congested`] above this many bytes submitted and not durable. Appends never block: whoever
    /// admits work must consult it, then the queue is bounded by this plus what was admitted before.
    pub queue_bytes_high: u64,
    /// Zero-filled segments kept ready. At least 1; more hide slower filling.
    pub spare_segments: usize,
    /// After this long without work the last mark is synced: the time during which damage to the very last
    /// acknowledged batch, together with a power cut, could pass for a torn write.
    pub mark_sync_idle: Duration,
    /// What to do when the log cannot go on.
    pub on_fatal: OnFatal,
}

impl Config {
    /// The settings a node uses for a directory. `on_fatal` only logs: a node sets its own.
    pub fn new(dir: impl Into<PathBuf>, cluster_id: u128, node_id: u64) -> Self {
        Self {
            dir: dir.into(),
            cluster_id,
            node_id,
            segment_bytes: 64 << 20,
            tail_bytes_max: 128 << 20,
            queue_bytes_high: 64 << 20,
            spare_segments: 2,
            mark_sync_idle: Duration::from_millis(50),
            on_fatal: Arc::new(|error| tracing::error!(%error, "the log has stopped")),
        }
    }

    /// The largest payload an entry may have, bytes: what fits an empty segment, at most [`ENTRY_BYTES_MAX`].
    pub fn entry_bytes_max(&self) -> usize {
        let overhead = SEGMENT_HEADER_BYTES + (PREAMBLE_RECORDS + 1) * RECORD_HEADER_BYTES;
        let room = (self.segment_bytes as usize).saturating_sub(overhead) / ALIGNMENT * ALIGNMENT;
        room.min(ENTRY_BYTES_MAX)
    }

    pub(super) fn check(&self) -> Result<(), OpenError> {
        if !(8 << 10..=1 << 30).contains(&self.segment_bytes)
            || !self.segment_bytes.is_multiple_of(4096)
        {
            return Err(OpenError::Config(
                "segment_bytes: a multiple of 4096 from 8 KiB to 1 GiB".to_owned(),
            ));
        }
        if self.spare_segments == 0 {
            return Err(OpenError::Config("spare_segments: at least 1".to_owned()));
        }
        Ok(())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("dir", &self.dir)
            .field("cluster_id", &self.cluster_id)
            .field("node_id", &self.node_id)
            .field("segment_bytes", &self.segment_bytes)
            .finish_non_exhaustive()
    }
}

/// What was found when the log was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Segments in use.
    pub segments: u64,
    /// Entries that can be read.
    pub entries: u64,
    /// Records verified, of all kinds.
    pub records: u64,
    /// Bytes of writes that were never acknowledged, torn by a crash, and zeroed now.
    pub torn_bytes_cut: u64,
    /// Bytes of whole records not proven durable, written and synced once more.
    pub bytes_rewritten: u64,
    /// Segments that held purged entries only and went back to the pool.
    pub segments_recycled: u64,
    /// What [`super::Log::open_before_damage`] cut the log before.
    pub damage: Option<Damage>,
}

/// Figures of a running log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes submitted and not durable.
    pub queued_bytes: u64,
    /// Bytes of recent entries in memory.
    pub tail_bytes: u64,
    /// Bytes of all segments, spare ones included.
    pub bytes_on_disk: u64,
    /// Segments in use.
    pub segments: u64,
    /// Segments zero-filled and ready.
    pub spare_segments: u64,
    /// Syncs of record batches since the log was opened.
    pub sync_count: u64,
    /// Time spent in them, ns.
    pub sync_nanoseconds: u64,
    /// The longest of them, ns.
    pub sync_nanoseconds_max: u64,
    /// Median of the syncs of the last seconds; `None` when there were too few.
    pub sync_median: Option<Duration>,
    /// Bytes of records written since the log was opened.
    pub bytes_written: u64,
    /// Why no spare segment could be made, if that failed last time: usually a full disk. Appends go on until the
    /// spares are used up, then the log stops; admission should refuse work before.
    pub spare_failure: Option<String>,
}
