//! Configuration: a TOML file, overridden by the environment, overridden by flags.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

use clap::Parser;
use farthing_proto::convert::id::parse_id;
use serde::Deserialize;

use crate::consensus::Member;
use crate::telemetry::{FILTER_DEFAULT, LogFormat};

/// One replica of a Farthing cluster.
///
/// Every setting can be given in the TOML file, as an environment variable and as a flag; the later wins.
#[derive(Debug, Parser)]
#[command(name = "farthing-node", version, about, long_about = None)]
pub struct Flags {
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
    /// Bytes of log to keep; a follower further behind gets a snapshot.
    #[arg(long, env = "FARTHING_NODE_LOG_KEEP_BYTES")]
    pub log_keep_bytes: Option<u64>,
    /// Bytes of one log segment.
    #[arg(long, env = "FARTHING_NODE_LOG_SEGMENT_BYTES")]
    pub log_segment_bytes: Option<u64>,
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
    /// Milliseconds to add to the wall clock: only for tests of clock faults.
    #[arg(
        long,
        env = "FARTHING_NODE_CLOCK_SKEW_MS",
        hide = true,
        allow_negative_numbers = true
    )]
    pub clock_skew_ms: Option<i64>,
    /// Actions at named points as NAME=ACTION, in the syntax of the `fail` crate: only in builds for tests.
    #[cfg(feature = "failpoints")]
    #[arg(
        long = "failpoint",
        env = "FARTHING_NODE_FAILPOINTS",
        value_delimiter = ';'
    )]
    pub failpoints: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    dir: Option<PathBuf>,
    node_id: Option<u64>,
    cluster_id: Option<String>,
    client_address: Option<String>,
    peer_address: Option<String>,
    members: Vec<FileMember>,
    log: FileLog,
    heartbeat_ms: Option<u64>,
    election_timeout_min_ms: Option<u64>,
    election_timeout_max_ms: Option<u64>,
    admission_bytes: Option<usize>,
    run_transfers: Option<usize>,
    run_interval_ms: Option<u64>,
    block_cache_bytes: Option<usize>,
    log_format: Option<LogFormat>,
    log_filter: Option<String>,
    clock_skew_ms: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileLog {
    keep_bytes: Option<u64>,
    segment_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileMember {
    id: u64,
    client_address: String,
    peer_address: String,
}

/// Everything a node needs to know, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directory of this node's files.
    pub dir: PathBuf,
    /// This node.
    pub node_id: u64,
    /// Its cluster.
    pub cluster_id: u128,
    /// Where clients connect.
    pub client_address: String,
    /// Where the other nodes connect.
    pub peer_address: String,
    /// Members to found the cluster with.
    pub members: BTreeMap<u64, Member>,
    /// Bytes of log to keep.
    pub log_keep_bytes: u64,
    /// Bytes of one log segment.
    pub log_segment_bytes: u64,
    /// Between heartbeats, in ms.
    pub heartbeat_ms: u64,
    /// Range of election timeouts, in ms.
    pub election_timeout_ms: (u64, u64),
    /// Bytes admitted and not yet answered.
    pub admission_bytes: usize,
    /// Transfers in one run.
    pub run_transfers: usize,
    /// Longest wait for a run, in ms.
    pub run_interval_ms: u64,
    /// Bytes of block cache.
    pub block_cache_bytes: usize,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// What to log.
    pub log_filter: String,
    /// Added to the wall clock, in ms.
    pub clock_skew_ms: i64,
}

/// A setting that is missing or wrong; the text says which and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or is not valid.
    #[error("configuration file {path}: {why}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A required setting is nowhere.
    #[error("{0} is not set: give it in the configuration file, as --{flag} or as {env}", flag = .0.replace('_', "-"), env = format!("FARTHING_NODE_{}", .0.to_uppercase().replace("NODE_", "")))]
    Missing(&'static str),
    /// A setting has a value it cannot have.
    #[error("{setting}: {why}")]
    Invalid {
        /// Its name.
        setting: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl Config {
    /// Puts the sources together and checks them.
    ///
    /// # Errors
    /// The first setting that is missing or wrong.
    pub fn load(flags: Flags) -> Result<Self, Error> {
        let file = match &flags.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let invalid = |setting, why: &dyn std::fmt::Display| Error::Invalid {
            setting,
            why: why.to_string(),
        };
        let node_id = flags
            .node_id
            .or(file.node_id)
            .ok_or(Error::Missing("node_id"))?;
        if node_id == 0 {
            return Err(invalid("node_id", &"it must be at least 1"));
        }
        let cluster_id = flags
            .cluster_id
            .or(file.cluster_id)
            .ok_or(Error::Missing("cluster_id"))?;
        let cluster_id = parse_id(&cluster_id).map_err(|error| invalid("cluster_id", &error))?;
        if cluster_id == 0 {
            return Err(invalid("cluster_id", &"it must not be zero"));
        }
        let client_address = flags
            .client_address
            .or(file.client_address)
            .ok_or(Error::Missing("client_address"))?;
        let peer_address = flags
            .peer_address
            .or(file.peer_address)
            .ok_or(Error::Missing("peer_address"))?;
        for (setting, address) in [
            ("client_address", &client_address),
            ("peer_address", &peer_address),
        ] {
            check_loopback(address).map_err(|why| invalid(setting, &why))?;
        }
        let mut members = BTreeMap::new();
        let told = if flags.members.is_empty() {
            file.members
                .into_iter()
                .map(|m| (m.id, m.client_address, m.peer_address))
                .collect()
        } else {
            flags
                .members
                .iter()
                .map(|text| parse_member(text))
                .collect::<Result<Vec<_>, _>>()?
        };
        for (id, client_address, peer_address) in told {
            if members
                .insert(
                    id,
                    Member {
                        client_address,
                        peer_address,
                    },
                )
                .is_some()
            {
                return Err(invalid("members", &format!("node {id} is listed twice")));
            }
        }
        if members.is_empty() {
            let own = Member {
                client_address: client_address.clone(),
                peer_address: peer_address.clone(),
            };
            members.insert(node_id, own);
        }
        let heartbeat_ms = flags.heartbeat_ms.or(file.heartbeat_ms).unwrap_or(100);
        let min = flags
            .election_timeout_min_ms
            .or(file.election_timeout_min_ms)
            .unwrap_or(500);
        let max = flags
            .election_timeout_max_ms
            .or(file.election_timeout_max_ms)
            .unwrap_or(800);
        if heartbeat_ms == 0 || heartbeat_ms * 3 > min || min >= max {
            let why = "heartbeats must be at least 1 ms and three of them fit the shortest election timeout, which must be below the longest";
            return Err(invalid("election_timeout_min_ms", &why));
        }
        let log_segment_bytes = flags
            .log_segment_bytes
            .or(file.log.segment_bytes)
            .unwrap_or(64 << 20);
        if log_segment_bytes < 8 << 20 {
            return Err(invalid(
                "log.segment_bytes",
                &"a segment must hold the largest entry: at least 8388608",
            ));
        }
        Ok(Self {
            dir: flags.dir.or(file.dir).ok_or(Error::Missing("dir"))?,
            node_id,
            cluster_id,
            client_address,
            peer_address,
            members,
            log_keep_bytes: flags
                .log_keep_bytes
                .or(file.log.keep_bytes)
                .unwrap_or(1 << 30),
            log_segment_bytes,
            heartbeat_ms,
            election_timeout_ms: (min, max),
            admission_bytes: flags
                .admission_bytes
                .or(file.admission_bytes)
                .unwrap_or(64 << 20),
            run_transfers: flags
                .run_transfers
                .or(file.run_transfers)
                .unwrap_or(1 << 20)
                .max(1),
            run_interval_ms: flags
                .run_interval_ms
                .or(file.run_interval_ms)
                .unwrap_or(60_000)
                .max(1),
            block_cache_bytes: flags
                .block_cache_bytes
                .or(file.block_cache_bytes)
                .unwrap_or(128 << 20),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
            log_filter: flags
                .log_filter
                .or(file.log_filter)
                .unwrap_or_else(|| FILTER_DEFAULT.into()),
            clock_skew_ms: flags.clock_skew_ms.or(file.clock_skew_ms).unwrap_or(0),
        })
    }
}

fn read(path: &Path) -> Result<File, Error> {
    let wrong = |why: String| Error::File {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    toml::from_str(&text).map_err(|error| wrong(error.to_string()))
}

fn parse_member(text: &str) -> Result<(u64, String, String), Error> {
    let wrong = || Error::Invalid {
        setting: "members",
        why: format!("{text:?} is not ID=CLIENT_ADDRESS,PEER_ADDRESS"),
    };
    let (id, addresses) = text.split_once('=').ok_or_else(wrong)?;
    let (client, peer) = addresses.split_once(',').ok_or_else(wrong)?;
    Ok((
        id.trim().parse().map_err(|_| wrong())?,
        client.trim().into(),
        peer.trim().into(),
    ))
}

/// Listeners are plaintext until certificates come, so they stay on loopback.
fn check_loopback(address: &str) -> Result<(), String> {
    let resolved = address
        .to_socket_addrs()
        .map_err(|error| format!("{address} is no host:port: {error}"))?;
    for found in resolved {
        if !found.ip().is_loopback() {
            return Err(format!(
                "{address} is not a loopback address; this version has no transport security and serves loopback only"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn load(arguments: &[&str]) -> Result<Config, Error> {
        let required = [
            "farthing-node",
            "--dir",
            "d",
            "--node-id",
            "1",
            "--cluster-id",
            "00000000-0000-0000-0000-000000000001",
            "--client-address",
            "127.0.0.1:1",
            "--peer-address",
            "127.0.0.1:2",
        ];
        Config::load(Flags::try_parse_from(required.iter().chain(arguments)).unwrap())
    }

    #[test]
    fn defaults_are_complete_and_a_lone_node_is_its_own_cluster() {
        let config = load(&[]).unwrap();
        assert_eq!(config.members.len(), 1);
        assert_eq!(config.log_keep_bytes, 1 << 30);
    }

    #[test]
    fn members_are_read_and_doubles_refused() {
        let config = load(&[
            "--member",
            "1=127.0.0.1:1,127.0.0.1:2",
            "--member",
            "2=h:3,h:4",
        ])
        .unwrap();
        assert_eq!(config.members[&2].peer_address, "h:4");
        let twice = load(&["--member", "1=a:1,a:2", "--member", "1=b:1,b:2"]).unwrap_err();
        assert!(twice.to_string().contains("listed twice"), "{twice}");
        assert!(load(&["--member", "x"]).is_err());
    }

    #[test]
    fn what_cannot_work_is_refused_with_a_reason() {
        let error = load(&["--heartbeat-ms", "400"]).unwrap_err().to_string();
        assert!(error.contains("heartbeats"), "{error}");
        let flags = Flags::try_parse_from(["farthing-node", "--node-id", "1"]).unwrap();
        let error = Config::load(flags).unwrap_err().to_string();
        assert!(
            error.contains("cluster_id is not set") && error.contains("FARTHING_NODE_CLUSTER_ID"),
            "{error}"
        );
    }

    #[test]
    fn other_addresses_than_loopback_wait_for_transport_security() {
        let flags = Flags::try_parse_from([
            "farthing-node",
            "--dir",
            "d",
            "--node-id",
            "1",
            "--cluster-id",
            "00000000000000000000000000000001",
            "--client-address",
            "0.0.0.0:1",
            "--peer-address",
            "127.0.0.1:2",
        ]);
        assert!(
            Config::load(flags.unwrap())
                .unwrap_err()
                .to_string()
                .contains("loopback")
        );
    }

    #[test]
    fn a_file_is_overridden_by_flags_and_unknown_keys_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        std::fs::write(
            &path,
            "node_id = 7\nheartbeat_ms = 50\n[log]\nkeep_bytes = 5\n",
        )
        .unwrap();
        let config = load(&["--config", path.to_str().unwrap(), "--heartbeat-ms", "60"]).unwrap();
        assert_eq!(
            (config.node_id, config.heartbeat_ms, config.log_keep_bytes),
            (1, 60, 5)
        );
        std::fs::write(&path, "nod_id = 7\n").unwrap();
        let error = load(&["--config", path.to_str().unwrap()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("nod_id"), "{error}");
    }
}
