//! What a look at a directory found, as it is told to others.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::consensus::inspect::{Claim, Loss, Members};
use crate::log::inspect::Summary;
use crate::storage::inspect::{Generations, Snapshot, State};
use crate::{consensus, log, storage};

/// A node's directory.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The directory.
    pub dir: String,
    /// True when nothing was found wrong.
    pub ok: bool,
    /// Whether state and snapshots were read as a whole; the log always is.
    pub verified: bool,
    /// What was found wrong, each with where.
    pub problems: Vec<String>,
    /// Whose directory it is; `None` when nothing that verifies says so.
    pub identity: Option<Identity>,
    /// What is known of every node's promises.
    pub claims: Vec<Claim>,
    /// The last membership known.
    pub members: Option<Members>,
    /// What the log has lost, while the node is suspect.
    pub suspect: Option<Loss>,
    /// Files and directories that were put aside as damaged.
    pub put_aside: Vec<String>,
    /// Bytes set aside for the log.
    pub ballast_bytes: u64,
    /// The log.
    pub log: LogReport,
    /// The state.
    pub state: StateReport,
    /// The snapshots.
    pub snapshots: Vec<SnapshotLine>,
}

/// Whose directory it is.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// Cluster, a UUID.
    pub cluster_id: String,
    /// Node.
    pub node_id: u64,
    /// How often the directory was started.
    pub incarnation: u64,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Index.
    pub index: u64,
    /// Term of the entry there.
    pub term: u64,
}

impl From<log::LogId> for Position {
    fn from(id: log::LogId) -> Self {
        Self {
            index: id.index,
            term: id.term,
        }
    }
}

impl From<storage::LogId> for Position {
    fn from(id: storage::LogId) -> Self {
        Self {
            index: id.index,
            term: id.term,
        }
    }
}

/// The vote of the node.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Vote {
    /// Term.
    pub term: u64,
    /// Node voted for.
    pub node: u64,
    /// Whether it leads the term.
    pub committed: bool,
}

/// The log.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogReport {
    /// The segments, oldest first.
    pub segments: Vec<SegmentLine>,
    /// Files ready to become segments.
    pub spare_segments: u64,
    /// Their length, bytes.
    pub spare_bytes: u64,
    /// The last entry that was purged.
    pub purged: Option<Position>,
    /// The last entry.
    pub last: Option<Position>,
    /// The vote.
    pub vote: Option<Vote>,
    /// The committed index that was noted last: a hint.
    pub committed_index: Option<u64>,
    /// Bytes of a write that a crash has torn, which the next start cuts: no damage.
    pub torn_bytes: u64,
    /// Where the log is damaged, when it is.
    pub damage: Option<Damage>,
}

/// Damage of the log.
#[derive(Debug, Clone, Serialize)]
pub struct Damage {
    /// The segment's file.
    pub path: String,
    /// Where the first record that does not verify begins, bytes.
    pub offset: u64,
    /// Number of that record.
    pub record: u64,
    /// First index that cannot be read.
    pub index: Option<u64>,
    /// Highest index that had been durable, as far as the rest proves.
    pub durable_index: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

/// A segment.
#[derive(Debug, Clone, Serialize)]
pub struct SegmentLine {
    /// File name.
    pub file: String,
    /// Length of the file, bytes.
    pub bytes: u64,
    /// Bytes of records that verify.
    pub record_bytes: u64,
    /// Number of the first record.
    pub first_record: u64,
    /// Records that verify.
    pub records: u64,
    /// First index of an entry in it.
    pub first_index: Option<u64>,
    /// Last index of an entry in it.
    pub last_index: Option<u64>,
    /// Entries of each term.
    pub terms: BTreeMap<u64, u64>,
    /// Votes.
    pub votes: u64,
    /// Marks, which end a batch.
    pub marks: u64,
    /// Records that void entries.
    pub truncations: u64,
}

/// The state.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StateReport {
    /// Generation in use.
    pub current: Option<u32>,
    /// Generations there are.
    pub generations: Vec<Generation>,
    /// Families of the one in use.
    pub families: Vec<Family>,
    /// What its commit record says; `None` before the first run was written.
    pub commit: Option<Commit>,
}

/// A generation of the state.
#[derive(Debug, Clone, Serialize)]
pub struct Generation {
    /// Its number.
    pub number: u32,
    /// Files in it.
    pub files: u64,
    /// Their length, bytes.
    pub bytes: u64,
}

/// A family of the state.
#[derive(Debug, Clone, Serialize)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its files.
    pub files: u64,
    /// Their length, bytes.
    pub bytes: u64,
    /// Its rows; as its files say, unless everything was read.
    pub rows: u64,
}

/// A commit record.
#[derive(Debug, Clone, Serialize)]
pub struct Commit {
    /// The last entry applied.
    pub applied: Position,
    /// The membership.
    pub members: Option<Members>,
    /// The last timestamp given, ns.
    pub timestamp: u64,
    /// The last sequence given.
    pub sequence: u64,
    /// Accounts.
    pub account_count: u64,
    /// Transfers.
    pub transfer_count: u64,
    /// Ids refused for ever.
    pub refused_count: u64,
    /// Transfers that are pending.
    pub pending_count: u64,
    /// Digest that nodes compare at this index, hexadecimal.
    pub digest: String,
}

/// A snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct SnapshotLine {
    /// Name of its directory.
    pub name: String,
    /// The last entry it contains.
    pub applied: Option<Position>,
    /// Its files.
    pub files: u64,
    /// Their length, bytes.
    pub bytes: u64,
}

impl Report {
    pub(super) fn new(dir: &Path, verified: bool) -> Self {
        Self {
            dir: dir.display().to_string(),
            ok: false,
            verified,
            problems: vec![],
            identity: None,
            claims: vec![],
            members: None,
            suspect: None,
            put_aside: vec![],
            ballast_bytes: 0,
            log: LogReport::default(),
            state: StateReport::default(),
            snapshots: vec![],
        }
    }

    pub(super) fn problem(&mut self, place: &str, what: &dyn std::fmt::Display) {
        self.problems.push(format!("{place}: {what}"));
    }

    /// All was looked at.
    pub(super) fn settled(mut self) -> Self {
        self.ok = self.problems.is_empty();
        self
    }

    pub(super) fn add_log(&mut self, log: Summary) {
        if let Some(why) = &log.refused {
            self.problem("log", why);
        }
        let line = |segment: log::inspect::Segment| SegmentLine {
            file: file_name(&segment.path),
            bytes: segment.bytes,
            record_bytes: segment.record_bytes,
            first_record: segment.first_record,
            records: segment.records,
            first_index: segment.entries.map(|(first, _)| first),
            last_index: segment.entries.map(|(_, last)| last),
            terms: segment.terms,
            votes: segment.votes,
            marks: segment.marks,
            truncations: segment.truncations,
        };
        self.log = LogReport {
            spare_segments: log.spares.0,
            spare_bytes: log.spares.1,
            purged: log
                .state
                .and_then(|state| state.last_purged)
                .map(Into::into),
            last: log.state.and_then(|state| state.last).map(Into::into),
            vote: log.vote.map(|vote| Vote {
                term: vote.term,
                node: vote.node,
                committed: vote.committed,
            }),
            committed_index: log.committed,
            torn_bytes: log.torn_bytes,
            damage: log.damage.map(|damage| Damage {
                path: damage.path.display().to_string(),
                offset: damage.offset,
                record: damage.record_number,
                index: damage.index,
                durable_index: damage.durable_index,
                reason: damage.reason,
            }),
            segments: log.segments.into_iter().map(line).collect(),
        };
    }

    pub(super) fn add_state(&mut self, state: &State) {
        let family = |family: &storage::inspect::Family| Family {
            name: family.name,
            files: family.files,
            bytes: family.bytes,
            rows: family.rows,
        };
        self.state.families = state.families.iter().map(family).collect();
        let applied = &state.applied;
        let clock = applied.clock;
        let members = applied.membership.as_ref();
        let members = members.map(|(id, bytes)| consensus::inspect::membership(id.index, bytes));
        let members = members.transpose().unwrap_or_else(|why| {
            self.problem("state, membership", &why);
            None
        });
        self.state.commit = applied.log_id.map(|id| Commit {
            applied: id.into(),
            members,
            timestamp: clock.timestamp,
            sequence: clock.sequence,
            account_count: clock.account_count,
            transfer_count: clock.transfer_count,
            refused_count: clock.refused_count,
            pending_count: clock.pending_count,
            digest: format!("{:032x}", applied.comparable_digest()),
        });
        let findings = state.verified.iter().flat_map(|report| &report.findings);
        for finding in findings {
            self.problem("state", finding);
        }
        // Invariant: state is never ahead of the log.
        let (last, applied) = (self.log.last, applied.log_id);
        if let (Some(last), Some(applied)) = (last, applied)
            && applied.index > last.index
        {
            let what = format!(
                "it is ahead of the log: applied up to {}, and the log ends at {}",
                applied.index, last.index
            );
            self.problem("state", &what);
        }
    }

    pub(super) fn add_snapshots(&mut self, snapshots: &[Snapshot]) {
        for snapshot in snapshots {
            let place = format!("snapshot {}", snapshot.name);
            let manifest = match &snapshot.manifest {
                Ok(manifest) => Some(manifest),
                Err(error) => {
                    self.problem(&place, error);
                    None
                }
            };
            for finding in &snapshot.findings {
                self.problem(&place, finding);
            }
            self.snapshots.push(SnapshotLine {
                name: snapshot.name.clone(),
                applied: manifest.map(|manifest| manifest.log_id.into()),
                files: manifest.map_or(0, |manifest| manifest.files.len() as u64),
                bytes: manifest.map_or(0, storage::Manifest::length),
            });
        }
    }
}

impl StateReport {
    pub(super) fn add_generations(&mut self, generations: &Generations) {
        self.current = generations.current;
        let line = |generation: &storage::inspect::Generation| Generation {
            number: generation.number,
            files: generation.files,
            bytes: generation.bytes,
        };
        self.generations = generations.all.iter().map(line).collect();
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
