//! The segments of a directory: found, put in order, their headers verified.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, OpenMode};

use super::config::Config;
use super::error::{Damage, OpenError};
use super::record::{PREAMBLE_RECORDS, RECORD_HEADER_BYTES};
use super::segment::{
    BadHeader, SEGMENT_HEADER_BYTES, SegmentFile, SegmentHeader, segment_number, segment_path,
};

/// Length of the longest segment that a configuration may ask for.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// Opens the segments in order and verifies their headers.
pub(super) fn open_segments(
    disk: &Arc<dyn Disk>,
    config: &Config,
) -> Result<Vec<(Arc<SegmentFile>, SegmentHeader)>, OpenError> {
    let names = disk
        .list(&config.dir)
        .map_err(OpenError::io("list", &config.dir))?;
    let mut segments: Vec<(Arc<SegmentFile>, SegmentHeader)> = Vec::new();
    for number in names.iter().filter_map(|name| segment_number(name)) {
        let path = segment_path(&config.dir, number);
        if let Some((before, header)) = segments.last()
            && before.number + 1 != number
        {
            return Err(missing(
                &segment_path(&config.dir, before.number + 1),
                before.number + 1,
                header,
            )
            .into());
        }
        let file = disk
            .open(&path, OpenMode::Existing)
            .map_err(OpenError::io("open", &path))?;
        let bytes = file
            .length()
            .map_err(OpenError::io("read the length of", &path))?;
        let broken = |reason: &str| Damage {
            path: path.clone(),
            segment: number,
            offset: 0,
            record_number: 0,
            index: None,
            durable_index: None,
            reason: reason.to_owned(),
        };
        if bytes < (SEGMENT_HEADER_BYTES + PREAMBLE_RECORDS * RECORD_HEADER_BYTES) as u64
            || bytes > SEGMENT_BYTES_MAX
        {
            return Err(broken("the file does not have a segment's length").into());
        }
        let mut start = vec![0u8; SEGMENT_HEADER_BYTES];
        file.read_at(0, &mut start)
            .map_err(OpenError::io("read", &path))?;
        let header = match SegmentHeader::decode(&start) {
            Ok(header) => header,
            Err(BadHeader::Broken) => {
                return Err(broken("the segment's header does not verify").into());
            }
            Err(BadHeader::Unsupported(version)) => {
                return Err(OpenError::Unsupported {
                    path,
                    offset: 8,
                    what: format!("segment version {version}"),
                });
            }
        };
        if (header.cluster_id, header.node_id) != (config.cluster_id, config.node_id) {
            return Err(OpenError::Foreign {
                path,
                cluster: config.cluster_id,
                node: config.node_id,
                found_cluster: header.cluster_id,
                found_node: header.node_id,
            });
        }
        let before = segments.last().map(|(_, before)| *before);
        if header.number != number
            || before.is_some_and(|before| before.use_sequence >= header.use_sequence)
            || before.is_some_and(|before| before.first_record_number >= header.first_record_number)
            || header.first_record_number == 0
            || header.bytes > SEGMENT_BYTES_MAX
        {
            return Err(
                broken("the header is that of another segment, or of an earlier use").into(),
            );
        }
        let segment = SegmentFile {
            number,
            use_sequence: header.use_sequence,
            path,
            bytes: header.bytes.max(bytes),
            file,
        };
        segments.push((Arc::new(segment), header));
    }
    Ok(segments)
}

/// A segment that must exist does not.
pub(super) fn missing(path: &Path, segment: u64, header: &SegmentHeader) -> Damage {
    Damage {
        path: PathBuf::from(path),
        segment,
        offset: 0,
        record_number: header.first_record_number,
        index: None,
        durable_index: None,
        reason: "the file is missing, and the segments beside it need it".to_owned(),
    }
}
