//! CloudEvents 1.0: the attributes of an event, and its structured form.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use farthing_client::format_id;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::delivery::Delivery;
use crate::error::Error;

/// What the events come from: the attribute `source`, `farthing://` and the cluster's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Of a cluster.
    #[must_use]
    pub fn of_cluster(cluster_id: u128) -> Origin {
        Origin(format!("farthing://{}", format_id(cluster_id)).into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Holds what lies in a sink to this origin: two ledgers must not be mixed up in one place.
    pub(crate) fn check(&self, found: &str, place: &str) -> Result<(), Error> {
        if found == self.as_str() {
            return Ok(());
        }
        Err(Error::permanent(
            format!("{place} holds events of {found}, not of {}", self.as_str()),
            "give each cluster a place of its own",
        ))
    }
}

/// The attributes of an event, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent<'a> {
    /// The sequence, decimal: with `source` it names the event for ever.
    pub id: String,
    /// What it comes from.
    pub source: &'a str,
    /// `farthing.v1.` and the kind, such as `farthing.v1.transfer.created`.
    pub kind: String,
    /// What it happened to.
    pub subject: &'a str,
    /// RFC 3339 in UTC with nanoseconds.
    pub time: String,
    /// The sequence in 20 digits, so that it can be ordered as text, which is what this extension asks for.
    pub sequence: String,
    /// The event as JSON.
    pub data: &'a [u8],
}

/// The version of the specification.
pub(crate) const SPEC_VERSION: &str = "1.0";
/// What `data` is.
pub(crate) const DATA_CONTENT_TYPE: &str = "application/json";

impl<'a> CloudEvent<'a> {
    /// Of an event.
    #[must_use]
    pub fn new(origin: &'a Origin, delivery: &'a Delivery) -> CloudEvent<'a> {
        CloudEvent {
            id: delivery.sequence.to_string(),
            source: origin.as_str(),
            kind: format!("farthing.v1.{}", dotted(delivery)),
            subject: &delivery.subject,
            time: time(delivery.timestamp),
            sequence: format!("{:020}", delivery.sequence),
            data: &delivery.data,
        }
    }

    /// Attributes by name, for transports that carry them as headers.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("specversion", SPEC_VERSION),
            ("id", self.id.as_str()),
            ("source", self.source),
            ("type", self.kind.as_str()),
            ("subject", self.subject),
            ("time", self.time.as_str()),
            ("sequence", self.sequence.as_str()),
        ]
        .into_iter()
    }

    /// Appends the structured form: one JSON object on one line, without a line feed. No value needs escaping: all are made
    /// of digits, letters and a few signs.
    pub fn write_structured(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (name, value) in self.attributes() {
            for part in ["\"", name, "\":\"", value, "\","] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        let content = format!("\"datacontenttype\":\"{DATA_CONTENT_TYPE}\",\"data\":");
        out.extend_from_slice(content.as_bytes());
        out.extend_from_slice(self.data);
        out.push(b'}');
    }
}

/// What is read of a structured event again, to learn how far a place is.
#[derive(Debug, Deserialize)]
pub(crate) struct Stored<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    /// That it is there, and is JSON.
    #[serde(rename = "data")]
    _data: IgnoredAny,
}

impl Stored<'_> {
    /// Of one line; `None` when it is no event that was written whole.
    pub(crate) fn parse(line: &[u8]) -> Option<Stored<'_>> {
        serde_json::from_slice(line).ok()
    }

    pub(crate) fn sequence(&self) -> Option<u64> {
        self.id.parse().ok().filter(|sequence| *sequence > 0)
    }
}

/// The kind with dots, as types and subjects have it: `transfer.created`.
pub(crate) fn dotted(delivery: &Delivery) -> String {
    delivery.kind.name().replace('_', ".")
}

fn time(ns: u64) -> String {
    // The clock of a cluster ends in 2262, as the type does.
    let ns = i64::try_from(ns).unwrap_or(i64::MAX);
    DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use farthing_client::events::EventKind;

    #[test]
    fn the_structured_form_is_one_object_with_the_attributes_of_the_specification() {
        let delivery = Delivery {
            sequence: 42,
            timestamp: 1_795_425_930_693_453_563,
            kind: EventKind::TransferCreated,
            subject: "transfer/7".to_owned(),
            data: "{\"sequence\":42}".into(),
            is_cursor: false,
        };
        let origin = Origin::of_cluster(7);
        let mut line = Vec::new();
        CloudEvent::new(&origin, &delivery).write_structured(&mut line);
        assert_eq!(
            String::from_utf8(line.clone()).unwrap(),
            "{\"specversion\":\"1.0\",\"id\":\"42\",\
             \"source\":\"farthing://00000000-0000-0000-0000-000000000007\",\
             \"type\":\"farthing.v1.transfer.created\",\"subject\":\"transfer/7\",\
             \"time\":\"2026-11-23T09:25:30.693453563Z\",\"sequence\":\"00000000000000000042\",\
             \"datacontenttype\":\"application/json\",\"data\":{\"sequence\":42}}"
        );
        let stored = Stored::parse(&line).unwrap();
        assert_eq!(stored.sequence(), Some(42));
        assert!(origin.check(stored.source, "here").is_ok());
        assert!(Origin::of_cluster(8).check(stored.source, "here").is_err());
        assert!(Stored::parse(&line[..line.len() - 1]).is_none());
    }
}
