//! What a refused call says, read from the standard details and not by our own conversion.

use std::time::Duration;

use farthing_proto::error::{DOMAIN, LEADER, RETRY_PUSHBACK};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The parts of a refusal that programs act on.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// `ErrorInfo.reason`; empty when there is no `ErrorInfo` of ours.
    pub(crate) reason: String,
    /// `BadRequest` field paths.
    pub(crate) fields: Vec<String>,
    /// `RetryInfo`.
    pub(crate) retry_after: Option<Duration>,
    /// The same for clients with a built-in retry policy.
    pub(crate) pushback_ms: Option<u64>,
    /// Address in the `ErrorInfo`.
    pub(crate) leader: Option<String>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().filter(|info| info.domain == DOMAIN);
        let pushback = status.metadata().get(RETRY_PUSHBACK);
        Self {
            code: status.code(),
            reason: info.map_or_else(String::new, |info| info.reason.clone()),
            fields: details
                .bad_request()
                .map(|bad| {
                    bad.field_violations
                        .iter()
                        .map(|violation| violation.field.clone())
                        .collect()
                })
                .unwrap_or_default(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            pushback_ms: pushback.map(|value| value.to_str().unwrap().parse().unwrap()),
            leader: info.and_then(|info| info.metadata.get(LEADER).cloned()),
            message: status.message().to_owned(),
        }
    }

    /// Checks code and reason, and that there are words for people.
    pub(crate) fn expect(status: &Status, code: Code, reason: &str) -> Self {
        let refusal = Self::of(status);
        assert_eq!(
            (refusal.code, refusal.reason.as_str()),
            (code, reason),
            "{status:?}"
        );
        assert!(
            !refusal.message.is_empty(),
            "a refusal without words: {status:?}"
        );
        refusal
    }

    /// Checks that exactly these fields were refused.
    pub(crate) fn expect_fields(status: &Status, fields: &[&str]) {
        let refusal = Self::expect(status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(refusal.fields, fields, "{status:?}");
    }
}
