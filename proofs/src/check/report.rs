//! What is said of files: to people, and to programs.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::{Outcome, Status, Verdict};
use crate::export::write_line;
use crate::{Checkpoint, Hash, Proof};

/// Everything that is said of a file. For programs: what does not apply is left out.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Its name, as it was given.
    pub file: String,
    /// `verified`, `not_verified` or `unreadable`.
    pub verdict: &'static str,
    /// `export`, `inclusion` or `consistency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Which log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The first event of an export, or the event of a proof, or the last one of the earlier checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The last event of the checkpoint's tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// Events in an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The signed root in base64, as in the checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Names of the keys, of those given, that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<Vec<String>>,
    /// When it was signed, by the signer's clock: ns since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// The same as RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The event of a proof: its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The line that is wrong, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
}

impl Report {
    /// What is said of a file.
    pub fn new(outcome: &Outcome) -> Self {
        let file = outcome.file.clone();
        match &outcome.verdict {
            Verdict::Export(verified) => Self {
                file,
                kind: Some("export"),
                from: Some(verified.from()),
                count: Some(verified.count()),
                ..Self::signed(
                    &Checkpoint {
                        origin: verified.origin.clone(),
                        size: verified.last(),
                        root: verified.root(),
                        time_ns: verified.time_ns,
                    },
                    &verified.signed_by,
                )
            },
            Verdict::Proof { proof, signed_by } => Self {
                file,
                ..Self::of_proof(proof, signed_by)
            },
            Verdict::NotVerified { line, why, advice } => Self {
                file,
                verdict: "not_verified",
                line: *line,
                error: Some(why.clone()),
                advice: Some(advice),
                ..Self::default()
            },
            Verdict::Unreadable(why) => Self {
                file,
                verdict: "unreadable",
                error: Some(format!("it cannot be read: {why}")),
                advice: Some("look at its name, its permissions and the disk it is on"),
                ..Self::default()
            },
        }
    }

    fn of_proof(proof: &Proof, signed_by: &[String]) -> Self {
        match proof {
            Proof::Inclusion {
                event, checkpoint, ..
            } => {
                let mut line = Vec::new();
                write_line(event, &mut line);
                Self {
                    kind: Some("inclusion"),
                    from: Some(event.sequence()),
                    event: Some(String::from_utf8_lossy(&line).into_owned()),
                    ..Self::signed(&checkpoint.checkpoint, signed_by)
                }
            }
            Proof::Consistency {
                earlier,
                checkpoint,
                ..
            } => Self {
                kind: Some("consistency"),
                from: Some(earlier.checkpoint.size),
                ..Self::signed(&checkpoint.checkpoint, signed_by)
            },
        }
    }

    fn signed(checkpoint: &Checkpoint, signed_by: &[String]) -> Self {
        Self {
            verdict: "verified",
            origin: Some(checkpoint.origin.clone()),
            last: Some(checkpoint.size),
            root: Some(base64(&checkpoint.root)),
            signed_by: Some(signed_by.to_vec()),
            time_ns: Some(checkpoint.time_ns),
            time: time(checkpoint.time_ns),
            ..Self::default()
        }
    }

    /// One line: what it is, and what was shown.
    fn headline(&self) -> String {
        let number = |number: Option<u64>| grouped(number.unwrap_or_default());
        let (from, last) = (number(self.from), number(self.last));
        match (self.kind, self.count) {
            (Some("export"), Some(0)) => format!("verified: no events, after event {last}"),
            (Some("export"), count) => format!(
                "verified: events {from} to {last}, {} in all, none missing, none altered",
                number(count)
            ),
            (Some("inclusion"), _) => {
                format!("verified: event {from} is in the history of {last} events")
            }
            (Some(_), _) => {
                format!("verified: the history of {last} events begins with that of {from}")
            }
            (None, _) => {
                let verdict = match self.verdict {
                    "unreadable" => "NOT CHECKED",
                    _ => "NOT VERIFIED",
                };
                format!("{verdict}: {}", self.error.as_deref().unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}",
            plain(&format!("{}: {}", self.file, self.headline()))
        )?;
        let names = self.signed_by.as_ref().map(|names| names.join(", "));
        let time = self
            .time
            .as_deref()
            .map(|time| format!("{time}, by the signer's clock"));
        for (name, value) in [
            ("log", self.origin.as_deref()),
            ("root", self.root.as_deref()),
            ("signed by", names.as_deref()),
            ("signed at", time.as_deref()),
            ("event", self.event.as_deref()),
            ("to do", self.advice),
        ] {
            if let Some(value) = value {
                writeln!(f, "  {name:<9}  {}", plain(value))?;
            }
        }
        Ok(())
    }
}

/// Everything that is said of all files, as JSON.
///
/// # Errors
/// When memory fails; there is nothing in it that JSON cannot hold.
pub(super) fn json(outcomes: &[Outcome]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct All {
        verified: bool,
        files: Vec<Report>,
    }
    serde_json::to_string(&All {
        verified: Status::of(outcomes) == Status::Verified,
        files: outcomes.iter().map(Report::new).collect(),
    })
}

/// Text out of a file or its name without what would command a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => c,
        })
        .collect()
}

fn base64(hash: &Hash) -> String {
    STANDARD.encode(hash.0)
}

fn time(ns: u64) -> Option<String> {
    let ns = i64::try_from(ns).ok()?;
    Some(DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true))
}

/// A number with a comma between groups of three digits.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
