//! The JSON shapes of the values whose Rust types differ from them.

use farthing_client::{Account, Transfer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::accounts::AccountState;
use super::event::Kind;
use super::function::Function;
use super::number::hex_list;
use super::transfers::{Lookup, TransferRow};
use super::values::{Answer, FinalRead, PendingRow, ReadReply, Value};

/// A list of rows, each wrapped for the way it stands in JSON.
struct Rows<'a, T, W>(&'a [T], fn(&T) -> W);

impl<T, W: Serialize> Serialize for Rows<'_, T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

#[derive(Serialize)]
struct ReplyOut<R> {
    applied_index: u64,
    rows: R,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyIn<R> {
    applied_index: u64,
    rows: Vec<R>,
}

#[derive(Serialize)]
struct FinalOut<'a> {
    applied_index: u64,
    part: u32,
    parts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_count: Option<u64>,
    accounts: Rows<'a, Account, AccountState>,
    #[serde(with = "hex_list", skip_serializing_if = "<[u128]>::is_empty")]
    accounts_absent: &'a [u128],
    transfers: Rows<'a, Transfer, TransferRow>,
    #[serde(with = "hex_list", skip_serializing_if = "<[u128]>::is_empty")]
    refused: &'a [u128],
    #[serde(with = "hex_list", skip_serializing_if = "<[u128]>::is_empty")]
    absent: &'a [u128],
    #[serde(skip_serializing_if = "<[PendingRow]>::is_empty")]
    pendings: &'a [PendingRow],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FinalIn {
    applied_index: u64,
    part: u32,
    parts: u32,
    #[serde(default)]
    account_count: Option<u64>,
    #[serde(default)]
    transfer_count: Option<u64>,
    #[serde(default)]
    accounts: Vec<AccountState>,
    #[serde(default, with = "hex_list")]
    accounts_absent: Vec<u128>,
    #[serde(default)]
    transfers: Vec<TransferRow>,
    #[serde(default, with = "hex_list")]
    refused: Vec<u128>,
    #[serde(default, with = "hex_list")]
    absent: Vec<u128>,
    #[serde(default)]
    pendings: Vec<PendingRow>,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::Transfers(items) => Rows(items, |item| TransferRow(*item)).serialize(serializer),
            Self::Accounts(items) => Rows(items, |item| AccountState(*item)).serialize(serializer),
            Self::Outcomes(outcomes) => outcomes.serialize(serializer),
            Self::ReadIds(read) => read.serialize(serializer),
            Self::AccountsRead(reply) => ReplyOut {
                applied_index: reply.applied_index,
                rows: Rows(&reply.rows, |row: &Option<Account>| row.map(AccountState)),
            }
            .serialize(serializer),
            Self::TransfersRead(reply) => ReplyOut {
                applied_index: reply.applied_index,
                rows: &reply.rows,
            }
            .serialize(serializer),
            Self::PendingsRead(reply) => ReplyOut {
                applied_index: reply.applied_index,
                rows: &reply.rows,
            }
            .serialize(serializer),
            Self::Query(query) => query.serialize(serializer),
            Self::Page(page) => page.serialize(serializer),
            Self::FinalRead(read) => FinalOut {
                applied_index: read.applied_index,
                part: read.part,
                parts: read.parts,
                account_count: read.account_count,
                transfer_count: read.transfer_count,
                accounts: Rows(&read.accounts, |row| AccountState(*row)),
                accounts_absent: &read.accounts_absent,
                transfers: Rows(&read.transfers, |row| TransferRow(*row)),
                refused: &read.refused,
                absent: &read.absent,
                pendings: &read.pendings,
            }
            .serialize(serializer),
            Self::Followed(followed) => followed.serialize(serializer),
            Self::CursorOpen(open) => open.serialize(serializer),
            Self::Sequence(sequence) => sequence.serialize(serializer),
            Self::CursorSave(save) => save.serialize(serializer),
            Self::Fault(fault) => fault.serialize(serializer),
            Self::Run(run) => run.serialize(serializer),
            Self::Coverage(points) => points.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

/// Reads the value of an event whose `f` and type are known.
pub(super) fn parse(
    function: &Function,
    kind: Kind,
    raw: Option<&RawValue>,
) -> serde_json::Result<Value> {
    let Some(raw) = raw.map(RawValue::get).filter(|text| *text != "null") else {
        return Ok(Value::None);
    };
    let invoked = kind == Kind::Invoke;
    Ok(match function {
        Function::Transfers | Function::Accounts if kind == Kind::Ok => {
            Value::Outcomes(serde_json::from_str(raw)?)
        }
        // What failed or is unknown may repeat what was invoked; the invocation has it already.
        Function::Transfers | Function::Accounts if !invoked => Value::None,
        Function::Transfers => {
            let rows: Vec<TransferRow> = serde_json::from_str(raw)?;
            Value::Transfers(rows.into_iter().map(|row| row.0).collect())
        }
        Function::Accounts => {
            let rows: Vec<AccountState> = serde_json::from_str(raw)?;
            Value::Accounts(rows.into_iter().map(|row| row.0).collect())
        }
        Function::ReadAccounts | Function::ReadTransfers | Function::ReadPendings if invoked => {
            Value::ReadIds(serde_json::from_str(raw)?)
        }
        Function::ReadAccounts | Function::ReadTransfers | Function::ReadPendings
            if kind != Kind::Ok =>
        {
            Value::None
        }
        Function::ReadAccounts => {
            let reply: ReplyIn<Option<AccountState>> = serde_json::from_str(raw)?;
            Value::AccountsRead(ReadReply {
                applied_index: reply.applied_index,
                rows: reply
                    .rows
                    .into_iter()
                    .map(|row| row.map(|row| row.0))
                    .collect(),
            })
        }
        Function::ReadTransfers => {
            let reply: ReplyIn<Lookup> = serde_json::from_str(raw)?;
            Value::TransfersRead(ReadReply {
                applied_index: reply.applied_index,
                rows: reply.rows,
            })
        }
        Function::ReadPendings => {
            let reply: ReplyIn<Option<Answer>> = serde_json::from_str(raw)?;
            Value::PendingsRead(ReadReply {
                applied_index: reply.applied_index,
                rows: reply.rows,
            })
        }
        Function::Query if invoked => Value::Query(serde_json::from_str(raw)?),
        Function::Query if kind == Kind::Ok => Value::Page(serde_json::from_str(raw)?),
        Function::Query => Value::None,
        Function::FinalRead if !invoked => {
            let read: FinalIn = serde_json::from_str(raw)?;
            Value::FinalRead(Box::new(FinalRead {
                applied_index: read.applied_index,
                part: read.part,
                parts: read.parts,
                account_count: read.account_count,
                transfer_count: read.transfer_count,
                accounts: read.accounts.into_iter().map(|row| row.0).collect(),
                accounts_absent: read.accounts_absent,
                transfers: read.transfers.into_iter().map(|row| row.0).collect(),
                refused: read.refused,
                absent: read.absent,
                pendings: read.pendings,
            }))
        }
        Function::Followed if !invoked => Value::Followed(serde_json::from_str(raw)?),
        Function::CursorOpen if invoked => Value::CursorOpen(serde_json::from_str(raw)?),
        Function::CursorOpen if kind == Kind::Ok => Value::Sequence(serde_json::from_str(raw)?),
        Function::CursorSave if invoked => Value::CursorSave(serde_json::from_str(raw)?),
        Function::FinalRead
        | Function::Followed
        | Function::CursorOpen
        | Function::CursorSave
        | Function::Digest
        | Function::Leader
        | Function::Heal
        | Function::Ready => Value::None,
        Function::Fault(_) => Value::Fault(serde_json::from_str(raw)?),
        Function::Run => Value::Run(serde_json::from_str(raw)?),
        Function::Coverage => Value::Coverage(serde_json::from_str(raw)?),
        Function::Panic | Function::Trouble => Value::Text(serde_json::from_str(raw)?),
    })
}
