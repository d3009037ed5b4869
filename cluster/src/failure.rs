//! Failures as a person at a terminal needs them: what happened, the likely reason, what to do, and a code that
//! scripts can rely on.

use std::fmt;

use serde::Serialize;

/// Stable name of a failure. The text never changes once released; the exit status says the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A check ran and its answer is no: books that do not balance, digests that differ, a statement that does not agree.
    CheckFailed,
    /// The cluster refused an item; its status says why.
    ItemRefused,
    /// Flags, configuration or a value given on the command line are wrong.
    Usage,
    /// No cluster is configured at the given place.
    NoCluster,
    /// A node or file named on the command line does not exist.
    NotFound,
    /// No node answered, or no leader was found, before the deadline.
    NotReachable,
    /// The request was sent and nobody knows whether it was carried out.
    OutcomeUnknown,
    /// The cluster refused the whole request.
    RequestRefused,
    /// An input file has rows that cannot be imported, or is no statement that can be read.
    BadInput,
    /// A file or directory could not be read or written.
    Io,
    /// A node's process could not be started, found or ended.
    Process,
    /// Another `farthing` command is working on the same directory.
    Busy,
    /// Another sink goes by the same name or writes to the same place, and this one has ended for it.
    Fenced,
    /// The place that a sink delivers to is not fit for it, damaged, or takes nothing.
    SinkFailed,
    /// Something that cannot happen did: a bug.
    Internal,
}

impl Code {
    /// Every code, in the order of the reference page.
    pub const ALL: [Self; 15] = [
        Self::CheckFailed,
        Self::ItemRefused,
        Self::Usage,
        Self::NoCluster,
        Self::NotFound,
        Self::NotReachable,
        Self::OutcomeUnknown,
        Self::RequestRefused,
        Self::BadInput,
        Self::Io,
        Self::Process,
        Self::Busy,
        Self::Fenced,
        Self::SinkFailed,
        Self::Internal,
    ];

    /// The stable text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckFailed => "CHECK_FAILED",
            Self::ItemRefused => "ITEM_REFUSED",
            Self::Usage => "USAGE",
            Self::NoCluster => "NO_CLUSTER",
            Self::NotFound => "NOT_FOUND",
            Self::NotReachable => "NOT_REACHABLE",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::RequestRefused => "REQUEST_REFUSED",
            Self::BadInput => "BAD_INPUT",
            Self::Io => "IO",
            Self::Process => "PROCESS",
            Self::Busy => "BUSY",
            Self::Fenced => "FENCED",
            Self::SinkFailed => "SINK_FAILED",
            Self::Internal => "INTERNAL",
        }
    }

    /// The exit status of the process: 1 the answer is no, 2 the call was wrong, 3 the cluster did not answer,
    /// 4 the outcome is unknown, 5 the input is bad, 6 trouble on this machine, 70 a bug.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::CheckFailed | Self::ItemRefused => 1,
            Self::Usage | Self::NoCluster | Self::NotFound => 2,
            Self::NotReachable | Self::RequestRefused => 3,
            Self::OutcomeUnknown => 4,
            Self::BadInput => 5,
            Self::Io | Self::Process | Self::Busy | Self::Fenced | Self::SinkFailed => 6,
            Self::Internal => 70,
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::CheckFailed => {
                "A check ran and its answer is no: books out of balance, digests that differ, a statement that does not agree with its account."
            }
            Self::ItemRefused => {
                "The cluster answered, and refused an item; the status says which rule."
            }
            Self::Usage => "A flag, a configuration file or a value is wrong.",
            Self::NoCluster => {
                "No cluster is configured in the directory, and no endpoints are given."
            }
            Self::NotFound => "The node, account, transfer or file named does not exist.",
            Self::NotReachable => "No node answered, or no leader was found, before the deadline.",
            Self::OutcomeUnknown => {
                "The request was sent and no answer came back. Send it again with the same ids."
            }
            Self::RequestRefused => "The cluster refused the whole request; nothing was done.",
            Self::BadInput => {
                "The input file has rows that cannot be imported, or is no statement that can be read."
            }
            Self::Io => "A file or directory could not be read or written.",
            Self::Process => "A node's process could not be started, found or ended.",
            Self::Busy => "Another command is working on the same directory.",
            Self::Fenced => {
                "Another sink has taken over the same name or place; what this one delivered stands."
            }
            Self::SinkFailed => {
                "The place that a sink delivers to is not fit for it, damaged, or takes nothing; what was delivered stands."
            }
            Self::Internal => "A bug in this program.",
        }
    }
}

/// A failure of a command. Built where the reason is known, printed once, in `cli`.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    #[serde(serialize_with = "code_name")]
    /// The stable code.
    pub code: Code,
    /// What happened, a sentence without the final full stop.
    pub what: String,
    /// The likely reason, when one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it, when something can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

fn code_name<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}

impl Failure {
    /// A failure that says what happened.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            reason: None,
            advice: None,
        }
    }

    /// Adds the likely reason.
    #[must_use]
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// A file operation that failed: `what` names the operation, `path` the file.
    #[must_use]
    pub fn io(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(Code::Io, format!("cannot {what} {}", path.display())).because(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error [{}]: {}", self.code.name(), self.what)?;
        if let Some(reason) = &self.reason {
            write!(f, "\n  likely reason: {reason}")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, "\n  what to do: {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_exits_are_not_zero() {
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.exit_status() != 0));
    }

    #[test]
    fn says_what_why_and_what_to_do() {
        let failure = Failure::new(Code::NoCluster, "nothing is here")
            .because("it was never started")
            .advise("run `farthing cluster up`");
        assert_eq!(
            failure.to_string(),
            "error [NO_CLUSTER]: nothing is here\n  likely reason: it was never started\n  \
             what to do: run `farthing cluster up`"
        );
    }
}
