//! Doors for tests that hand a node hostile bytes: decoders that nobody outside has a use for, each as "read it and
//! write it again". No part of this crate's interface; nothing in a node calls it.

use std::path::Path;

use crate::cold::{self, Kind};
use crate::config::{Config, Error};
use crate::consensus::reread::{self as consensus, message};
use crate::meta::NodeMeta;
use crate::repair::Finding;
use crate::server::parse_page_token;
use crate::storage::reread as storage;
use crate::storage::{Incoming, Manifest};

pub use crate::storage::reread::Row;

/// What bytes are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `node.meta`.
    Node,
    /// `claims.meta`.
    Claims,
    /// `suspect.meta`.
    Suspect,
    /// `members.meta`.
    Members,
    /// `finding.meta`.
    Finding,
    /// `MANIFEST.farthing`.
    Manifest,
    /// `state/CURRENT`.
    Current,
    /// The payload of a membership entry.
    Membership,
    /// A key or a value of the state.
    Row(Row),
    /// A page token of a client, as text.
    PageToken,
    /// A peer's append.
    Append,
    /// A peer's answer to one.
    AppendReply,
    /// A peer's request for a vote.
    Vote,
    /// A peer's answer to one.
    VoteReply,
    /// A peer's question what is known of it.
    Remember,
    /// The answer to one.
    RememberReply,
    /// How a peer is.
    Vitals,
    /// A part of a snapshot.
    SnapshotChunk,
    /// The answer to a snapshot.
    SnapshotReply,
    /// A leader's request to take over.
    TransferLeader,
    /// The answer to one.
    TransferLeaderReply,
    /// A leader's answer how far to read.
    ReadIndexReply,
    /// A leader's question before it answers a read.
    Confirm,
    /// The answer to a node that starts.
    ProbeReply,
    /// A question for a checkpoint.
    FetchCheckpoint,
}

/// Reads the bytes and writes what they say.
///
/// # Errors
/// Why the bytes are not of that form, in words.
pub fn reread(form: Form, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match form {
        Form::Node => {
            let meta: NodeMeta = cold::decode(Kind::Node, bytes).map_err(words)?;
            cold::encode(Kind::Node, &meta).map_err(words)
        }
        Form::Claims => consensus::claims(bytes),
        Form::Suspect => consensus::suspect(bytes),
        Form::Members => consensus::members(bytes),
        Form::Finding => Finding::from_bytes(bytes)
            .map_err(words)?
            .to_bytes()
            .map_err(words),
        Form::Manifest => Manifest::from_bytes(bytes)
            .and_then(|manifest| manifest.to_bytes())
            .map_err(words),
        Form::Current => storage::current(bytes).ok_or_else(|| "no generation".into()),
        Form::Membership => consensus::membership(bytes),
        Form::Row(row) => {
            storage::row(row, bytes).ok_or_else(|| format!("nothing of the form {row:?}"))
        }
        Form::PageToken => {
            let token = std::str::from_utf8(bytes).map_err(words)?;
            let number = parse_page_token(token).map_err(words)?;
            Ok(number.to_string().into_bytes())
        }
        Form::Append => consensus::append(message(bytes)?),
        Form::AppendReply => consensus::append_reply(message(bytes)?),
        Form::Vote => consensus::vote(message(bytes)?),
        Form::VoteReply => consensus::vote_reply(message(bytes)?),
        Form::Remember => Ok(consensus::remember(message(bytes)?)),
        Form::RememberReply => Ok(consensus::remember_reply(message(bytes)?)),
        Form::Vitals => Ok(consensus::vitals(message(bytes)?)),
        Form::SnapshotChunk => consensus::snapshot_chunk(message(bytes)?),
        Form::SnapshotReply => consensus::snapshot_reply(message(bytes)?),
        Form::TransferLeader => consensus::transfer_leader(message(bytes)?),
        Form::TransferLeaderReply => Ok(consensus::transfer_leader_reply(message(bytes)?)),
        Form::ReadIndexReply => Ok(consensus::read_index_reply(message(bytes)?)),
        Form::Confirm => Ok(consensus::confirm(message(bytes)?)),
        Form::ProbeReply => Ok(consensus::probe_reply(message(bytes)?)),
        Form::FetchCheckpoint => Ok(consensus::fetch_checkpoint(message(bytes)?)),
    }
}

/// The settings in the text of a configuration file.
///
/// # Errors
/// The first that is wrong.
pub fn settings(text: &str) -> Result<Config, Error> {
    Config::from_text(text)
}

/// Begins to receive a snapshot below `root`, as from a leader of the cluster that the manifest names.
///
/// # Errors
/// When the directory cannot be made.
pub fn receive(root: &Path, manifest: Manifest) -> Result<Incoming, crate::storage::Error> {
    Incoming::create(root, manifest.cluster_id, manifest)
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
