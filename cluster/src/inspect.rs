//! What a look at a node's directory found, as people read it.
//!
//! The report is made by the node program, which knows the files; here are the parts of it that are shown. What a newer
//! program adds is passed on in JSON and not shown otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::{Align, Report, Table, bytes, count};

/// The answer of `farthing-node inspect`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inspection {
    /// The directory.
    pub dir: String,
    /// True when nothing was found wrong.
    pub ok: bool,
    /// Whether everything was read.
    pub verified: bool,
    /// What was found wrong.
    pub problems: Vec<String>,
    /// Whose directory it is.
    pub identity: Option<Identity>,
    /// What is known of every node's promises.
    pub claims: Vec<Claim>,
    /// The last membership known.
    pub members: Option<Members>,
    /// What was put aside as damaged.
    pub put_aside: Vec<String>,
    /// The log.
    pub log: Log,
    /// The state.
    pub state: State,
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
    /// Everything else.
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// Whose directory it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // named as in the report of the node program, which says what each is
pub struct Identity {
    pub cluster_id: String,
    pub node_id: u64,
    pub incarnation: u64,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// What is known of a node's promises.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Claim {
    pub node: u64,
    pub incarnation: u64,
    pub vote: Option<(u64, u64, bool)>,
    pub acknowledged: Option<(u64, u64)>,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Members {
    pub index: u64,
    pub members: Vec<Member>,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A member.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Member {
    pub id: u64,
    pub voter: bool,
    pub client_address: String,
    pub peer_address: String,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A place in the log.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Position {
    pub index: u64,
    pub term: u64,
}

/// A vote.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Vote {
    pub term: u64,
    pub node: u64,
    pub committed: bool,
}

/// The log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Log {
    pub segments: Vec<Segment>,
    pub spare_segments: u64,
    pub spare_bytes: u64,
    pub purged: Option<Position>,
    pub last: Option<Position>,
    pub vote: Option<Vote>,
    pub torn_bytes: u64,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A segment of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Segment {
    pub file: String,
    pub bytes: u64,
    pub record_bytes: u64,
    pub records: u64,
    pub first_index: Option<u64>,
    pub last_index: Option<u64>,
    pub terms: BTreeMap<String, u64>,
    pub votes: u64,
    pub marks: u64,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// The state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct State {
    pub current: Option<u32>,
    pub generations: Vec<Generation>,
    pub families: Vec<Family>,
    pub commit: Option<Commit>,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A generation of the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Generation {
    pub number: u32,
    pub files: u64,
    pub bytes: u64,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A family of the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Family {
    pub name: String,
    pub files: u64,
    pub bytes: u64,
    pub rows: u64,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// The commit record of the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Commit {
    pub applied: Position,
    pub account_count: u64,
    pub transfer_count: u64,
    pub refused_count: u64,
    pub pending_count: u64,
    pub digest: String,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)] // as above
pub struct Snapshot {
    pub name: String,
    pub applied: Option<Position>,
    pub files: u64,
    pub bytes: u64,
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

impl Report for Inspection {
    /// One row for each thing wrong.
    fn table(&self) -> Table {
        let mut table = Table::new(&[("problem", Align::Left)]);
        for problem in &self.problems {
            table.row(vec![problem.clone()]);
        }
        table
    }

    fn prose(&self) -> Option<String> {
        let mut text = self.head();
        for (title, table) in [
            ("Members", self.members_table()),
            ("Log", self.segments_table()),
            ("State", self.families_table()),
            ("Snapshots", self.snapshots_table()),
            ("Promises known", self.claims_table()),
        ] {
            if let Some(table) = table {
                let _ = write!(text, "\n{title}\n{}", indented(&table.to_text(false)));
            }
        }
        text.push('\n');
        if !self.put_aside.is_empty() {
            let _ = writeln!(text, "Put aside as damaged: {}", self.put_aside.join(", "));
        }
        for problem in &self.problems {
            let _ = writeln!(text, "WRONG: {problem}");
        }
        if self.ok {
            text.push_str(if self.verified {
                "Everything was read and is right.\n"
            } else {
                "Nothing wrong was found; the log was read as a whole. --verify reads state and snapshots too.\n"
            });
        }
        Some(text)
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

impl Inspection {
    fn head(&self) -> String {
        let mut pairs = vec![("directory", self.dir.clone())];
        match &self.identity {
            Some(identity) => pairs.extend([
                ("node", identity.node_id.to_string()),
                ("cluster", identity.cluster_id.clone()),
                ("starts", count(identity.incarnation)),
            ]),
            None => pairs.push(("node", "not known".to_owned())),
        }
        let log = &self.log;
        if let Some(last) = log.last {
            let first = log.purged.map_or(0, |purged| purged.index + 1);
            let entries = if last.index < first {
                format!("none; it goes on after {}", last.index)
            } else {
                format!("{first} to {}, the last of term {}", last.index, last.term)
            };
            pairs.push(("log entries", entries));
        }
        if let Some(vote) = log.vote {
            let leads = if vote.committed { ", which led it" } else { "" };
            pairs.push((
                "vote",
                format!("term {}, node {}{leads}", vote.term, vote.node),
            ));
        }
        if log.torn_bytes > 0 {
            let torn = format!(
                "{} at the end, never acknowledged: the next start cuts them",
                bytes(log.torn_bytes)
            );
            pairs.push(("torn by a crash", torn));
        }
        if log.spare_segments > 0 {
            let spares = format!("{}, {}", log.spare_segments, bytes(log.spare_bytes));
            pairs.push(("spare segments", spares));
        }
        if let Some(commit) = &self.state.commit {
            pairs.extend([
                (
                    "state applied",
                    format!(
                        "up to {}, of term {}",
                        commit.applied.index, commit.applied.term
                    ),
                ),
                ("accounts", count(commit.account_count)),
                ("transfers", count(commit.transfer_count)),
                ("refused ids", count(commit.refused_count)),
                ("pending", count(commit.pending_count)),
                ("digest", commit.digest.clone()),
            ]);
        }
        let generation = |generation: &Generation| {
            let used = if self.state.current == Some(generation.number) {
                ", in use"
            } else {
                ""
            };
            format!(
                "{:08}: {} files, {}{used}",
                generation.number,
                generation.files,
                bytes(generation.bytes)
            )
        };
        pairs.extend(
            self.state
                .generations
                .iter()
                .map(|found| ("generation", generation(found))),
        );
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        pairs
            .into_iter()
            .map(|(name, value)| format!("{name:<width$}  {value}\n"))
            .collect()
    }

    fn members_table(&self) -> Option<Table> {
        let members = self.members.as_ref()?;
        let mut table = Table::new(&[
            ("node", Align::Right),
            ("role", Align::Left),
            ("clients", Align::Left),
            ("peers", Align::Left),
            ("since index", Align::Right),
        ]);
        for member in &members.members {
            table.row(vec![
                member.id.to_string(),
                if member.voter { "voter" } else { "learner" }.to_owned(),
                member.client_address.clone(),
                member.peer_address.clone(),
                members.index.to_string(),
            ]);
        }
        Some(table)
    }

    fn segments_table(&self) -> Option<Table> {
        let mut table = Table::new(&[
            ("segment", Align::Left),
            ("size", Align::Right),
            ("used", Align::Right),
            ("records", Align::Right),
            ("entries", Align::Left),
            ("of terms", Align::Left),
            ("votes", Align::Right),
            ("marks", Align::Right),
        ]);
        for segment in &self.log.segments {
            let terms = segment.terms.keys().filter_map(|term| term.parse().ok());
            let terms: BTreeSet<u64> = terms.collect();
            let terms = match (terms.first(), terms.last()) {
                (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
                (Some(only), _) => only.to_string(),
                _ => String::new(),
            };
            let entries = match (segment.first_index, segment.last_index) {
                (Some(first), Some(last)) => format!("{first} to {last}"),
                _ => "none".to_owned(),
            };
            table.row(vec![
                segment.file.clone(),
                bytes(segment.bytes),
                bytes(segment.record_bytes),
                count(segment.records),
                entries,
                terms,
                count(segment.votes),
                count(segment.marks),
            ]);
        }
        (!self.log.segments.is_empty()).then_some(table)
    }

    fn families_table(&self) -> Option<Table> {
        let mut table = Table::new(&[
            ("family", Align::Left),
            ("files", Align::Right),
            ("size", Align::Right),
            ("rows", Align::Right),
        ]);
        for family in &self.state.families {
            table.row(vec![
                family.name.clone(),
                count(family.files),
                bytes(family.bytes),
                count(family.rows),
            ]);
        }
        (!self.state.families.is_empty()).then_some(table)
    }

    fn snapshots_table(&self) -> Option<Table> {
        let mut table = Table::new(&[
            ("snapshot", Align::Left),
            ("up to", Align::Right),
            ("files", Align::Right),
            ("size", Align::Right),
        ]);
        for snapshot in &self.snapshots {
            let applied = snapshot.applied;
            table.row(vec![
                snapshot.name.clone(),
                applied.map_or_else(|| "?".to_owned(), |applied| applied.index.to_string()),
                count(snapshot.files),
                bytes(snapshot.bytes),
            ]);
        }
        (!self.snapshots.is_empty()).then_some(table)
    }

    fn claims_table(&self) -> Option<Table> {
        let mut table = Table::new(&[
            ("node", Align::Right),
            ("starts", Align::Right),
            ("vote", Align::Left),
            ("acknowledged up to", Align::Right),
        ]);
        for claim in &self.claims {
            let vote = claim
                .vote
                .map(|(term, node, _)| format!("term {term}, node {node}"));
            let up_to = claim.acknowledged.map(|(_, index)| index.to_string());
            table.row(vec![
                claim.node.to_string(),
                count(claim.incarnation),
                vote.unwrap_or_default(),
                up_to.unwrap_or_default(),
            ]);
        }
        (!self.claims.is_empty()).then_some(table)
    }
}
