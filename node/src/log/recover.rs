//! Opening: reads and verifies every record, and tells a torn write from damage.
//!
//! Everything that was ever acknowledged is a prefix of the records. Where the prefix ends, three things can be found:
//! - nothing of this use of the segment: the end;
//! - bytes that do not verify, and no later record that proves them durable: a write torn by a crash, never
//!   acknowledged to anyone. It is zeroed, so that no whole record after the tear can come back to life behind a new
//!   one;
//! - bytes that do not verify, and a proof that they were durable: damage. Nothing is changed.
//!
//! Proof is any later record (it says how many records before it were not durable), a later segment (all before it
//! was synced first) or, for a segment's header and first records, the segment's name.
//!
//! What verifies is not always durable: the last process may have died between write and sync, or its sync may have
//! failed and left clean pages in memory that never reached the medium. So whole records that nothing proves durable
//! are written again and synced before the log opens. Doing all this twice, or stopping in the middle, changes
//! nothing.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use crate::disk::Disk;

use super::config::{Config, OpenReport};
use super::directory::{missing, open_segments};
use super::error::{Damage, OpenError};
use super::pool::Pool;
use super::record::{self, Invalid, RECORD_HEADER_BYTES};
use super::replay::Replay;
use super::segment::{SEGMENT_HEADER_BYTES, SegmentFile, SegmentHeader, segment_path};

/// What a directory holds.
pub(super) struct Recovered {
    pub(super) replay: Replay,
    /// The segment to go on writing and where its records end; `None` in a new directory.
    pub(super) active: Option<(Arc<SegmentFile>, u64)>,
    pub(super) obsolete: Vec<Arc<SegmentFile>>,
    pub(super) report: OpenReport,
}

/// Where reading a segment stopped.
struct Stop {
    offset: usize,
    invalid: Invalid,
    /// Offset of the first whole record that nothing proves durable.
    unproven: usize,
}

/// What lies behind the place where reading stopped.
struct Ahead {
    proven: u64,
    durable_index: Option<u64>,
    /// No header of this use begins at or after this.
    end: usize,
}

pub(super) fn recover(disk: &Arc<dyn Disk>, config: &Config) -> Result<Recovered, OpenError> {
    let pool_dir = Pool::dir(&config.dir);
    disk.create_dir_all(&pool_dir)
        .map_err(OpenError::io("create", &pool_dir))?;
    for dir in [pool_dir.as_path(), &config.dir]
        .into_iter()
        .chain(config.dir.parent())
    {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        disk.sync_dir(dir).map_err(OpenError::io("sync", dir))?;
    }

    let segments = open_segments(disk, config)?;
    let mut replay = Replay::new();
    let mut report = OpenReport::default();
    let mut active = None;
    for (at, (file, header)) in segments.iter().enumerate() {
        let next = segments
            .get(at + 1)
            .map(|(_, next)| next.first_record_number);
        let bytes = file.read().map_err(OpenError::io("read", &file.path))?;
        replay.index.add_segment(Arc::clone(file));
        replay.begin_segment(header.first_record_number);
        let stop = read_segment(&bytes, file.use_sequence, next, &mut replay);
        if next == Some(replay.next_record) {
            continue;
        }
        if let Invalid::Unsupported(what) = stop.invalid {
            return Err(OpenError::Unsupported {
                path: file.path.clone(),
                offset: stop.offset as u64,
                what,
            });
        }
        let ahead = look_ahead(&bytes, stop.offset, file.use_sequence, replay.next_record);
        let proven = replay
            .proven
            .max(ahead.proven)
            .max(next.map_or(0, |next| next - 1));
        // A segment is written in place: no crash makes its file shorter.
        let is_cut = (bytes.len() as u64) < header.bytes;
        if proven >= replay.next_record
            || is_cut
            || matches!(stop.invalid, Invalid::Contradiction(_))
        {
            let durable_index = ahead
                .durable_index
                .or_else(|| durable_at_start(segments.last()));
            let mut damage = damage(file, &stop, &replay, durable_index);
            if is_cut {
                damage.reason =
                    format!("the file has {} of its {} bytes", bytes.len(), header.bytes);
            }
            return Err(damage.into());
        }
        settle_tail(file, &bytes, &stop, ahead.end, &mut report)?;
        active = Some((Arc::clone(file), stop.offset as u64));
    }

    if let Some((file, header)) = segments.first()
        && !replay.is_complete(header.first_record_number == 1)
    {
        return Err(missing(
            &segment_path(&config.dir, file.number.saturating_sub(1)),
            file.number,
            header,
        )
        .into());
    }
    let obsolete = match replay.positions.purged_index() {
        Some(purged) => replay.index.take_obsolete(purged + 1),
        None => Vec::new(),
    };
    report.segments = replay.index.segment_count();
    report.segments_recycled = obsolete.len() as u64;
    report.records = replay.records;
    report.entries = match (
        replay.positions.first_index(),
        replay.positions.last_index(),
    ) {
        (Some(first), Some(last)) => last + 1 - first,
        _ => 0,
    };
    Ok(Recovered {
        replay,
        active,
        obsolete,
        report,
    })
}

/// Replays records until the number that begins the next segment, or until one does not verify.
fn read_segment(bytes: &[u8], use_sequence: u64, next: Option<u64>, replay: &mut Replay) -> Stop {
    let mut offset = SEGMENT_HEADER_BYTES;
    let mut unproven: VecDeque<(u64, usize)> = VecDeque::new();
    let invalid = loop {
        if next == Some(replay.next_record) {
            break Invalid::Nothing;
        }
        let decoded = match record::decode(&bytes[offset..], use_sequence) {
            Ok(decoded) => decoded,
            Err(invalid) => break invalid,
        };
        let end = offset + decoded.length();
        if end > bytes.len() {
            break Invalid::Broken("the file ends within it");
        }
        if decoded.header.record_number != replay.next_record {
            break Invalid::Broken("it is not the record that was due");
        }
        if let Err(reason) = replay.apply(&decoded.header, offset as u32, end as u32) {
            break Invalid::Contradiction(reason);
        }
        unproven.push_back((decoded.header.record_number, offset));
        while unproven
            .pop_front_if(|(number, _)| *number <= replay.proven)
            .is_some()
        {}
        offset = end;
    };
    let unproven = unproven.front().map_or(offset, |(_, offset)| *offset);
    Stop {
        offset,
        invalid,
        unproven,
    }
}

/// Looks behind the place where reading stopped for whole records of the same use, and what they prove.
///
/// A client cannot plant such a record in a payload: it would have to name the use, whose numbers grow by
/// unpredictable steps.
fn look_ahead(bytes: &[u8], from: usize, use_sequence: u64, expected: u64) -> Ahead {
    let mut ahead = Ahead {
        proven: 0,
        durable_index: None,
        end: from,
    };
    let mut offset = from;
    while let Some((_, found)) = bytes.get(offset..).and_then(record::peek) {
        let mut step = record::ALIGNMENT;
        if found == use_sequence {
            match record::decode(&bytes[offset..], use_sequence) {
                Ok(decoded) if decoded.header.record_number >= expected => {
                    ahead.proven = ahead.proven.max(decoded.header.proves_durable());
                    ahead.durable_index = ahead.durable_index.max(decoded.header.durable_index);
                    step = decoded.length();
                }
                _ => {}
            }
            ahead.end = (offset + step).min(bytes.len());
        }
        offset += step;
    }
    ahead
}

/// Zeroes what is torn, writes again what is whole but not proven durable, and syncs.
fn settle_tail(
    file: &SegmentFile,
    bytes: &[u8],
    stop: &Stop,
    torn_end: usize,
    report: &mut OpenReport,
) -> Result<(), OpenError> {
    if stop.unproven < stop.offset {
        let again = IoSlice::new(&bytes[stop.unproven..stop.offset]);
        file.file
            .write_at(stop.unproven as u64, &[again])
            .map_err(OpenError::io("write again", &file.path))?;
        report.bytes_rewritten = (stop.offset - stop.unproven) as u64;
    }
    if stop.offset < torn_end {
        let torn = (torn_end - stop.offset) as u64;
        file.file
            .write_zeros(stop.offset as u64, torn)
            .map_err(OpenError::io("cut", &file.path))?;
        report.torn_bytes_cut = torn;
        tracing::warn!(
            path = %file.path.display(),
            offset = stop.offset,
            bytes = torn,
            "a write of the log was torn by a crash before it was acknowledged, and was cut"
        );
    }
    file.file
        .sync_data()
        .map_err(OpenError::io("sync", &file.path))
}

fn damage(file: &SegmentFile, stop: &Stop, replay: &Replay, durable_index: Option<u64>) -> Damage {
    let reason = match &stop.invalid {
        Invalid::Broken(reason) => (*reason).to_owned(),
        Invalid::Contradiction(reason) => reason.clone(),
        _ => "no record begins where one was".to_owned(),
    };
    Damage {
        path: file.path.clone(),
        segment: file.number,
        offset: stop.offset as u64,
        record_number: replay.next_record,
        index: replay.positions.next_index(),
        durable_index,
        reason,
    }
}

/// The highest entry durable when the last segment was put to use.
fn durable_at_start(last: Option<&(Arc<SegmentFile>, SegmentHeader)>) -> Option<u64> {
    let (file, _) = last?;
    let mut bytes = [0u8; RECORD_HEADER_BYTES];
    file.file
        .read_at(SEGMENT_HEADER_BYTES as u64, &mut bytes)
        .ok()?;
    record::decode(&bytes, file.use_sequence)
        .ok()?
        .header
        .durable_index
}
