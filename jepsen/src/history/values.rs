//! What stands in `value`, by the event's `f` and type.

use std::collections::BTreeMap;

use farthing_client::{Account, PendingStatus, Transfer};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use super::cursors::{CursorOpen, CursorSave};
use super::followed::Followed;
use super::number::{Hex, hex_list, is_default};
use super::queries::{Page, Query};
use super::transfers::Lookup;

/// The value of an event.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Value {
    /// `null`: an outcome that is not known, a failure, or an event that says all in its other fields.
    #[default]
    None,
    /// `transfers`, invoked: the items of one request, in order.
    Transfers(Vec<Transfer>),
    /// `accounts`, invoked: the items of one request, in order.
    Accounts(Vec<Account>),
    /// `transfers` and `accounts`, ok: one outcome for each item.
    Outcomes(Vec<Outcome>),
    /// `read-accounts`, `read-transfers` and `read-pendings`, invoked.
    ReadIds(ReadIds),
    /// `read-accounts`, ok. `None`: there is no such account.
    AccountsRead(ReadReply<Option<Account>>),
    /// `read-transfers`, ok.
    TransfersRead(ReadReply<Lookup>),
    /// `read-pendings`, ok. `None`: there is no such pending transfer.
    PendingsRead(ReadReply<Option<Answer>>),
    /// `query`, invoked.
    Query(Box<Query>),
    /// `query`, ok.
    Page(Box<Page>),
    /// `final-read`: one part of what one node holds when everything has ended.
    FinalRead(Box<FinalRead>),
    /// `followed`: what a subscriber saw.
    Followed(Box<Followed>),
    /// `cursor-open`, invoked.
    CursorOpen(CursorOpen),
    /// `cursor-open`, ok: the last sequence that was saved, 0 when there is none.
    Sequence(u64),
    /// `cursor-save`, invoked.
    CursorSave(Box<CursorSave>),
    /// An event of the nemesis.
    Fault(Fault),
    /// `run`: what the run was, for those who judge it.
    Run(Box<RunFacts>),
    /// `coverage`: how often each point was reached.
    Coverage(BTreeMap<String, u64>),
    /// `panic` and `trouble`: what happened, in words.
    Text(String),
}

/// The answer to one item: `[status, timestamp]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome(
    /// The ledger's number of the status; 0 is created.
    pub u32,
    /// ns. The item's own tick of the cluster's clock, created or refused; for `exists` that of the original.
    pub u64,
);

impl Outcome {
    /// The number of the status.
    #[must_use]
    pub fn status(self) -> u32 {
        self.0
    }

    /// ns, see the field.
    #[must_use]
    pub fn timestamp(self) -> u64 {
        self.1
    }
}

/// How fresh a read was asked to be.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consistency {
    /// It sees everything that was answered before it was sent.
    #[default]
    Linearizable,
    /// It sees at least this log index.
    MinLogIndex(u64),
    /// It sees some state of the past.
    Stale,
}

/// What a read asks for.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadIds {
    /// Ids, in the order of the reply's rows.
    #[serde(with = "hex_list")]
    pub ids: Vec<u128>,
    /// How fresh; linearizable when it is left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consistency: Consistency,
}

/// What a read was answered.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ReadReply<T> {
    /// Log index at which the rows are exact.
    pub applied_index: u64,
    /// One row for each id, in the order of the invocation.
    pub rows: Vec<T>,
}

/// Where a pending transfer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer(pub PendingStatus);

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self.0 {
            PendingStatus::Pending => "pending",
            PendingStatus::Posted => "posted",
            PendingStatus::Voided => "voided",
            PendingStatus::Expired => "expired",
        })
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Ok(Self(match text {
            "pending" => PendingStatus::Pending,
            "posted" => PendingStatus::Posted,
            "voided" => PendingStatus::Voided,
            "expired" => PendingStatus::Expired,
            other => {
                let known = &["pending", "posted", "voided", "expired"];
                return Err(de::Error::unknown_variant(other, known));
            }
        }))
    }
}

/// A pending transfer in a final read: `[id, status]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingRow {
    /// Id of the pending transfer.
    pub id: u128,
    /// Where it stands.
    pub status: PendingStatus,
}

impl Serialize for PendingRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Hex(self.id), Answer(self.status)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PendingRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (id, status) = <(Hex, Answer)>::deserialize(deserializer)?;
        Ok(Self {
            id: id.0,
            status: status.0,
        })
    }
}

/// One part of what one node (the event's `node`) holds when everything has ended: for every id the run ever named,
/// the row or that there is none. All accounts stand in part 0. The parts of one node make one dump; it counts only
/// when all are there, and a later part 0 of the same node begins a new dump that replaces the former.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FinalRead {
    /// Log index at which this part is exact.
    pub applied_index: u64,
    /// Number of this part, from 0.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
    /// What the node says the state holds, if it says so; more than the run created is a phantom.
    pub account_count: Option<u64>,
    /// See `account_count`.
    pub transfer_count: Option<u64>,
    /// All accounts that exist.
    pub accounts: Vec<Account>,
    /// Ids of accounts that do not exist.
    pub accounts_absent: Vec<u128>,
    /// Transfers that exist.
    pub transfers: Vec<Transfer>,
    /// Ids of transfers that were refused for a passing reason and are used up.
    pub refused: Vec<u128>,
    /// Ids of transfers that were never seen.
    pub absent: Vec<u128>,
    /// Every pending transfer and where it stands.
    pub pendings: Vec<PendingRow>,
}

/// Whether a fault begins, ends, or is a single blow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It lasts until the `end` of the same name.
    Begin,
    /// The end of what began under the same name.
    End,
    /// Without duration, such as a kill.
    Blow,
}

/// What the nemesis did; the event's `f` is the name of the fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Beginning, end or blow.
    pub phase: Phase,
    /// Nodes hit; empty when it hits what is between them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<u64>,
    /// In words, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What the run was, for those who judge it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFacts {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u64,
    /// The command that repeats the run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Nodes that must be in agreement at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<u64>,
    /// Time within which every node must be ready after the last heal, ms; 0 = not judged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ready_within_ms: u64,
    /// Points the run must reach, each with the least number of times, or it proves nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub required: BTreeMap<String, u64>,
}
