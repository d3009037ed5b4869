//! What consensus keeps beside log and state, looked at from outside while no node runs.

use std::path::Path;

use serde::Serialize;

use super::types::{RaftMembership, decode_membership};
use super::{claims, roster, suspect};
use crate::cold::{self, Kind};

/// What is known of one node's promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The node.
    pub node: u64,
    /// Starts of its directory.
    pub incarnation: u64,
    /// Its vote: term, node voted for, whether that one leads.
    pub vote: Option<(u64, u64, bool)>,
    /// Term and index of the last entry it acknowledged.
    pub acknowledged: Option<(u64, u64)>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberLine {
    /// The node.
    pub id: u64,
    /// Whether it votes.
    pub voter: bool,
    /// Where clients connect.
    pub client_address: String,
    /// Where the other nodes connect.
    pub peer_address: String,
}

/// A membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Members {
    /// Its log index.
    pub index: u64,
    /// The members, by id.
    pub members: Vec<MemberLine>,
}

/// What a node that is suspect has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// In words.
    pub what: String,
    /// Term up to which it may have been acknowledged.
    pub term: u64,
    /// Log index up to which it had been durable, as far as is known.
    pub reach: u64,
}

/// What a file says: nothing when it is not there, otherwise why it does not verify.
type Told<T> = Result<Option<T>, String>;

/// `claims.meta`.
///
/// # Errors
/// Why it does not verify, in words.
pub fn claims(dir: &Path) -> Told<Vec<Claim>> {
    told(&dir.join("claims.meta"), |bytes| {
        let table: claims::Table = cold::decode(Kind::Claims, bytes).map_err(words)?;
        let claim = |(node, claim): (u64, claims::Claim)| Claim {
            node,
            incarnation: claim.incarnation,
            vote: claim
                .vote
                .map(|vote| (vote.term, vote.node, vote.committed)),
            acknowledged: claim.acknowledged,
        };
        Ok(table.claims().map(claim).collect())
    })
}

/// `members.meta`.
///
/// # Errors
/// Why it does not verify, in words.
pub fn members(dir: &Path) -> Told<Members> {
    told(&dir.join("members.meta"), |bytes| {
        let (index, membership) = roster::from_bytes(bytes).map_err(words)?;
        Ok(lines(index, &membership))
    })
}

/// `suspect.meta`.
///
/// # Errors
/// Why it does not verify, in words.
pub fn suspect(dir: &Path) -> Told<Loss> {
    told(&dir.join("suspect.meta"), |bytes| {
        let loss: suspect::Loss = cold::decode(Kind::Suspect, bytes).map_err(words)?;
        Ok(Loss {
            what: loss.what,
            term: loss.term,
            reach: loss.reach,
        })
    })
}

/// The record of a membership, as it stands in the log and in the state.
///
/// # Errors
/// Why it does not verify, in words.
pub fn membership(index: u64, bytes: &[u8]) -> Result<Members, String> {
    let membership = decode_membership(bytes).map_err(words)?;
    Ok(lines(index, &membership))
}

fn lines(index: u64, membership: &RaftMembership) -> Members {
    let votes = |id: &u64| membership.voter_ids().any(|voter| voter == *id);
    let line = |(id, member): (&u64, &super::Member)| MemberLine {
        id: *id,
        voter: votes(id),
        client_address: member.client_address.clone(),
        peer_address: member.peer_address.clone(),
    };
    Members {
        index,
        members: membership.nodes().map(line).collect(),
    }
}

fn told<T>(path: &Path, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Told<T> {
    match std::fs::read(path) {
        Ok(bytes) => read(&bytes).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
