//! A refused call, as a gRPC status or as a message on a stream.

use std::collections::HashMap;
use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::{DOMAIN, LEADER, RETRY_PUSHBACK, Reason};
use crate::v1;

/// One refused field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path such as `transfers[3].amount`.
    pub field: String,
    /// What is wrong with it, in words.
    pub description: String,
}

impl FieldError {
    /// A refused field.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        FieldError {
            field: field.into(),
            description: description.into(),
        }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.field, self.description)
    }
}

/// A refused call.
///
/// ```
/// use farthing_proto::error::{Reason, Refused};
///
/// let status = Refused::new(Reason::NotLeader, "node 2 follows node 1")
///     .with_leader("10.0.0.1:3001")
///     .into_status();
/// let refused = Refused::from_status(&status).expect("it carries our details");
/// assert_eq!(refused.reason, Some(Reason::NotLeader));
/// assert_eq!(refused.leader.as_deref(), Some("10.0.0.1:3001"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The gRPC code.
    pub code: Code,
    /// The stable reason; `None` when the other end is newer and knows more reasons.
    pub reason: Option<Reason>,
    /// The reason's text as it came.
    pub reason_text: String,
    /// Words for people.
    pub message: String,
    /// Wait at least this long before the next try.
    pub retry_after: Option<Duration>,
    /// Client address of the leader.
    pub leader: Option<String>,
    /// Refused fields.
    pub violations: Vec<FieldError>,
}

impl Refused {
    /// Refused for a reason, with words for people: what happened and what to do.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Refused {
            code: reason.code(),
            reason: Some(reason),
            reason_text: reason.as_str().to_owned(),
            message: message.into(),
            retry_after: None,
            leader: None,
            violations: Vec::new(),
        }
    }

    /// Refused because fields cannot be read.
    #[must_use]
    pub fn invalid(violations: Vec<FieldError>) -> Self {
        let message = match violations.as_slice() {
            [] => "a field cannot be read".to_owned(),
            [only] => only.to_string(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        };
        Refused {
            violations,
            ..Refused::new(Reason::InvalidField, message)
        }
    }

    /// With the leader's client address.
    #[must_use]
    pub fn with_leader(mut self, address: impl Into<String>) -> Self {
        self.leader = Some(address.into()).filter(|address: &String| !address.is_empty());
        self
    }

    /// With the time to wait before the next try (whole milliseconds).
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The gRPC status with its details, for a unary call or to end a stream.
    #[must_use]
    pub fn into_status(self) -> Status {
        let mut info = HashMap::new();
        if let Some(leader) = &self.leader {
            info.insert(LEADER.to_owned(), leader.clone());
        }
        let mut details = ErrorDetails::with_error_info(&self.reason_text, DOMAIN, info);
        if !self.violations.is_empty() {
            details.set_bad_request(
                self.violations
                    .into_iter()
                    .map(|violation| FieldViolation::new(violation.field, violation.description))
                    .collect::<Vec<_>>(),
            );
        }
        if self.retry_after.is_some() {
            details.set_retry_info(self.retry_after);
        }
        let mut status = Status::with_error_details(self.code, self.message, details);
        if let Some(wait) = self.retry_after {
            status
                .metadata_mut()
                .insert(RETRY_PUSHBACK, MetadataValue::from(millis(wait)));
        }
        status
    }

    /// What a status says; `None` when Farthing did not make it (the transport or a
    /// proxy did): nothing is known then beyond its code.
    #[must_use]
    pub fn from_status(status: &Status) -> Option<Refused> {
        let details = status.check_error_details().ok()?;
        let info = details.error_info()?;
        if info.domain != DOMAIN {
            return None;
        }
        Some(Refused {
            code: status.code(),
            reason: Reason::parse(&info.reason),
            reason_text: info.reason.clone(),
            message: status.message().to_owned(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            leader: info.metadata.get(LEADER).cloned(),
            violations: details.bad_request().map_or_else(Vec::new, |bad| {
                bad.field_violations
                    .iter()
                    .map(|violation| FieldError::new(&violation.field, &violation.description))
                    .collect()
            }),
        })
    }

    /// True when the request was certainly not and will never be applied. An unknown
    /// reason is never taken for that.
    #[must_use]
    pub fn nothing_happened(&self) -> bool {
        self.reason.is_some_and(Reason::nothing_happened)
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Status {
        refused.into_status()
    }
}

impl From<Refused> for v1::Refusal {
    fn from(refused: Refused) -> v1::Refusal {
        v1::Refusal {
            code: refused.code.into(),
            reason: refused.reason_text,
            message: refused.message,
            retry_after_ms: refused.retry_after.map_or(0, millis),
            leader_address: refused.leader.unwrap_or_default(),
            violations: refused
                .violations
                .into_iter()
                .map(|violation| v1::FieldViolation {
                    field: violation.field,
                    description: violation.description,
                })
                .collect(),
        }
    }
}

impl From<v1::Refusal> for Refused {
    fn from(refusal: v1::Refusal) -> Refused {
        Refused {
            code: Code::from(refusal.code),
            reason: Reason::parse(&refusal.reason),
            reason_text: refusal.reason,
            message: refusal.message,
            retry_after: match refusal.retry_after_ms {
                0 => None,
                wait => Some(Duration::from_millis(u64::from(wait))),
            },
            leader: Some(refusal.leader_address).filter(|address| !address.is_empty()),
            violations: refusal
                .violations
                .into_iter()
                .map(|violation| FieldError::new(violation.field, violation.description))
                .collect(),
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.reason_text, self.message)
    }
}

impl std::error::Error for Refused {}

/// At least one: a hint of less than a millisecond is still a hint.
fn millis(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1)
}
