//! The files: names, the 4,096-byte header, and where each entry lies.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::DiskFile;

use super::record::{u32_at, u64_at};

/// Bytes before the first record of a segment.
pub(super) const SEGMENT_HEADER_BYTES: usize = 4096;
const MAGIC: &[u8; 8] = b"FARTHLOG";
const VERSION: u16 = 1;

/// Header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) number: u64,
    pub(super) use_sequence: u64,
    pub(super) cluster_id: u128,
    pub(super) node_id: u64,
    pub(super) first_record_number: u64,
    /// Length of the file.
    pub(super) bytes: u64,
}

/// Why a segment's header cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadHeader {
    Broken,
    Unsupported(u16),
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0u8; SEGMENT_HEADER_BYTES];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.use_sequence.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.cluster_id.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.node_id.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.first_record_number.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.bytes.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..SEGMENT_HEADER_BYTES - 4]);
        bytes[SEGMENT_HEADER_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES).ok_or(BadHeader::Broken)?;
        let end = SEGMENT_HEADER_BYTES - 4;
        if &bytes[0..8] != MAGIC || crc32c::crc32c(&bytes[..end]) != u32_at(bytes, end) {
            return Err(BadHeader::Broken);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(BadHeader::Unsupported(version));
        }
        Ok(Self {
            number: u64_at(bytes, 16),
            use_sequence: u64_at(bytes, 24),
            cluster_id: u128::from(u64_at(bytes, 32)) | u128::from(u64_at(bytes, 40)) << 64,
            node_id: u64_at(bytes, 48),
            first_record_number: u64_at(bytes, 56),
            bytes: u64_at(bytes, 64),
        })
    }
}

/// The file of a segment: `<number, 16 hex digits>.log`.
pub(super) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016x}.log"))
}

/// The number in a segment's file name, if it is one.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == 16 && digits.bytes().all(lower_hex))
        .then(|| u64::from_str_radix(digits, 16).ok())?
}

/// An open segment. Readers hold it while they read; it is not recycled before they let go.
#[derive(Debug)]
pub(super) struct SegmentFile {
    pub(super) number: u64,
    pub(super) use_sequence: u64,
    pub(super) path: PathBuf,
    /// Length that the file has, or had when it was put to use.
    pub(super) bytes: u64,
    pub(super) file: Arc<dyn DiskFile>,
}

impl SegmentFile {
    /// All of it that is there.
    pub(super) fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0u8; self.file.length()?.min(self.bytes) as usize];
        self.file.read_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

/// A segment and where its entries begin.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: Arc<SegmentFile>,
    /// Log index of `offsets[0]`; without entries, the index at which one would go on.
    first_index: u64,
    offsets: Vec<u32>,
    /// Where the last record known to the index ends.
    end: u32,
}

/// Place of an entry on disk.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) segment: Arc<SegmentFile>,
    pub(super) offset: u32,
    /// Its record ends at or before this.
    pub(super) end: u32,
}

/// Where every entry on disk lies: four bytes for each. Kept in the order of the records on disk.
#[derive(Debug, Default)]
pub(super) struct Index {
    segments: VecDeque<Segment>,
}

impl Index {
    /// Starts a segment; entries pushed from now on lie in it.
    pub(super) fn add_segment(&mut self, file: Arc<SegmentFile>) {
        let first_index = self.segments.back().map_or(0, Segment::end_index);
        let end = SEGMENT_HEADER_BYTES as u32;
        self.segments.push_back(Segment {
            file,
            first_index,
            offsets: Vec::new(),
            end,
        });
    }

    /// An entry was written to the newest segment.
    pub(super) fn push(&mut self, index: u64, offset: u32, end: u32) {
        if let Some(segment) = self.segments.back_mut() {
            if segment.offsets.is_empty() {
                segment.first_index = index;
            }
            segment.offsets.push(offset);
            segment.end = end;
        }
    }

    /// Entries from `from` on are void.
    pub(super) fn truncate_from(&mut self, from: u64) {
        for segment in self.segments.iter_mut().rev() {
            let keep = from.saturating_sub(segment.first_index) as usize;
            segment.offsets.truncate(keep);
            if segment.offsets.is_empty() {
                segment.first_index = segment.first_index.min(from);
            } else {
                break;
            }
        }
    }

    /// The log was reset and goes on at `next`.
    pub(super) fn reset(&mut self, next: u64) {
        for segment in &mut self.segments {
            segment.offsets = Vec::new();
            segment.first_index = next;
        }
    }

    /// Takes out the oldest segments, never the newest, that hold no entry from `first_index` on.
    pub(super) fn take_obsolete(&mut self, first_index: u64) -> Vec<Arc<SegmentFile>> {
        let mut obsolete = Vec::new();
        while self.segments.len() > 1
            && self
                .segments
                .front()
                .is_some_and(|s| s.end_index() <= first_index)
        {
            obsolete.extend(self.segments.pop_front().map(|segment| segment.file));
        }
        obsolete
    }

    /// First entry of the newest segments that together are at most `bytes` long, the newest always among them;
    /// `None` when that is all of them.
    pub(super) fn first_index_within(&self, bytes: u64) -> Option<u64> {
        let mut length = 0;
        let mut kept: Option<&Segment> = None;
        for segment in self.segments.iter().rev() {
            length += segment.file.bytes;
            if let Some(kept) = kept.filter(|_| length > bytes) {
                return Some(kept.first_index);
            }
            kept = Some(segment);
        }
        None
    }

    /// The places of up to `count` consecutive entries from `index` on, of one segment.
    pub(super) fn places(&self, index: u64, count: usize) -> Vec<Place> {
        let at = self
            .segments
            .partition_point(|segment| segment.end_index() <= index);
        let Some(segment) = self
            .segments
            .get(at)
            .filter(|segment| segment.first_index <= index)
        else {
            return Vec::new();
        };
        let from = (index - segment.first_index) as usize;
        let to = segment.offsets.len().min(from.saturating_add(count));
        (from..to)
            .map(|at| Place {
                segment: Arc::clone(&segment.file),
                offset: segment.offsets[at],
                end: segment.offsets.get(at + 1).copied().unwrap_or(segment.end),
            })
            .collect()
    }

    /// The first entry any segment holds.
    pub(super) fn first_entry(&self) -> Option<u64> {
        self.segments
            .iter()
            .find(|segment| !segment.offsets.is_empty())
            .map(|segment| segment.first_index)
    }

    pub(super) fn segment_count(&self) -> u64 {
        self.segments.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.file.bytes).sum()
    }
}

impl Segment {
    fn end_index(&self) -> u64 {
        self.first_index + self.offsets.len() as u64
    }
}
