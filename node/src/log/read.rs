//! Reading entries: the newest from memory, the others from disk, every byte verified.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::record::{self, RECORD_HEADER_BYTES, record_bytes};
use super::segment::Place;
use super::shared::Shared;
use super::types::{Entry, LogId};

/// Entries looked up under the lock for one read.
const READ_ENTRIES_MAX: usize = 8192;
/// Bytes read from a segment at once, when the entries are smaller.
const CHUNK_BYTES_MAX: u32 = 1 << 20;

/// See [`super::Log::read`].
pub(super) fn read(shared: &Shared, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<Entry>> {
    // All that is read is decided under one lock; afterwards the segments are held, so neither a truncation nor a
    // purge changes what this read sees.
    let mut places: Vec<Place> = Vec::new();
    let mut recent: Vec<Entry> = Vec::new();
    let start;
    {
        let state = shared.lock();
        let (Some(first), Some(last)) =
            (state.positions.first_index(), state.positions.last_index())
        else {
            return Ok(Vec::new());
        };
        start = range.start.max(first);
        let end = range.end.min(last + 1);
        if start >= end {
            return Ok(Vec::new());
        }
        let disk_end = state.tail.first_index().map_or(end, |first| first.min(end));
        let mut index = start;
        while index < disk_end && places.len() < READ_ENTRIES_MAX {
            let count = (READ_ENTRIES_MAX - places.len()).min((disk_end - index) as usize);
            let found = state.index.places(index, count);
            if found.is_empty() {
                return Err(io::Error::other(format!(
                    "entry {index} is in the log but has no place on disk"
                )));
            }
            index += found.len() as u64;
            places.extend(found);
        }
        if index >= disk_end {
            let mut bytes = 0;
            for entry in state
                .tail
                .iter_from(index)
                .take_while(|entry| entry.log_id.index < end)
            {
                bytes += entry.payload.len() as u64;
                if bytes > bytes_max && !recent.is_empty() {
                    break;
                }
                recent.push(entry.clone());
            }
        }
    }

    let mut entries = Vec::new();
    let mut bytes = 0;
    if read_places(&places, start, bytes_max, &mut entries, &mut bytes)? {
        for entry in recent {
            bytes += entry.payload.len() as u64;
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// See [`super::Log::reread`].
pub(super) fn reread(
    shared: &Shared,
    index: u64,
    bytes_max: u64,
) -> io::Result<Option<(u64, u64)>> {
    let (start, places) = {
        let state = shared.lock();
        let (Some(first), Some(durable)) = (state.positions.first_index(), state.durable_index)
        else {
            return Ok(None);
        };
        let start = index.max(first);
        if start > durable {
            return Ok(None);
        }
        let count = READ_ENTRIES_MAX.min((durable - start) as usize + 1);
        (start, state.index.places(start, count))
    };
    let (mut entries, mut bytes) = (Vec::new(), 0);
    read_places(&places, start, bytes_max, &mut entries, &mut bytes)?;
    Ok((!entries.is_empty()).then_some((start + entries.len() as u64, bytes)))
}

/// Reads entries from disk until `bytes_max`; `true` if all of them fitted.
fn read_places(
    places: &[Place],
    first: u64,
    bytes_max: u64,
    entries: &mut Vec<Entry>,
    bytes: &mut u64,
) -> io::Result<bool> {
    let mut at = 0;
    while let Some(base) = places.get(at) {
        let fits = |place: &Place| {
            Arc::ptr_eq(&place.segment, &base.segment)
                && place.end - base.offset <= CHUNK_BYTES_MAX
                && u64::from(place.offset - base.offset) <= bytes_max.saturating_sub(*bytes)
        };
        let count = places[at..]
            .iter()
            .take_while(|place| fits(place))
            .count()
            .max(1);
        let group = &places[at..at + count];
        let chunk = read_chunk(group)?;
        for (number, place) in group.iter().enumerate() {
            let index = first + (at + number) as u64;
            let entry = entry(&chunk, (place.offset - base.offset) as usize, place, index)?;
            *bytes += entry.payload.len() as u64;
            if *bytes > bytes_max && !entries.is_empty() {
                return Ok(false);
            }
            entries.push(entry);
        }
        at += count;
    }
    Ok(true)
}

/// The bytes of consecutive records. Between an entry and the next there may be void ones of any size, so that of a
/// single entry only its own bytes are read.
fn read_chunk(group: &[Place]) -> io::Result<Bytes> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(Bytes::new());
    };
    let mut length = (last.end - first.offset) as usize;
    if group.len() == 1 && length > CHUNK_BYTES_MAX as usize {
        let mut header = [0u8; RECORD_HEADER_BYTES];
        first
            .segment
            .file
            .read_at(u64::from(first.offset), &mut header)?;
        let payload_length = record::peek(&header).map_or(0, |(payload_length, _)| payload_length);
        length = length.min(record_bytes(payload_length));
    }
    let mut buffer = vec![0u8; length];
    first
        .segment
        .file
        .read_at(u64::from(first.offset), &mut buffer)?;
    Ok(buffer.into())
}

fn entry(chunk: &Bytes, at: usize, place: &Place, index: u64) -> io::Result<Entry> {
    let damaged = |what: &str| {
        let path = place.segment.path.display();
        let text = format!(
            "entry {index} of the log is damaged: {path} at byte {}: {what}",
            place.offset
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    let decoded = record::decode(&chunk[at..], place.segment.use_sequence)
        .map_err(|invalid| damaged(&format!("no record verifies there ({invalid:?})")))?;
    let header = decoded.header;
    let (Some(kind), true) = (header.kind.entry(), header.index == index) else {
        return Err(damaged(&format!(
            "another record is there ({:?} {})",
            header.kind, header.index
        )));
    };
    let start = at + RECORD_HEADER_BYTES;
    Ok(Entry {
        log_id: LogId {
            term: header.term,
            node: header.node,
            index,
        },
        kind,
        payload: chunk.slice(start..start + decoded.payload_length),
    })
}
