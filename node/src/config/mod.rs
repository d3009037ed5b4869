//! Configuration: a TOML file, overridden by the environment, overridden by flags.
//!
//! [`Config::load`] puts the three together and checks them; the rest of the node sees the outcome only.

mod connections;
mod file;
mod flags;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::path::PathBuf;

use farthing_proto::convert::id::parse_id;

use crate::consensus::Member;
use crate::telemetry::{FILTER_DEFAULT, LogFormat};

pub use connections::Connections;
use file::{File, FileMember};
pub use flags::{Command, Flags};
pub use settings::{Origin, Problem, Setting, Settings};

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
    /// Bytes set aside for the log.
    pub disk_ballast_bytes: u64,
    /// Free bytes below which new work is refused; computed when absent.
    pub disk_low_bytes: Option<u64>,
    /// Free bytes below which everything but reads is refused.
    pub disk_reserve_bytes: u64,
    /// Bytes that the directory may take; all of the disk when absent.
    pub disk_quota_bytes: Option<u64>,
    /// Median sync of the log that is slow, in ms.
    pub disk_sync_slow_ms: u64,
    /// What is at rest is read back once in so many seconds; 0 for never.
    pub disk_scrub_period_s: u64,
    /// Ceiling of reading back.
    pub disk_scrub_bytes_per_s: u64,
    /// What connections may do.
    pub connections: Connections,
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
    /// File with what is wrong with the wall clock.
    #[cfg(feature = "failpoints")]
    pub clock_file: Option<PathBuf>,
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
            Some(path) => file::read(path)?,
            None => File::default(),
        };
        Self::settle(flags, file)
    }

    /// The settings of a file's text alone. Its own addresses must be numbers: no name server is asked.
    ///
    /// # Errors
    /// As [`Config::load`]; the file has no path then.
    pub(crate) fn from_text(text: &str) -> Result<Self, Error> {
        let file = file::parse(text).map_err(|error| Error::File {
            path: PathBuf::new(),
            why: error.to_string(),
        })?;
        for (setting, address) in [
            ("client_address", &file.client_address),
            ("peer_address", &file.peer_address),
        ] {
            let is_name = |address: &String| address.parse::<std::net::SocketAddr>().is_err();
            if address.as_ref().is_some_and(is_name) {
                return Err(Error::Invalid {
                    setting,
                    why: "it is no address in numbers".into(),
                });
            }
        }
        Self::settle(Flags::default(), file)
    }

    fn settle(flags: Flags, file: File) -> Result<Self, Error> {
        let invalid = |setting, why: &dyn std::fmt::Display| Error::Invalid {
            setting,
            why: why.to_string(),
        };
        let connections = Connections::load(&flags, &file.connections)?;
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
        let own = Member {
            client_address: client_address.clone(),
            peer_address: peer_address.clone(),
        };
        let join = flags.join || file.join;
        let members = members(
            &flags.members,
            file.members,
            (!join).then_some((node_id, own)),
        )?;
        if join && !members.is_empty() {
            let why =
                "a node that joins a cluster learns its members from the leader: leave them out";
            return Err(invalid("members", &why));
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
        if heartbeat_ms == 0 || heartbeat_ms.saturating_mul(3) > min || min >= max {
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
            disk_ballast_bytes: flags
                .disk_ballast_bytes
                .or(file.disk.ballast_bytes)
                .unwrap_or(log_segment_bytes.saturating_mul(2)),
            disk_low_bytes: flags.disk_low_bytes.or(file.disk.low_bytes),
            disk_reserve_bytes: flags
                .disk_reserve_bytes
                .or(file.disk.reserve_bytes)
                .unwrap_or(256 << 20),
            disk_quota_bytes: flags.disk_quota_bytes.or(file.disk.quota_bytes),
            disk_sync_slow_ms: flags
                .disk_sync_slow_ms
                .or(file.disk.sync_slow_ms)
                .unwrap_or(100)
                .max(1),
            disk_scrub_period_s: flags
                .disk_scrub_period_s
                .or(file.disk.scrub_period_s)
                .unwrap_or(24 * 3_600),
            disk_scrub_bytes_per_s: flags
                .disk_scrub_bytes_per_s
                .or(file.disk.scrub_bytes_per_s)
                .unwrap_or(16 << 20)
                .max(1 << 16),
            connections,
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
            #[cfg(feature = "failpoints")]
            clock_file: flags.clock_file,
        })
    }
}

/// The initial members as the flags say, or else the file; a node of which neither says anything is its own cluster,
/// unless it joins one.
fn members(
    flags: &[String],
    file: Vec<FileMember>,
    own: Option<(u64, Member)>,
) -> Result<BTreeMap<u64, Member>, Error> {
    let told: Vec<(u64, Member)> = if flags.is_empty() {
        let member = |member: FileMember| {
            let addresses = Member {
                client_address: member.client_address,
                peer_address: member.peer_address,
            };
            (member.id, addresses)
        };
        file.into_iter().map(member).collect()
    } else {
        flags
            .iter()
            .map(|text| parse_member(text))
            .collect::<Result<_, _>>()?
    };
    let mut members = BTreeMap::new();
    for (id, member) in told {
        if id == 0 {
            return Err(Error::Invalid {
                setting: "members",
                why: "0 is no node id; they begin at 1".into(),
            });
        }
        if members.insert(id, member).is_some() {
            return Err(Error::Invalid {
                setting: "members",
                why: format!("node {id} is listed twice"),
            });
        }
    }
    if members.is_empty() {
        members.extend(own);
    }
    Ok(members)
}

fn parse_member(text: &str) -> Result<(u64, Member), Error> {
    let wrong = || Error::Invalid {
        setting: "members",
        why: format!("{text:?} is not ID=CLIENT_ADDRESS,PEER_ADDRESS"),
    };
    let (id, addresses) = text.split_once('=').ok_or_else(wrong)?;
    let (client, peer) = addresses.split_once(',').ok_or_else(wrong)?;
    let member = Member {
        client_address: client.trim().into(),
        peer_address: peer.trim().into(),
    };
    Ok((id.trim().parse().map_err(|_| wrong())?, member))
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
