//! Every setting with its value and where it comes from, and everything that is wrong at once: for a person who looks
//! at a configuration, not for a node that starts with one.

mod source;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};
use serde::{Deserialize as _, Serialize};

use super::file::File;
use super::{Config, Error, Flags};
use source::Source;

/// Every key of the file, in the order in which they are told. With `_` for the dot it is the flag's name.
const KEYS: [&str; 30] = [
    "dir",
    "node_id",
    "cluster_id",
    "client_address",
    "peer_address",
    "members",
    "join",
    "log.keep_bytes",
    "log.segment_bytes",
    "disk.ballast_bytes",
    "disk.low_bytes",
    "disk.reserve_bytes",
    "disk.quota_bytes",
    "disk.sync_slow_ms",
    "disk.scrub_period_s",
    "disk.scrub_bytes_per_s",
    "connections.max",
    "connections.preface_ms",
    "connections.keepalive_ms",
    "connections.keepalive_timeout_ms",
    "heartbeat_ms",
    "election_timeout_min_ms",
    "election_timeout_max_ms",
    "admission_bytes",
    "run_transfers",
    "run_interval_ms",
    "block_cache_bytes",
    "log_format",
    "log_filter",
    "clock_skew_ms",
];
/// Only for tests: told when it is set.
const HIDDEN: &str = "clock_skew_ms";
/// Keys whose values are looked at together: one of them is wrong with respect to the others.
const ELECTION: [&str; 3] = [
    "heartbeat_ms",
    "election_timeout_min_ms",
    "election_timeout_max_ms",
];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// The file.
    File {
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag.
    Flag {
        /// Its name, with the dashes.
        flag: String,
    },
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key in the file, sections with a dot.
    pub key: &'static str,
    /// Its value; `None` when it has none, by default or because the one given is wrong.
    pub value: Option<String>,
    /// What no value means.
    pub without: &'static str,
    /// Where the value comes from.
    pub origin: Origin,
    /// What it is.
    pub about: String,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key, when it is one.
    pub key: Option<String>,
    /// Line of the file, from 1.
    pub line: Option<usize>,
    /// What is wrong, and what is allowed.
    pub what: String,
}

/// A configuration as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// The file.
    pub file: Option<PathBuf>,
    /// True when a node would start with it.
    pub ok: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The settings.
    pub settings: Vec<Setting>,
}

impl Settings {
    /// Looks at what a node would be told by these flags, by the environment and by the file that they name.
    #[must_use]
    pub fn look(matches: &ArgMatches, flags: &Flags) -> Self {
        let mut problems = vec![];
        let text = flags.config.as_deref().map(read);
        let source = match text {
            Some(Ok(text)) => Source::new(&text, &mut problems),
            Some(Err(problem)) => {
                problems.push(problem);
                Source::default()
            }
            None => Source::default(),
        };
        let (config, missing) = settle(flags, &source, &mut problems);
        let setting = |key: &'static str| {
            let origin = origin(matches, &source, key);
            let hidden = key == HIDDEN && origin == Origin::Default;
            let wrong = missing.contains(&key)
                || problems
                    .iter()
                    .any(|problem| problem.key.as_deref() == Some(key));
            let value = config
                .as_ref()
                .filter(|_| !wrong)
                .and_then(|config| value(config, key));
            (!hidden).then(|| Setting {
                key,
                value,
                without: if wrong { "wrong" } else { without(key) },
                origin,
                about: about(key),
            })
        };
        Self {
            file: flags.config.clone(),
            settings: KEYS.into_iter().filter_map(setting).collect(),
            ok: problems.is_empty(),
            problems,
        }
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| Problem {
        key: None,
        line: None,
        what: format!("it cannot be read: {error}"),
    })
}

/// Puts the sources together as a node does; where that refuses a value it is noted and left out, so that the next one
/// is found too. Gives the configuration, if one comes of it, and the keys that had to be made up.
fn settle(
    flags: &Flags,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> (Option<Config>, Vec<&'static str>) {
    let mut flags = flags.clone();
    let mut values = Source {
        values: source.values.clone(),
        lines: vec![],
    };
    let mut missing = vec![];
    // Each round settles one key at least, or ends.
    for _ in 0..=2 * KEYS.len() {
        let Ok(file) = File::deserialize(values.values.clone()) else {
            break;
        };
        let (key, what) = match Config::settle(flags.clone(), file) {
            Ok(config) => return (Some(config), missing),
            Err(Error::Missing(key)) => {
                if missing.contains(&key) {
                    break;
                }
                missing.push(key);
                make_up(&mut flags, key);
                // A value that is there and wrong was told already, and of a file that cannot be read nobody knows.
                let told =
                    |problem: &Problem| problem.key.as_deref().is_none_or(|told| told == key);
                let told = problems.iter().any(told);
                if !told {
                    problems.push(Problem {
                        key: Some(key.to_owned()),
                        line: None,
                        what: what_is_missing(key),
                    });
                }
                continue;
            }
            Err(Error::Invalid { setting, why }) => (setting, why),
            Err(Error::File { why, .. }) => ("", why),
        };
        let together: &[&str] = if ELECTION.contains(&key) {
            &ELECTION
        } else {
            &[key]
        };
        problems.push(Problem {
            key: Some(key.to_owned()),
            line: together.iter().find_map(|key| source.line(key)),
            what,
        });
        let removed = together.iter().filter(|key| values.remove(key)).count();
        if removed == 0 {
            break; // it comes from a flag or a variable
        }
    }
    (None, missing)
}

fn what_is_missing(key: &'static str) -> String {
    let text = Error::Missing(key).to_string();
    let text = text.strip_prefix(key).unwrap_or(&text);
    text.trim_start().to_owned()
}

/// Something that is not wrong, so that what else is wrong can be found.
fn make_up(flags: &mut Flags, key: &str) {
    match key {
        "dir" => flags.dir = Some(PathBuf::from(".")),
        "node_id" => flags.node_id = Some(1),
        "cluster_id" => flags.cluster_id = Some("00000000-0000-0000-0000-000000000001".into()),
        "client_address" => flags.client_address = Some("127.0.0.1:1".into()),
        "peer_address" => flags.peer_address = Some("127.0.0.1:2".into()),
        _ => {}
    }
}

fn origin(matches: &ArgMatches, source: &Source, key: &str) -> Origin {
    let id = key.replace('.', "_");
    let command = Flags::command();
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_id().as_str() == id);
    match matches.value_source(&id) {
        Some(ValueSource::CommandLine) => Origin::Flag {
            flag: format!(
                "--{}",
                arg.and_then(clap::Arg::get_long).unwrap_or_default()
            ),
        },
        Some(ValueSource::EnvVariable) => {
            let variable = arg.and_then(clap::Arg::get_env).unwrap_or_default();
            Origin::Environment {
                variable: variable.to_string_lossy().into_owned(),
            }
        }
        _ => source
            .line(key)
            .map_or(Origin::Default, |line| Origin::File { line }),
    }
}

/// What the help says of it.
fn about(key: &str) -> String {
    let id = key.replace('.', "_");
    let command = Flags::command();
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_id().as_str() == id);
    let help = arg.and_then(clap::Arg::get_help).map(ToString::to_string);
    help.unwrap_or_default()
}

/// What it means that a setting has no value.
fn without(key: &str) -> &'static str {
    match key {
        "disk.low_bytes" => "computed from the other sizes",
        "disk.quota_bytes" => "all of the disk",
        "members" => "none: it learns them",
        _ => "not set",
    }
}

/// The value that a node goes by.
fn value(config: &Config, key: &str) -> Option<String> {
    let connections = &config.connections;
    let ms = |time: std::time::Duration| time.as_millis().to_string();
    Some(match key {
        "dir" => config.dir.display().to_string(),
        "node_id" => config.node_id.to_string(),
        "cluster_id" => farthing_proto::convert::id::format_id(config.cluster_id),
        "client_address" => config.client_address.clone(),
        "peer_address" => config.peer_address.clone(),
        "members" => {
            let member = |(id, member): (&u64, &crate::consensus::Member)| {
                format!("{id}={},{}", member.client_address, member.peer_address)
            };
            let members: Vec<String> = config.members.iter().map(member).collect();
            return (!members.is_empty()).then(|| members.join("; "));
        }
        "join" => config.members.is_empty().to_string(),
        "log.keep_bytes" => config.log_keep_bytes.to_string(),
        "log.segment_bytes" => config.log_segment_bytes.to_string(),
        "disk.ballast_bytes" => config.disk_ballast_bytes.to_string(),
        "disk.low_bytes" => return config.disk_low_bytes.map(|bytes| bytes.to_string()),
        "disk.reserve_bytes" => config.disk_reserve_bytes.to_string(),
        "disk.quota_bytes" => return config.disk_quota_bytes.map(|bytes| bytes.to_string()),
        "disk.sync_slow_ms" => config.disk_sync_slow_ms.to_string(),
        "disk.scrub_period_s" => config.disk_scrub_period_s.to_string(),
        "disk.scrub_bytes_per_s" => config.disk_scrub_bytes_per_s.to_string(),
        "connections.max" => connections.max.to_string(),
        "connections.preface_ms" => ms(connections.preface),
        "connections.keepalive_ms" => ms(connections.keepalive),
        "connections.keepalive_timeout_ms" => ms(connections.keepalive_timeout),
        "heartbeat_ms" => config.heartbeat_ms.to_string(),
        "election_timeout_min_ms" => config.election_timeout_ms.0.to_string(),
        "election_timeout_max_ms" => config.election_timeout_ms.1.to_string(),
        "admission_bytes" => config.admission_bytes.to_string(),
        "run_transfers" => config.run_transfers.to_string(),
        "run_interval_ms" => config.run_interval_ms.to_string(),
        "block_cache_bytes" => config.block_cache_bytes.to_string(),
        "log_format" => match config.log_format {
            crate::telemetry::LogFormat::Text => "text".into(),
            crate::telemetry::LogFormat::Json => "json".into(),
        },
        "log_filter" => config.log_filter.clone(),
        "clock_skew_ms" => config.clock_skew_ms.to_string(),
        _ => return None,
    })
}
