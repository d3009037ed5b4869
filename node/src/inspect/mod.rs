//! Looks at a node's directory while no node runs on it: whose it is, what its log and its state hold, and whether that
//! is right. It changes nothing, not even what the next start would mend.
//!
//! Every part is read by the module that writes it; here they are put side by side. It decides nothing and repairs
//! nothing: that is `repair`, at a start. What is found wrong is told in [`Report::problems`] in the words of whoever
//! found it.

mod report;
#[cfg(test)]
mod tests;

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

pub use report::{
    Commit, Family, Generation, Identity, LogReport, Position, Report, SegmentLine, SnapshotLine,
    StateReport, Vote,
};

use crate::consensus::inspect as promises;
use crate::log::inspect as records;
use crate::meta;
use crate::repair::Finding;
use crate::storage::inspect as rows;

/// Why a directory was not looked at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not the directory of a node.
    #[error("{0} is not the directory of a node: node.meta is missing")]
    NotANode(PathBuf),
    /// A node runs on it.
    #[error("{0} is in use: a node runs on it")]
    InUse(PathBuf),
    /// The file system failed.
    #[error("{path}: {source}")]
    Io {
        /// What was read.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
}

/// Looks at a directory. With `everything` the whole state and all snapshots are read with their checksums, and all
/// that can be known wrong without another node is looked for; the log is read in any case.
///
/// The directory's lock is held meanwhile, so that no node starts on it.
///
/// # Errors
/// When it is no node's directory, is in use, or cannot be read. Damage is part of the report.
pub fn inspect(dir: &Path, everything: bool) -> Result<Report, Error> {
    let _lock = lock(dir)?;
    let mut report = Report::new(dir, everything);
    let (identities, wrong) = meta::look(dir);
    report.problems.extend(wrong);
    let Some(found) = identities else {
        // Log and state are read in the name of whoever they belong to, which nothing tells.
        return if report.problems.is_empty() {
            Err(Error::NotANode(dir.to_owned()))
        } else {
            Ok(report.settled())
        };
    };
    report.identity = Some(Identity {
        cluster_id: farthing_proto::convert::id::format_id(found.cluster_id),
        node_id: found.node_id,
        incarnation: found.incarnation,
    });
    beside(dir, &mut report);
    let log = records::inspect(&dir.join("log"), found.cluster_id, found.node_id);
    let log = log.map_err(|source| Error::Io {
        path: dir.join("log"),
        source,
    })?;
    report.add_log(log);
    state(dir, everything, &mut report);
    Ok(report.settled())
}

/// The lock of the directory, if there is one to hold; it is not made.
fn lock(dir: &Path) -> Result<Option<std::fs::File>, Error> {
    let path = dir.join("LOCK");
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    // A directory that cannot be listed is told as such, not as one of nobody.
    std::fs::read_dir(dir).map_err(|source| Error::Io {
        path: dir.to_owned(),
        source,
    })?;
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

/// The small files beside log and state.
fn beside(dir: &Path, report: &mut Report) {
    match promises::claims(dir) {
        Ok(claims) => report.claims = claims.unwrap_or_default(),
        Err(why) => report.problem("claims.meta", &why),
    }
    match promises::members(dir) {
        Ok(members) => report.members = members,
        Err(why) => report.problem("members.meta", &why),
    }
    match promises::suspect(dir) {
        Ok(loss) => report.suspect = loss,
        Err(why) => report.problem("suspect.meta", &why),
    }
    if let Some(loss) = &report.suspect {
        let what = format!(
            "the node is suspect until a leader has refilled its log: {}",
            loss.what
        );
        report.problem("suspect.meta", &what);
    }
    match Finding::read(dir) {
        Ok(Some(finding)) => {
            let what = format!(
                "found while the node ran, not repaired yet: {}",
                finding.what
            );
            report.problem("finding.meta", &what);
        }
        Ok(None) => {}
        Err(error) => report.problem("finding.meta", &error),
    }
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    report.put_aside = names.filter(|name| name.contains(".damaged")).collect();
    report.put_aside.sort();
    report.ballast_bytes =
        std::fs::metadata(dir.join("ballast")).map_or(0, |ballast| ballast.len());
}

fn state(dir: &Path, everything: bool, report: &mut Report) {
    let generations = match rows::generations(dir) {
        Ok(generations) => generations,
        Err(error) => return report.problem("state", &error),
    };
    report.state.add_generations(&generations);
    match generations.current {
        Some(current) if !generations.creating => match rows::state(dir, current, everything) {
            Ok(state) => report.add_state(&state),
            Err(error) => report.problem("state", &error),
        },
        None if !generations.all.is_empty() => {
            report.problem("state", &"CURRENT is missing beside existing generations");
        }
        _ => {}
    }
    match rows::snapshots(dir, everything) {
        Ok(snapshots) => report.add_snapshots(&snapshots),
        Err(error) => report.problem("snapshots", &error),
    }
}
