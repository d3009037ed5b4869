//! Putting a segment to use, in an order that leaves nothing half begun.

use std::io::{self, IoSlice};
use std::sync::Arc;

use crate::disk::Disk;

use super::config::Config;
use super::error::OpenError;
use super::pool::Pool;
use super::positions::Positions;
use super::record::{Header, PREAMBLE, PREAMBLE_RECORDS, RECORD_HEADER_BYTES, fields};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentFile, SegmentHeader, segment_path};
use super::types::{LogId, Vote};

/// The log in the order of its records: what the next segment must begin with.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    pub(super) vote: Option<Vote>,
    pub(super) committed: Option<LogId>,
    pub(super) positions: Positions,
    /// Number of the next record.
    pub(super) next_record: u64,
}

/// Puts a spare to use: header and first records are written and synced before the file gets its name, so a segment
/// that has its name has them.
pub(super) fn start_segment(
    disk: &dyn Disk,
    config: &Config,
    pool: &Pool,
    number: u64,
    use_sequence: u64,
    stream: &mut Stream,
) -> io::Result<(Arc<SegmentFile>, u64)> {
    let spare = pool.take()?;
    let header = SegmentHeader {
        number,
        use_sequence,
        cluster_id: config.cluster_id,
        node_id: config.node_id,
        first_record_number: stream.next_record,
        bytes: u64::from(config.segment_bytes),
    };
    let vote = stream.vote.map_or(fields(None), |vote| {
        (vote.term, vote.node, u64::from(vote.committed))
    });
    let preamble: [_; PREAMBLE_RECORDS] = [
        vote,
        fields(stream.committed),
        fields(stream.positions.state().last_purged),
    ];
    let mut bytes = header.encode().to_vec();
    for (at, (kind, (term, node, index))) in PREAMBLE.into_iter().zip(preamble).enumerate() {
        let header = Header {
            kind,
            use_sequence,
            record_number: stream.next_record,
            undurable: at as u32,
            durable_index: stream.positions.last_index(),
            term,
            node,
            index,
        };
        bytes.extend_from_slice(&header.encode(&[]));
        stream.next_record += 1;
    }
    let path = segment_path(&config.dir, number);
    spare.file.write_at(0, &[IoSlice::new(&bytes)])?;
    spare.file.sync_data()?;
    fail::fail_point!("log.roll.before_rename", |_| Err(
        io::ErrorKind::Other.into()
    ));
    disk.rename(&spare.path, &path)?;
    disk.sync_dir(&config.dir)?;
    disk.sync_dir(&Pool::dir(&config.dir))?;
    let position = (SEGMENT_HEADER_BYTES + PREAMBLE_RECORDS * RECORD_HEADER_BYTES) as u64;
    let segment = SegmentFile {
        number,
        use_sequence,
        path,
        bytes: u64::from(config.segment_bytes),
        file: spare.file,
    };
    Ok((Arc::new(segment), position))
}

/// The first segment of a new directory.
pub(super) fn start_first_segment(
    disk: &dyn Disk,
    config: &Config,
    pool: &Pool,
    stream: &mut Stream,
) -> Result<(Arc<SegmentFile>, u64), OpenError> {
    stream.next_record = 1;
    start_segment(disk, config, pool, 1, next_use(0), stream)
        .map_err(OpenError::io("make the first segment of", &config.dir))
}

/// The sequence of the next use. The step cannot be guessed, so that no client can put bytes into an entry that look
/// like a record of the use they will be written in.
pub(super) fn next_use(use_sequence: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    let step = RandomState::new().hash_one(use_sequence) >> 32;
    use_sequence + 1 + step
}
