//! Opening a damaged log with what comes before the damage: only on request, and nothing is destroyed.
//!
//! The damaged segment is copied to `damaged/` and all later ones are moved there. What stays must not forget a vote:
//! votes are small and many, so the newest one that verifies anywhere is written in the place of the damage before
//! anything else is changed. A crash at any step leaves a log that is still damaged, and the same steps begin again,
//! or one that is whole.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, OpenMode};

use super::config::Config;
use super::directory::open_segments;
use super::error::{Damage, OpenError};
use super::record::{self, ALIGNMENT, Header, Kind, PREAMBLE_RECORDS, RECORD_HEADER_BYTES};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentFile};

/// Where damaged segments are kept for whoever wants to look at them.
fn damaged_dir(log_dir: &Path) -> PathBuf {
    log_dir.join("damaged")
}

/// Cuts the log before the damage, or gives the damage back when it begins with a segment's own first records: then
/// nothing tells what the vote was.
pub(super) fn cut_before(
    disk: &Arc<dyn Disk>,
    config: &Config,
    damage: &Damage,
) -> Result<(), OpenError> {
    let segments = open_segments(disk, config)?;
    let Some(at) = segments
        .iter()
        .position(|(file, _)| file.number == damage.segment)
    else {
        return Err(damage.clone().into());
    };
    let (file, later) = (&segments[at].0, &segments[at + 1..]);
    let first_free = (SEGMENT_HEADER_BYTES + PREAMBLE_RECORDS * RECORD_HEADER_BYTES) as u64;
    if damage.offset < first_free || damage.offset + RECORD_HEADER_BYTES as u64 > file.bytes {
        return Err(damage.clone().into());
    }

    let dir = damaged_dir(&config.dir);
    disk.create_dir_all(&dir)
        .map_err(OpenError::io("create", &dir))?;
    disk.sync_dir(&config.dir)
        .map_err(OpenError::io("sync", &config.dir))?;
    let mut newest_vote = None;
    let mut bytes = Vec::new();
    // Backwards, so that the damaged segment is the one still in memory afterwards.
    for (segment, _) in segments[at..].iter().rev() {
        bytes = segment
            .read()
            .map_err(OpenError::io("read", &segment.path))?;
        newest_vote = newer(newest_vote, newest_vote_in(&bytes, segment.use_sequence));
    }
    copy(disk, &bytes, &dir, file)?;

    let header = Header {
        use_sequence: file.use_sequence,
        record_number: damage.record_number,
        undurable: 0,
        durable_index: damage.index.and_then(|index| index.checked_sub(1)),
        kind: Kind::Vote,
        ..newest_vote.ok_or_else(|| OpenError::from(damage.clone()))?
    };
    let end = damage.offset + RECORD_HEADER_BYTES as u64;
    file.file
        .write_at(damage.offset, &[IoSlice::new(&header.encode(&[]))])
        .and_then(|()| file.file.sync_data())
        .and_then(|()| file.file.write_zeros(end, file.bytes - end))
        .and_then(|()| file.file.sync_data())
        .map_err(OpenError::io("cut", &file.path))?;
    for (segment, _) in later.iter().rev() {
        let aside = dir.join(segment.path.file_name().unwrap_or_default());
        disk.rename(&segment.path, &aside)
            .map_err(OpenError::io("move", &segment.path))?;
        disk.sync_dir(&dir).map_err(OpenError::io("sync", &dir))?;
        disk.sync_dir(&config.dir)
            .map_err(OpenError::io("sync", &config.dir))?;
    }
    Ok(())
}

fn newer(one: Option<Header>, other: Option<Header>) -> Option<Header> {
    one.into_iter()
        .chain(other)
        .max_by_key(|header| header.record_number)
}

/// The last vote record of this use that verifies, wherever it lies.
fn newest_vote_in(bytes: &[u8], use_sequence: u64) -> Option<Header> {
    let mut newest = None;
    let mut offset = SEGMENT_HEADER_BYTES;
    while offset < bytes.len() {
        offset += match record::decode(&bytes[offset..], use_sequence) {
            Ok(decoded) => {
                if decoded.header.kind == Kind::Vote {
                    newest = newer(newest, Some(decoded.header));
                }
                decoded.length()
            }
            Err(_) => ALIGNMENT,
        };
    }
    newest
}

/// Keeps the damaged segment as it was found. An earlier copy stays: it is nearer to what happened.
fn copy(
    disk: &Arc<dyn Disk>,
    bytes: &[u8],
    dir: &Path,
    segment: &SegmentFile,
) -> Result<(), OpenError> {
    let path = dir.join(segment.path.file_name().unwrap_or_default());
    let temporary = path.with_extension("tmp");
    let names = disk.list(dir).map_err(OpenError::io("list", dir))?;
    let exists = |path: &Path| {
        path.file_name()
            .is_some_and(|name| names.iter().any(|other| name == other.as_str()))
    };
    if exists(&path) {
        return Ok(());
    }
    if exists(&temporary) {
        disk.remove(&temporary)
            .map_err(OpenError::io("remove", &temporary))?;
    }
    disk.open(&temporary, OpenMode::CreateNew)
        .and_then(|file| {
            file.write_at(0, &[IoSlice::new(bytes)])
                .and_then(|()| file.sync_data())
        })
        .and_then(|()| disk.rename(&temporary, &path))
        .and_then(|()| disk.sync_dir(dir))
        .map_err(OpenError::io("copy to", &path))
}
