//! Looks at a log from outside, while nobody writes it: every record is read and verified, exactly as when it is opened,
//! and nothing is written.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, OpenMode, RealDisk};

use super::config::Config;
use super::directory::open_segments;
use super::error::{Damage, OpenError};
use super::pool::Pool;
use super::record::{self, Kind};
use super::recover;
use super::segment::{SEGMENT_HEADER_BYTES, SegmentFile, SegmentHeader};
use super::types::{LogState, Vote};

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number, which is its name.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// Length of the file.
    pub bytes: u64,
    /// Bytes of records in it.
    pub record_bytes: u64,
    /// The use of the file that its records belong to.
    pub use_sequence: u64,
    /// Number of its first record.
    pub first_record: u64,
    /// Records that verify, in their order, from the first on.
    pub records: u64,
    /// First and last index of the entries in it, void ones included.
    pub entries: Option<(u64, u64)>,
    /// Entries of each term.
    pub terms: BTreeMap<u64, u64>,
    /// Records that are votes.
    pub votes: u64,
    /// Records that are marks: the end of a batch.
    pub marks: u64,
    /// Records that void entries.
    pub truncations: u64,
}

/// A log.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Its segments, oldest first, as far as their headers verify.
    pub segments: Vec<Segment>,
    /// Files that are ready to become segments, and their length.
    pub spares: (u64, u64),
    /// First and last entry; `None` when the log cannot be opened.
    pub state: Option<LogState>,
    /// The vote.
    pub vote: Option<Vote>,
    /// The committed index that was noted last.
    pub committed: Option<u64>,
    /// Bytes of a write that a crash has torn; opening will cut them.
    pub torn_bytes: u64,
    /// Why the log does not open, word for word.
    pub refused: Option<String>,
    /// The same when it is damage, as exactly as can be known.
    pub damage: Option<Damage>,
}

/// Reads all of a log.
///
/// # Errors
/// When the directory cannot be read. Damage is no error but part of the answer.
pub fn inspect(dir: &Path, cluster_id: u128, node_id: u64) -> io::Result<Summary> {
    if !dir.exists() {
        return Ok(Summary::default());
    }
    let config = Config::new(dir, cluster_id, node_id);
    let disk: Arc<dyn Disk> = Arc::new(Glass(RealDisk));
    let mut summary = Summary {
        spares: spares(&disk, &config)?,
        ..Summary::default()
    };
    // The segments that can be told apart are shown even when the log as a whole is refused.
    if let Ok(segments) = open_segments(&disk, &config) {
        let next = |at: usize| {
            segments
                .get(at + 1)
                .map(|(_, next)| next.first_record_number)
        };
        for (at, (file, header)) in segments.iter().enumerate() {
            summary.segments.push(read(file, header, next(at))?);
        }
    }
    match recover::recover(&disk, &config) {
        Ok(recovered) => {
            summary.state = Some(recovered.replay.positions.state());
            summary.vote = recovered.replay.vote;
            summary.committed = recovered.replay.committed.map(|id| id.index);
            summary.torn_bytes = recovered.report.torn_bytes_cut;
        }
        Err(error) => {
            summary.refused = Some(error.to_string());
            if let OpenError::Damaged(damage) = error {
                summary.damage = Some(*damage);
            }
        }
    }
    Ok(summary)
}

fn spares(disk: &Arc<dyn Disk>, config: &Config) -> io::Result<(u64, u64)> {
    let dir = Pool::dir(&config.dir);
    if !dir.exists() {
        return Ok((0, 0));
    }
    let mut bytes = 0;
    let names = disk.list(&dir)?;
    for name in &names {
        bytes += std::fs::metadata(dir.join(name))?.len();
    }
    Ok((names.len() as u64, bytes))
}

/// What the records of a segment are, up to the first that does not verify or that begins the next segment.
fn read(file: &SegmentFile, header: &SegmentHeader, next: Option<u64>) -> io::Result<Segment> {
    let bytes = file.read()?;
    let mut segment = Segment {
        number: file.number,
        path: file.path.clone(),
        bytes: bytes.len() as u64,
        record_bytes: 0,
        use_sequence: file.use_sequence,
        first_record: header.first_record_number,
        records: 0,
        entries: None,
        terms: BTreeMap::new(),
        votes: 0,
        marks: 0,
        truncations: 0,
    };
    let mut offset = SEGMENT_HEADER_BYTES;
    loop {
        let due = header.first_record_number + segment.records;
        let Some(rest) = bytes.get(offset..).filter(|_| next != Some(due)) else {
            return Ok(segment);
        };
        let Ok(decoded) = record::decode(rest, file.use_sequence) else {
            return Ok(segment);
        };
        let found = decoded.header;
        if found.record_number != due {
            return Ok(segment);
        }
        match found.kind {
            Kind::Normal | Kind::Blank | Kind::Membership => {
                let first = segment.entries.map_or(found.index, |(first, _)| first);
                segment.entries = Some((first.min(found.index), found.index));
                *segment.terms.entry(found.term).or_default() += 1;
            }
            Kind::Vote => segment.votes += 1,
            Kind::Mark => segment.marks += 1,
            Kind::Truncate => segment.truncations += 1,
            Kind::Committed | Kind::Purged => {}
        }
        segment.records += 1;
        segment.record_bytes += decoded.length() as u64;
        offset += decoded.length();
    }
}

/// A disk that can be looked at and not touched: files are opened to be read, and what would change something succeeds
/// without doing anything. Recovery runs on it as it does on a disk, and says what it would do.
#[derive(Debug)]
struct Glass(RealDisk);

#[derive(Debug)]
struct GlassFile(std::fs::File);

impl Disk for Glass {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        if mode == OpenMode::CreateNew {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(Arc::new(GlassFile(std::fs::File::open(path)?)))
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.0.list(dir)
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.0.free_bytes(dir)
    }
}

impl DiskFile for GlassFile {
    fn write_at(&self, _offset: u64, _slices: &[IoSlice<'_>]) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        self.0.read_exact_at(buffer, offset)
    }

    fn write_zeros(&self, _offset: u64, _length: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
