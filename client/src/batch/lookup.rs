//! Lookups, as they travel.

use std::time::Duration;

use bytes::Bytes;
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::limits::{ID_BYTES, ITEMS_MAX};
use farthing_proto::packed::{self, LookedUp};
use farthing_proto::v1::{LookupKind, LookupReply, LookupRequest};

use super::{Load, Size, deadline_ms};
use crate::error::Error;
use crate::transport::lane::Lookups;

/// One caller's ids.
#[derive(Debug, Clone)]
pub(crate) struct LookupPart {
    kind: LookupKind,
    ids: Vec<u128>,
    consistency: Consistency,
}

impl LookupPart {
    pub(crate) fn new(
        kind: LookupKind,
        ids: Vec<u128>,
        consistency: Consistency,
    ) -> Result<Self, Error> {
        if ids.len() > ITEMS_MAX {
            return Err(Error::TooLarge {
                what: "ids",
                found: ids.len(),
                most: ITEMS_MAX,
            });
        }
        Ok(LookupPart {
            kind,
            ids,
            consistency,
        })
    }

    pub(crate) fn consistency(&self) -> Consistency {
        self.consistency
    }
}

/// What a lookup says of one id; the record is a slice of the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Refused,
    Record(Bytes),
}

/// One caller's answer, one for each id in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LookupAnswer {
    pub(crate) found: Vec<Found>,
    pub(crate) applied_index: u64,
}

/// The load of lookups. Reads of the same freshness merge: a linearizable one that began
/// after another was asked for sees at least what that one must see.
pub(crate) enum Lookup {}

impl Load for Lookup {
    type Part = LookupPart;
    type Answer = LookupAnswer;
    type Exchange = Lookups;

    fn size(part: &LookupPart) -> Size {
        Size {
            items: part.ids.len(),
            bytes: part.ids.len() * ID_BYTES,
        }
    }

    fn joins(previous: &LookupPart, next: &LookupPart) -> bool {
        previous.kind == next.kind && previous.consistency == next.consistency
    }

    fn request(parts: &[&LookupPart], remaining: Duration) -> LookupRequest {
        let first = parts.first();
        let ids: Vec<u128> = parts
            .iter()
            .flat_map(|part| part.ids.iter().copied())
            .collect();
        LookupRequest {
            request_number: 0,
            kind: first
                .map_or(LookupKind::Unspecified, |part| part.kind)
                .into(),
            ids: packed::write_ids(ids.into_iter()),
            consistency: first
                .map(|part| part.consistency)
                .unwrap_or_default()
                .into(),
            deadline_ms: deadline_ms(remaining),
        }
    }

    fn answers(parts: &[&LookupPart], reply: LookupReply) -> Result<Vec<LookupAnswer>, String> {
        let kind = parts
            .first()
            .map_or(LookupKind::Unspecified, |part| part.kind);
        let count = parts.iter().map(|part| part.ids.len()).sum();
        let read =
            packed::read_lookup(&reply, kind, count).ok_or("the records do not fit the ids")?;
        let mut found = read.into_iter().map(|answer| match answer {
            LookedUp::NotFound => Found::Nothing,
            LookedUp::Refused => Found::Refused,
            LookedUp::Found(record) => Found::Record(reply.records.slice_ref(record)),
        });
        Ok(parts
            .iter()
            .map(|part| LookupAnswer {
                found: found.by_ref().take(part.ids.len()).collect(),
                applied_index: reply.applied_index,
            })
            .collect())
    }

    fn ids(_: &LookupPart) -> Option<Vec<u128>> {
        None
    }

    fn is_repeatable(_: &LookupPart) -> bool {
        true
    }
}
