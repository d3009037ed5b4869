//! What consensus reads from its files and its peers, read and written again: the questions of a test that hands it
//! hostile bytes. Nothing in a node calls this.

use bytes::Bytes;
use farthing_proto::codec;
use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::snapshot_chunk::Part;
use prost::Message;

use super::types::{decode_membership, encode_membership};
use super::{claims, convert, exchange, roster, suspect};
use crate::cold::{self, Kind};
use crate::storage::Manifest;

/// What the bytes say, as bytes again; otherwise why they were refused, in words.
type Reread = Result<Vec<u8>, String>;

/// A message as the listeners decode it.
pub(crate) fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, String> {
    codec::decode(Bytes::copy_from_slice(bytes)).map_err(words)
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The table of `claims.meta`.
pub(crate) fn claims(bytes: &[u8]) -> Reread {
    let table: claims::Table = cold::decode(Kind::Claims, bytes).map_err(words)?;
    cold::encode(Kind::Claims, &table).map_err(words)
}

/// The loss in `suspect.meta`.
pub(crate) fn suspect(bytes: &[u8]) -> Reread {
    let loss: suspect::Loss = cold::decode(Kind::Suspect, bytes).map_err(words)?;
    cold::encode(Kind::Suspect, &loss).map_err(words)
}

/// The membership in `members.meta`.
pub(crate) fn members(bytes: &[u8]) -> Reread {
    let (index, membership) = roster::from_bytes(bytes).map_err(words)?;
    roster::to_bytes(index, &membership).map_err(words)
}

/// The payload of a membership entry.
pub(crate) fn membership(bytes: &[u8]) -> Reread {
    let membership = decode_membership(bytes).map_err(words)?;
    Ok(encode_membership(&membership).map_err(words)?.to_vec())
}

fn claim_again(claim: &wire::Claim) -> wire::Claim {
    let (node, claim) = convert::claim_from_wire(claim);
    convert::claim_to_wire(node, &claim)
}

/// An append, with the claims that come with it.
pub(crate) fn append(message: wire::AppendRequest) -> Reread {
    let claims = message.claims.iter().map(claim_again).collect();
    let request = convert::append_from_wire(message).map_err(words)?;
    let mut again = convert::append_to_wire(&request).map_err(words)?;
    again.claims = claims;
    Ok(again.encode_to_vec())
}

/// The answer to an append.
pub(crate) fn append_reply(message: wire::AppendReply) -> Reread {
    let wall_clock_ns = message.wall_clock_ns;
    let result = convert::append_result_from_wire(message).map_err(words)?;
    Ok(convert::append_result_to_wire(&result, wall_clock_ns).encode_to_vec())
}

/// A request for a vote.
pub(crate) fn vote(message: wire::VoteRequest) -> Reread {
    let request = convert::vote_request_from_wire(message).map_err(words)?;
    Ok(convert::vote_request_to_wire(&request).encode_to_vec())
}

/// The answer to a request for a vote.
pub(crate) fn vote_reply(message: wire::VoteReply) -> Reread {
    let reply = convert::vote_reply_from_wire(message).map_err(words)?;
    Ok(convert::vote_reply_to_wire(&reply).encode_to_vec())
}

/// A starting node's question what is known of it.
pub(crate) fn remember(message: wire::RememberRequest) -> Vec<u8> {
    let own = message.own.as_ref().map(claim_again);
    wire::RememberRequest { own }.encode_to_vec()
}

/// The answer to that question.
pub(crate) fn remember_reply(message: wire::RememberReply) -> Vec<u8> {
    let vote = convert::log_vote_from_wire(message.vote);
    wire::RememberReply {
        vote: vote.as_ref().map(convert::log_vote_to_wire),
        known: message.known.as_ref().map(claim_again),
        empty: message.empty,
    }
    .encode_to_vec()
}

/// How a peer is.
pub(crate) fn vitals(message: wire::Vitals) -> Vec<u8> {
    exchange::to_wire(&exchange::from_wire(message)).encode_to_vec()
}

/// A part of a snapshot: a header with its manifest, or bytes of a file.
pub(crate) fn snapshot_chunk(message: wire::SnapshotChunk) -> Reread {
    let part = match message.part.ok_or("neither a header nor bytes of a file")? {
        Part::Header(header) => {
            let vote = convert::vote_from_wire(header.vote).map_err(words)?;
            let manifest = Manifest::from_bytes(&header.manifest).map_err(words)?;
            Part::Header(wire::SnapshotHeader {
                vote: Some(convert::vote_to_wire(&vote)),
                manifest: Bytes::from(manifest.to_bytes().map_err(words)?),
            })
        }
        chunk @ Part::Chunk(_) => chunk,
    };
    Ok(wire::SnapshotChunk { part: Some(part) }.encode_to_vec())
}

/// The answer to a snapshot.
pub(crate) fn snapshot_reply(message: wire::SnapshotReply) -> Reread {
    let vote = convert::vote_from_wire(message.vote).map_err(words)?;
    let vote = Some(convert::vote_to_wire(&vote));
    Ok(wire::SnapshotReply { vote }.encode_to_vec())
}

/// A leader's request to take over.
pub(crate) fn transfer_leader(message: wire::TransferLeaderRequest) -> Reread {
    let vote = convert::vote_from_wire(message.from_leader).map_err(words)?;
    let last = message.last_log_id.as_ref().map(convert::log_id_from_wire);
    let again = wire::TransferLeaderRequest {
        from_leader: Some(convert::vote_to_wire(&vote)),
        to: message.to,
        last_log_id: last.as_ref().map(convert::log_id_to_wire),
    };
    Ok(again.encode_to_vec())
}

/// The answer to it; its fields are used as they came, as those of the next ones.
pub(crate) fn transfer_leader_reply(message: wire::TransferLeaderReply) -> Vec<u8> {
    message.encode_to_vec()
}

/// A leader's answer how far to read.
pub(crate) fn read_index_reply(message: wire::ReadIndexReply) -> Vec<u8> {
    message.encode_to_vec()
}

/// A leader's question before it answers a read.
pub(crate) fn confirm(message: wire::ConfirmRequest) -> Vec<u8> {
    let vote = convert::log_vote_from_wire(message.vote);
    let vote = vote.as_ref().map(convert::log_vote_to_wire);
    wire::ConfirmRequest { vote }.encode_to_vec()
}

/// The answer to a node that starts.
pub(crate) fn probe_reply(message: wire::ProbeReply) -> Vec<u8> {
    message.encode_to_vec()
}

/// A question for a checkpoint.
pub(crate) fn fetch_checkpoint(message: wire::FetchCheckpointRequest) -> Vec<u8> {
    message.encode_to_vec()
}
