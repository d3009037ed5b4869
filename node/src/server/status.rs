//! How this node stands: the answer to `Admin.Status`, and what in it a person must look at.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use farthing_proto::convert::id::format_id;
use farthing_proto::v1;

use super::context::Context;
use super::role;
use crate::storage::Gauges;

/// Directories below the node's own; what lies deeper is not ours.
const DEPTH_MAX: usize = 8;
/// Files in the first level of a family from which on writing waits for compaction.
const FIRST_LEVEL_FILES_HIGH: u64 = 24;

pub(super) fn of(context: &Context) -> Result<v1::StatusReply, crate::storage::Error> {
    let identity = context.identity();
    let status = context.consensus().status();
    let vote = context.log().vote();
    let applied = context.storage().applied();
    let gauges = context.storage().gauges()?;
    let log = context.log().stats();
    let state_bytes = gauges.families.iter().map(|family| family.disk_bytes).sum();
    let leader_address = status
        .leader
        .and_then(|id| status.member(id))
        .map(|member| member.client_address)
        .unwrap_or_default();
    let members = status
        .members
        .iter()
        .map(|found| v1::Member {
            id: found.id,
            client_address: found.member.client_address.clone(),
            peer_address: found.member.peer_address.clone(),
            role: if found.voter {
                v1::MemberRole::Voter
            } else {
                v1::MemberRole::Learner
            }
            .into(),
        })
        .collect();
    Ok(v1::StatusReply {
        cluster_id: format_id(identity.cluster_id),
        node_id: identity.node_id,
        role: role(status.role).into(),
        term: status.term,
        vote: vote.map(|vote| v1::Vote {
            term: vote.term,
            node_id: vote.node,
            committed: vote.committed,
        }),
        leader_id: status.leader.unwrap_or(0),
        leader_address,
        client_address: identity.client_address.clone(),
        peer_address: identity.peer_address.clone(),
        members,
        last_log_index: status.last_log_index.unwrap_or(0),
        durable_log_index: context.log().durable_index().unwrap_or(0),
        committed_index: status.committed_index.unwrap_or(0),
        applied_index: applied.log_id.map_or(0, |id| id.index),
        state_durable_index: context.storage().committed().map_or(0, |id| id.index),
        snapshot_index: status.snapshot_index.unwrap_or(0),
        purged_index: status.purged_index.unwrap_or(0),
        version: env!("CARGO_PKG_VERSION").into(),
        feature_level: u32::from(farthing_ledger::FEATURE_LEVEL_MAX),
        uptime_s: context.uptime().as_secs(),
        rss_bytes: rss_bytes().unwrap_or(0),
        disk_bytes: used_bytes(&identity.data_dir),
        disk_free_bytes: gauges.free_bytes,
        election_count: status.term.saturating_sub(identity.term_at_start),
        account_count: applied.clock.account_count,
        transfer_count: applied.clock.transfer_count,
        clock_timestamp: applied.clock.timestamp,
        alarms: alarms(&gauges, &log, context.log().is_congested()),
        requests_in_flight: context.admission().requests_in_flight() as u64,
        state_bytes,
        log_bytes: log.bytes_on_disk,
    })
}

/// Resident memory of this process, where the system tells (Linux).
fn rss_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

/// What a person must look at. Each line says what is wrong and what to do.
fn alarms(gauges: &Gauges, log: &crate::log::Stats, log_is_congested: bool) -> Vec<String> {
    let mut alarms = Vec::new();
    let mib = gauges.free_bytes >> 20;
    if gauges.waiting_for_space {
        alarms.push(format!(
            "the disk has only {mib} MiB free, so the state cannot be written and writes will stop: make room"
        ));
    }
    if let Some(failure) = &log.spare_failure {
        alarms.push(format!(
            "the log cannot make its next file ({failure}), {mib} MiB are free: make room or mend the disk"
        ));
    }
    if log_is_congested {
        alarms.push(format!(
            "the log's disk is behind: {} MiB wait to be synced; look at its latency",
            log.queued_bytes >> 20
        ));
    }
    if gauges.first_level_files >= FIRST_LEVEL_FILES_HIGH {
        alarms.push(format!(
            "compaction is behind: {} files in the first level; writes wait for it",
            gauges.first_level_files
        ));
    }
    alarms
}

/// Bytes that a directory takes on its disk. A file that a snapshot shares with the state counts once; what vanishes
/// while we look is not counted.
fn used_bytes(dir: &Path) -> u64 {
    let mut seen = HashSet::new();
    let mut left = vec![(dir.to_path_buf(), 0)];
    let mut bytes = 0;
    while let Some((dir, depth)) = left.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() && depth < DEPTH_MAX {
                left.push((entry.path(), depth + 1));
            } else if metadata.nlink() < 2 || seen.insert((metadata.dev(), metadata.ino())) {
                bytes += metadata.blocks() * 512;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_shared_file_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        let file = dir.path().join("a/file");
        std::fs::write(&file, vec![1; 1 << 20]).unwrap();
        let alone = used_bytes(dir.path());
        assert!((1 << 20..2 << 20).contains(&alone), "{alone}");
        std::fs::hard_link(&file, dir.path().join("link")).unwrap();
        assert_eq!(used_bytes(dir.path()), alone);
        std::fs::write(dir.path().join("other"), vec![1; 1 << 20]).unwrap();
        assert!(used_bytes(dir.path()) > alone);
    }
}
