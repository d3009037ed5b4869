//! Settings as flags and environment variables.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::telemetry::LogFormat;

/// What the program does instead of running a node. It answers on standard output with one JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Tell every setting, its value and where it comes from, and what is wrong with them; `farthing config` shows it.
    Settings,
    /// Look at a node's directory while no node runs on it, changing nothing; `farthing inspect` shows it.
    Inspect {
        /// The directory.
        dir: PathBuf,
        /// Read everything, with checksums.
        #[arg(long)]
        verify: bool,
    },
}

/// One replica of a Farthing cluster.
///
/// Every setting can be given in the TOML file, as an environment variable and as a flag; the later wins.
#[derive(Debug, Default, Clone, Parser)]
#[command(name = "farthing-node", version, about, long_about = None)]
pub struct Flags {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// TOML file with any of the settings below, in snake case.
    #[arg(long, env = "FARTHING_NODE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of this node's log, state and snapshots.
    #[arg(long, env = "FARTHING_NODE_DIR")]
    pub dir: Option<PathBuf>,
    /// Number of this node, 1 or more, unique for ever in its cluster.
    #[arg(long, env = "FARTHING_NODE_ID")]
    pub node_id: Option<u64>,
    /// Id of the cluster, a UUID; the same on every node.
    #[arg(long, env = "FARTHING_NODE_CLUSTER_ID")]
    pub cluster_id: Option<String>,
    /// host:port to serve clients on; port 0 takes a free one.
    #[arg(long, env = "FARTHING_NODE_CLIENT_ADDRESS")]
    pub client_address: Option<String>,
    /// host:port to serve the other nodes on.
    #[arg(long, env = "FARTHING_NODE_PEER_ADDRESS")]
    pub peer_address: Option<String>,
    /// An initial member as ID=CLIENT_ADDRESS,PEER_ADDRESS; repeat for each, the same on every node.
    #[arg(long = "member", env = "FARTHING_NODE_MEMBERS", value_delimiter = ';')]
    pub members: Vec<String>,
    /// Wait to be added to a cluster that runs, instead of founding one; needs no members.
    #[arg(long, env = "FARTHING_NODE_JOIN")]
    pub join: bool,
    /// Bytes of log to keep; a follower further behind gets a snapshot.
    #[arg(long, env = "FARTHING_NODE_LOG_KEEP_BYTES")]
    pub log_keep_bytes: Option<u64>,
    /// Bytes of one log segment.
    #[arg(long, env = "FARTHING_NODE_LOG_SEGMENT_BYTES")]
    pub log_segment_bytes: Option<u64>,
    /// Bytes set aside on the disk for the log, given up when everything else is full; 0 for none.
    #[arg(long, env = "FARTHING_NODE_DISK_BALLAST_BYTES")]
    pub disk_ballast_bytes: Option<u64>,
    /// Free bytes below which new work is refused; computed from the other sizes when not given.
    #[arg(long, env = "FARTHING_NODE_DISK_LOW_BYTES")]
    pub disk_low_bytes: Option<u64>,
    /// Free bytes below which everything but reads is refused.
    #[arg(long, env = "FARTHING_NODE_DISK_RESERVE_BYTES")]
    pub disk_reserve_bytes: Option<u64>,
    /// Bytes that the node's directory may take; without it, all that the disk has.
    #[arg(long, env = "FARTHING_NODE_DISK_QUOTA_BYTES")]
    pub disk_quota_bytes: Option<u64>,
    /// Median milliseconds of a sync of the log above which a leader hands over to a node that is faster.
    #[arg(long, env = "FARTHING_NODE_DISK_SYNC_SLOW_MS")]
    pub disk_sync_slow_ms: Option<u64>,
    /// Seconds in which what is at rest is read back once; 0 for never.
    #[arg(long, env = "FARTHING_NODE_DISK_SCRUB_PERIOD_S")]
    pub disk_scrub_period_s: Option<u64>,
    /// Bytes a second that reading back takes at most.
    #[arg(long, env = "FARTHING_NODE_DISK_SCRUB_BYTES_PER_S")]
    pub disk_scrub_bytes_per_s: Option<u64>,
    /// Connections of clients open at once; one more is closed at once. Fewer, when the process may not open as many files.
    #[arg(long, env = "FARTHING_NODE_CONNECTIONS_MAX")]
    pub connections_max: Option<usize>,
    /// Milliseconds within which a connection must have begun to speak HTTP/2, at most 10000.
    #[arg(long, env = "FARTHING_NODE_CONNECTIONS_PREFACE_MS")]
    pub connections_preface_ms: Option<u64>,
    /// Milliseconds of a client's silence after which it is asked for a sign of life.
    #[arg(long, env = "FARTHING_NODE_CONNECTIONS_KEEPALIVE_MS")]
    pub connections_keepalive_ms: Option<u64>,
    /// Milliseconds a client has to give one before its connection is closed.
    #[arg(long, env = "FARTHING_NODE_CONNECTIONS_KEEPALIVE_TIMEOUT_MS")]
    pub connections_keepalive_timeout_ms: Option<u64>,
    /// Milliseconds between heartbeats.
    #[arg(long, env = "FARTHING_NODE_HEARTBEAT_MS")]
    pub heartbeat_ms: Option<u64>,
    /// Shortest election timeout in milliseconds.
    #[arg(long, env = "FARTHING_NODE_ELECTION_TIMEOUT_MIN_MS")]
    pub election_timeout_min_ms: Option<u64>,
    /// Longest election timeout in milliseconds.
    #[arg(long, env = "FARTHING_NODE_ELECTION_TIMEOUT_MAX_MS")]
    pub election_timeout_max_ms: Option<u64>,
    /// Bytes of requests admitted and not yet answered.
    #[arg(long, env = "FARTHING_NODE_ADMISSION_BYTES")]
    pub admission_bytes: Option<usize>,
    /// Transfers in one sorted run of the state.
    #[arg(long, env = "FARTHING_NODE_RUN_TRANSFERS")]
    pub run_transfers: Option<usize>,
    /// Longest time in milliseconds that applied entries wait for a run.
    #[arg(long, env = "FARTHING_NODE_RUN_INTERVAL_MS")]
    pub run_interval_ms: Option<u64>,
    /// Bytes of cache for blocks of the state.
    #[arg(long, env = "FARTHING_NODE_BLOCK_CACHE_BYTES")]
    pub block_cache_bytes: Option<usize>,
    /// Form of log lines on stderr.
    #[arg(long, env = "FARTHING_NODE_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// What to log, in the syntax of RUST_LOG.
    #[arg(long, env = "FARTHING_NODE_LOG_FILTER")]
    pub log_filter: Option<String>,
    /// Stop when standard input ends: for a node that is to end with the program that started it.
    #[arg(long, env = "FARTHING_NODE_END_WITH_STDIN")]
    pub end_with_stdin: bool,
    /// Milliseconds to add to the wall clock: only for tests of clock faults.
    #[arg(
        long,
        env = "FARTHING_NODE_CLOCK_SKEW_MS",
        hide = true,
        allow_negative_numbers = true
    )]
    pub clock_skew_ms: Option<i64>,
    /// File with what is wrong with the wall clock, read again and again: only in builds for tests.
    #[cfg(feature = "failpoints")]
    #[arg(long, env = "FARTHING_NODE_CLOCK_FILE")]
    pub clock_file: Option<PathBuf>,
    /// Actions at named points as NAME=ACTION, in the syntax of the `fail` crate: only in builds for tests.
    #[cfg(feature = "failpoints")]
    #[arg(
        long = "failpoint",
        env = "FARTHING_NODE_FAILPOINTS",
        value_delimiter = ';'
    )]
    pub failpoints: Vec<String>,
}
