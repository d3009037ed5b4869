//! How this node stands: the answer to `Admin.Status`, and what in it a person must look at.

use farthing_proto::convert::id::format_id;
use farthing_proto::v1;

use super::context::Context;
use super::{members, role};
use crate::listener::Readings;
use crate::storage::Gauges;

/// Files in the first level of a family from which on writing waits for compaction.
const FIRST_LEVEL_FILES_HIGH: u64 = 24;

pub(super) fn of(context: &Context) -> Result<v1::StatusReply, crate::storage::Error> {
    let identity = context.identity();
    let status = context.consensus().status();
    let vitals = context.consensus().vitals();
    let scrub = vitals.scrub();
    let vote = context.log().vote();
    let applied = context.storage().applied();
    let gauges = context.storage().gauges()?;
    let suspect = context.consensus().suspect();
    let (clients, peers) = (context.doors().clients.read(), context.doors().peers.read());
    let log = context.log().stats();
    let state_bytes = gauges.families.iter().map(|family| family.disk_bytes).sum();
    let leader_address = status
        .leader
        .and_then(|id| status.member(id))
        .map(|member| member.client_address)
        .unwrap_or_default();
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
        members: members::listed(&status),
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
        disk_bytes: crate::storage::used_bytes(&identity.data_dir),
        disk_free_bytes: gauges.free_bytes,
        election_count: status.term.saturating_sub(identity.term_at_start),
        account_count: applied.clock.account_count,
        transfer_count: applied.clock.transfer_count,
        clock_timestamp: applied.clock.timestamp,
        alarms: [
            vitals.alarms(),
            suspect.iter().map(|lost| suspicion(lost)).collect(),
            alarms(&gauges, &log, context.log().is_congested()),
            crowded("clients", &clients),
            crowded("peers", &peers),
        ]
        .concat(),
        requests_in_flight: context.admission().requests_in_flight() as u64,
        state_bytes,
        log_bytes: log.bytes_on_disk,
        scrub_period_s: vitals.scrub_period().as_secs(),
        scrub_finished_unix_s: scrub.finished_unix_s,
        scrub_took_s: scrub.took.as_secs(),
        scrub_bytes: scrub.bytes,
        suspect: suspect.unwrap_or_default(),
        connections: Some(connections(&clients)),
        peer_connections: Some(connections(&peers)),
    })
}

fn connections(readings: &Readings) -> v1::Connections {
    v1::Connections {
        limit: readings.limit as u64,
        open: readings.open as u64,
        refused: readings.refused,
        expired: readings.expired,
        accept_failures: readings.failed,
    }
}

fn crowded(whose: &str, readings: &Readings) -> Vec<String> {
    let Readings {
        limit,
        open,
        refused,
        failed,
        ..
    } = readings;
    let line = format!(
        "connections of {whose} are turned away: {open} of {limit} are open, {refused} were refused and {failed} times none could be accepted since the start; find out who opens them, or raise connections.max and the limit of open files"
    );
    readings.is_crowded.then_some(line).into_iter().collect()
}

/// Resident memory of this process, where the system tells (Linux).
fn rss_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

fn suspicion(lost: &str) -> String {
    format!(
        "this node has lost part of its log and neither votes nor leads before the others have refilled it: keep them \
         up ({lost})"
    )
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
    match crate::telemetry::dropped_lines() {
        0 => {}
        count => alarms.push(format!(
            "{count} log lines were dropped because standard error does not take them: read it"
        )),
    }
    alarms
}
