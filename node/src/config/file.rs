//! Settings as a TOML file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Error;
use crate::telemetry::LogFormat;

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) dir: Option<PathBuf>,
    pub(super) node_id: Option<u64>,
    pub(super) cluster_id: Option<String>,
    pub(super) client_address: Option<String>,
    pub(super) peer_address: Option<String>,
    pub(super) members: Vec<FileMember>,
    pub(super) join: bool,
    pub(super) log: FileLog,
    pub(super) disk: FileDisk,
    pub(super) connections: FileConnections,
    pub(super) heartbeat_ms: Option<u64>,
    pub(super) election_timeout_min_ms: Option<u64>,
    pub(super) election_timeout_max_ms: Option<u64>,
    pub(super) admission_bytes: Option<usize>,
    pub(super) run_transfers: Option<usize>,
    pub(super) run_interval_ms: Option<u64>,
    pub(super) block_cache_bytes: Option<usize>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log_filter: Option<String>,
    pub(super) clock_skew_ms: Option<i64>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileLog {
    pub(super) keep_bytes: Option<u64>,
    pub(super) segment_bytes: Option<u64>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileDisk {
    pub(super) ballast_bytes: Option<u64>,
    pub(super) low_bytes: Option<u64>,
    pub(super) reserve_bytes: Option<u64>,
    pub(super) quota_bytes: Option<u64>,
    pub(super) sync_slow_ms: Option<u64>,
    pub(super) scrub_period_s: Option<u64>,
    pub(super) scrub_bytes_per_s: Option<u64>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileConnections {
    pub(super) max: Option<usize>,
    pub(super) preface_ms: Option<u64>,
    pub(super) keepalive_ms: Option<u64>,
    pub(super) keepalive_timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileMember {
    pub(super) id: u64,
    pub(super) client_address: String,
    pub(super) peer_address: String,
}

/// Reads a file; an unknown setting in it is an error.
pub(super) fn read(path: &Path) -> Result<File, Error> {
    let wrong = |why: String| Error::File {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    parse(&text).map_err(|error| wrong(error.to_string()))
}

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}
