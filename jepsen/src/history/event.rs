//! One event: who, what, when, and what came of it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::function::Function;
use super::lines;
use super::number::{Hex, is_default};
use super::values::Value;

/// What kind of event it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A process is about to send.
    Invoke,
    /// The cluster answered. A refused item is an answer.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Nobody knows whether it happened; also everything the nemesis and the harness say.
    Info,
}

/// Who.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Process {
    /// A client with one call at a time. One that saw `info` is never used again.
    Worker(u64),
    /// What breaks things.
    Nemesis,
    /// The harness itself.
    Harness,
}

/// What is known beside the value. All optional in JSON.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Facts {
    /// Node that answered, or that the event is about.
    pub node: Option<u64>,
    /// Term in which that node led when it answered; left out when it did not lead.
    pub term: Option<u64>,
    /// Log index at which a write was applied, or of a digest.
    pub log_index: Option<u64>,
    /// Position inside the entry, if known. The timestamps decide the order; this is for people.
    pub position: Option<u64>,
    /// ns, the cluster's clock, if an event has one of its own.
    pub timestamp: Option<u64>,
    /// State digest.
    pub digest: Option<u128>,
    /// Of an invocation: time the caller gives it, ms.
    pub deadline_ms: Option<u64>,
    /// The request was sent more than once, so that an attempt whose answer was lost may have done it.
    pub retried: bool,
    /// Why it failed or is unknown, in words.
    pub error: Option<String>,
}

/// One line of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Number of the line, from 0, without gaps.
    pub index: u64,
    /// What kind of event it is.
    pub kind: Kind,
    /// Who.
    pub process: Process,
    /// What.
    pub function: Function,
    /// Items, answers, rows.
    pub value: Value,
    /// ns since the start of the run, of the harness's monotonic clock; never decreases from line to line.
    pub time: u64,
    /// What else is known.
    pub facts: Facts,
}

#[derive(Serialize)]
struct Out<'a> {
    index: u64,
    #[serde(rename = "type")]
    kind: Kind,
    process: Process,
    f: &'a str,
    value: &'a Value,
    time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    retried: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In<'a> {
    index: u64,
    #[serde(rename = "type")]
    kind: Kind,
    process: Process,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    time: u64,
    #[serde(default)]
    node: Option<u64>,
    #[serde(default)]
    term: Option<u64>,
    #[serde(default)]
    log_index: Option<u64>,
    #[serde(default)]
    position: Option<u64>,
    #[serde(default)]
    timestamp: Option<u64>,
    #[serde(default)]
    digest: Option<Hex>,
    #[serde(default)]
    deadline_ms: Option<u64>,
    #[serde(default)]
    retried: bool,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
}

impl Event {
    /// Reads one line.
    ///
    /// # Errors
    /// When the line is not an event of this format.
    pub fn parse(line: &str) -> serde_json::Result<Self> {
        let line: In<'_> = serde_json::from_str(line)?;
        let function = Function::of(line.process, &line.f)
            .ok_or_else(|| de::Error::custom(format_args!("unknown f {:?}", line.f)))?;
        let value = lines::parse(&function, line.kind, line.value)?;
        Ok(Self {
            index: line.index,
            kind: line.kind,
            process: line.process,
            function,
            value,
            time: line.time,
            facts: Facts {
                node: line.node,
                term: line.term,
                log_index: line.log_index,
                position: line.position,
                timestamp: line.timestamp,
                digest: line.digest.map(|digest| digest.0),
                deadline_ms: line.deadline_ms,
                retried: line.retried,
                error: line.error.map(Cow::into_owned),
            },
        })
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Out {
            index: self.index,
            kind: self.kind,
            process: self.process,
            f: self.function.name(),
            value: &self.value,
            time: self.time,
            node: self.facts.node,
            term: self.facts.term,
            log_index: self.facts.log_index,
            position: self.facts.position,
            timestamp: self.facts.timestamp,
            digest: self.facts.digest.map(Hex),
            deadline_ms: self.facts.deadline_ms,
            retried: self.facts.retried,
            error: self.facts.error.as_deref(),
        }
        .serialize(serializer)
    }
}

impl Serialize for Process {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Worker(number) => serializer.serialize_u64(*number),
            Self::Nemesis => serializer.serialize_str("nemesis"),
            Self::Harness => serializer.serialize_str("harness"),
        }
    }
}

impl<'de> Deserialize<'de> for Process {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Who;
        impl Visitor<'_> for Who {
            type Value = Process;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"nemesis\" or \"harness\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Process, E> {
                Ok(Process::Worker(number))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Process, E> {
                match name {
                    "nemesis" => Ok(Process::Nemesis),
                    "harness" => Ok(Process::Harness),
                    _ => Err(E::invalid_value(de::Unexpected::Str(name), &self)),
                }
            }
        }
        deserializer.deserialize_any(Who)
    }
}
