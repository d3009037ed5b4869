//! Peer messages to openraft's types and back. Decoding refuses what openraft could not have sent.

use farthing_proto::peer::v1 as wire;
use openraft::entry::RaftEntry as _;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, VoteRequest, VoteResponse,
};

use super::claims::Claim;
use super::types::{
    RaftEntry, RaftLogId, RaftVote, TypeConfig, from_log_entry, from_log_id, from_vote,
    to_log_entry,
};
use crate::log;

/// Why bytes from a peer were refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    /// A field that is always sent is missing.
    #[error("field {0} is missing")]
    Missing(&'static str),
    /// A payload or an enum that this version does not know.
    #[error("field {field}: {why}")]
    Invalid { field: &'static str, why: String },
}

pub(crate) fn log_id_to_wire(id: &RaftLogId) -> wire::LogId {
    wire::LogId {
        term: id.leader_id.term,
        index: id.index,
    }
}

pub(crate) fn log_id_from_wire(id: &wire::LogId) -> RaftLogId {
    from_log_id(&log::LogId {
        term: id.term,
        node: 0,
        index: id.index,
    })
}

pub(crate) fn vote_to_wire(vote: &RaftVote) -> wire::Vote {
    wire::Vote {
        term: vote.leader_id.term,
        node: vote.leader_id.voted_for,
        committed: vote.committed,
    }
}

pub(crate) fn vote_from_wire(vote: Option<wire::Vote>) -> Result<RaftVote, Malformed> {
    let vote = vote.ok_or(Malformed::Missing("vote"))?;
    Ok(from_vote(&log::Vote {
        term: vote.term,
        node: vote.node,
        committed: vote.committed,
    }))
}

/// A vote as the log knows it.
pub(super) fn log_vote_to_wire(vote: &log::Vote) -> wire::Vote {
    wire::Vote {
        term: vote.term,
        node: vote.node,
        committed: vote.committed,
    }
}

/// The reverse of [`log_vote_to_wire`].
pub(super) fn log_vote_from_wire(vote: Option<wire::Vote>) -> Option<log::Vote> {
    vote.map(|vote| log::Vote {
        term: vote.term,
        node: vote.node,
        committed: vote.committed,
    })
}

pub(super) fn claim_to_wire(node: u64, claim: &Claim) -> wire::Claim {
    wire::Claim {
        node,
        incarnation: claim.incarnation,
        vote: claim.vote.as_ref().map(log_vote_to_wire),
        acknowledged: claim
            .acknowledged
            .map(|(term, index)| wire::LogId { term, index }),
    }
}

/// Of which node, and what.
pub(super) fn claim_from_wire(claim: &wire::Claim) -> (u64, Claim) {
    let read = Claim {
        incarnation: claim.incarnation,
        vote: log_vote_from_wire(claim.vote),
        acknowledged: claim.acknowledged.map(|id| (id.term, id.index)),
    };
    (claim.node, read)
}

fn entry_to_wire(entry: &RaftEntry) -> std::io::Result<wire::Entry> {
    let log_entry = to_log_entry(entry)?;
    let kind = match log_entry.kind {
        log::EntryKind::Normal => wire::EntryKind::Normal,
        log::EntryKind::Blank => wire::EntryKind::Blank,
        log::EntryKind::Membership => wire::EntryKind::Membership,
    };
    Ok(wire::Entry {
        log_id: Some(log_id_to_wire(&entry.log_id())),
        kind: kind.into(),
        payload: log_entry.payload,
    })
}

fn entry_from_wire(entry: wire::Entry) -> Result<RaftEntry, Malformed> {
    let id = entry.log_id.ok_or(Malformed::Missing("entries.log_id"))?;
    let kind = match wire::EntryKind::try_from(entry.kind) {
        Ok(wire::EntryKind::Normal) => log::EntryKind::Normal,
        Ok(wire::EntryKind::Blank) => log::EntryKind::Blank,
        Ok(wire::EntryKind::Membership) => log::EntryKind::Membership,
        Ok(wire::EntryKind::Unspecified) | Err(_) => {
            return Err(Malformed::Invalid {
                field: "entries.kind",
                why: format!("{} is no entry kind", entry.kind),
            });
        }
    };
    let log_id = log::LogId {
        term: id.term,
        node: 0,
        index: id.index,
    };
    from_log_entry(log::Entry {
        log_id,
        kind,
        payload: entry.payload,
    })
    .map_err(|error| Malformed::Invalid {
        field: "entries.payload",
        why: error.to_string(),
    })
}

pub(crate) fn append_to_wire(
    request: &AppendEntriesRequest<TypeConfig>,
) -> std::io::Result<wire::AppendRequest> {
    Ok(wire::AppendRequest {
        vote: Some(vote_to_wire(&request.vote)),
        previous: request.prev_log_id.as_ref().map(log_id_to_wire),
        entries: request
            .entries
            .iter()
            .map(entry_to_wire)
            .collect::<std::io::Result<_>>()?,
        committed: request.leader_commit.as_ref().map(log_id_to_wire),
        claims: Vec::new(),
    })
}

/// Decodes an append and checks that its entries follow each other from `previous` without a gap.
pub(crate) fn append_from_wire(
    request: wire::AppendRequest,
) -> Result<AppendEntriesRequest<TypeConfig>, Malformed> {
    let previous = request.previous.as_ref().map(log_id_from_wire);
    let mut next = previous.as_ref().map(|id| id.index.saturating_add(1));
    let mut entries = Vec::with_capacity(request.entries.len());
    for entry in request.entries {
        let entry = entry_from_wire(entry)?;
        let index = entry.log_id().index;
        if next.is_some_and(|expected| expected != index) {
            let why = format!("index {index} does not follow the entry before it");
            return Err(Malformed::Invalid {
                field: "entries",
                why,
            });
        }
        next = Some(index.saturating_add(1));
        entries.push(entry);
    }
    Ok(AppendEntriesRequest {
        vote: vote_from_wire(request.vote)?,
        prev_log_id: previous,
        entries,
        leader_commit: request.committed.as_ref().map(log_id_from_wire),
    })
}

pub(crate) fn append_result_to_wire(
    result: &StreamAppendResult<TypeConfig>,
    wall_clock_ns: u64,
) -> wire::AppendReply {
    use wire::append_reply::Outcome;
    let outcome = match result {
        Ok(matched) => Outcome::Matched(wire::Matched {
            log_id: matched.as_ref().map(log_id_to_wire),
            partial: false,
        }),
        Err(StreamAppendError::Conflict(at)) => Outcome::Conflict(log_id_to_wire(at)),
        Err(StreamAppendError::HigherVote(vote)) => Outcome::HigherVote(vote_to_wire(vote)),
    };
    wire::AppendReply {
        outcome: Some(outcome),
        wall_clock_ns,
        ..Default::default()
    }
}

pub(crate) fn append_result_from_wire(
    reply: wire::AppendReply,
) -> Result<StreamAppendResult<TypeConfig>, Malformed> {
    use wire::append_reply::Outcome;
    Ok(match reply.outcome.ok_or(Malformed::Missing("outcome"))? {
        Outcome::Matched(matched) => Ok(matched.log_id.as_ref().map(log_id_from_wire)),
        Outcome::Conflict(at) => Err(StreamAppendError::Conflict(log_id_from_wire(&at))),
        Outcome::HigherVote(vote) => {
            Err(StreamAppendError::HigherVote(vote_from_wire(Some(vote))?))
        }
    })
}

pub(crate) fn vote_request_to_wire(request: &VoteRequest<TypeConfig>) -> wire::VoteRequest {
    wire::VoteRequest {
        vote: Some(vote_to_wire(&request.vote)),
        last_log_id: request.last_log_id.as_ref().map(log_id_to_wire),
        leadership_transfer: request.leadership_transfer,
    }
}

pub(crate) fn vote_request_from_wire(
    request: wire::VoteRequest,
) -> Result<VoteRequest<TypeConfig>, Malformed> {
    let last_log_id = request.last_log_id.as_ref().map(log_id_from_wire);
    let mut decoded = VoteRequest::new(vote_from_wire(request.vote)?, last_log_id);
    decoded.leadership_transfer = request.leadership_transfer;
    Ok(decoded)
}

pub(crate) fn vote_reply_to_wire(reply: &VoteResponse<TypeConfig>) -> wire::VoteReply {
    wire::VoteReply {
        vote: Some(vote_to_wire(&reply.vote)),
        last_log_id: reply.last_log_id.as_ref().map(log_id_to_wire),
        granted: reply.vote_granted,
        ..Default::default()
    }
}

pub(crate) fn vote_reply_from_wire(
    reply: wire::VoteReply,
) -> Result<VoteResponse<TypeConfig>, Malformed> {
    let last_log_id = reply.last_log_id.as_ref().map(log_id_from_wire);
    Ok(VoteResponse::new(
        vote_from_wire(reply.vote)?,
        last_log_id,
        reply.granted,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOTE: wire::Vote = wire::Vote {
        term: 2,
        node: 3,
        committed: true,
    };

    fn append(previous: Option<u64>, indexes: &[u64]) -> wire::AppendRequest {
        let log_id = |index| wire::LogId { term: 2, index };
        let entries = indexes.iter().map(|index| wire::Entry {
            log_id: Some(log_id(*index)),
            kind: wire::EntryKind::Blank.into(),
            ..Default::default()
        });
        wire::AppendRequest {
            vote: Some(VOTE),
            previous: previous.map(log_id),
            entries: entries.collect(),
            ..Default::default()
        }
    }

    /// Raft takes for granted that entries follow each other; a gap would only be noticed when it is applied.
    #[test]
    fn entries_of_an_append_follow_each_other() {
        for (previous, indexes) in [
            (None, &[0, 1][..]),
            (Some(4), &[5, 6]),
            (Some(4), &[]),
            (Some(u64::MAX - 1), &[u64::MAX]),
        ] {
            assert!(append_from_wire(append(previous, indexes)).is_ok());
        }
        for (previous, indexes) in [
            (Some(4), &[6][..]),
            (Some(4), &[4]),
            (Some(4), &[5, 7]),
            (Some(4), &[5, 5]),
            (None, &[3, 2]),
        ] {
            let refused = append_from_wire(append(previous, indexes));
            assert!(
                matches!(
                    refused,
                    Err(Malformed::Invalid {
                        field: "entries",
                        ..
                    })
                ),
                "{indexes:?} after {previous:?}"
            );
        }
    }

    #[test]
    fn a_vote_that_was_not_granted_stays_so() {
        for granted in [true, false] {
            let reply = wire::VoteReply {
                vote: Some(VOTE),
                last_log_id: Some(wire::LogId { term: 1, index: 9 }),
                granted,
                ..Default::default()
            };
            let decoded = vote_reply_from_wire(reply).map(|decoded| vote_reply_to_wire(&decoded));
            assert!(matches!(decoded, Ok(same) if same == reply), "{granted}");
        }
    }
}
