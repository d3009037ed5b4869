//! Transfers in a history: one shape for what was sent and for what was read, zero fields left out.

use farthing_client::{AccountId, Transfer, TransferFlags, TransferId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::number::{Hex, Number, is_default};

/// A transfer as it stands in a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransferRow(pub Transfer);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "is_default")]
    id: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    debit: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    credit: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    amount: Number,
    #[serde(default, skip_serializing_if = "is_default")]
    pending_id: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    user_data_128: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    user_data_64: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    user_data_32: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    timeout: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    ledger: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    code: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    flags: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    timestamp: u64,
}

impl Serialize for TransferRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let transfer = &self.0;
        Line {
            id: Hex(transfer.id.0),
            debit: Hex(transfer.debit_account_id.0),
            credit: Hex(transfer.credit_account_id.0),
            amount: Number(transfer.amount),
            pending_id: Hex(transfer.pending_id.0),
            user_data_128: Hex(transfer.user_data_128),
            user_data_64: transfer.user_data_64,
            user_data_32: transfer.user_data_32,
            timeout: transfer.timeout,
            ledger: transfer.ledger,
            code: transfer.code,
            flags: transfer.flags.0,
            timestamp: transfer.timestamp,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TransferRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = Line::deserialize(deserializer)?;
        Ok(Self(Transfer {
            id: TransferId(line.id.0),
            debit_account_id: AccountId(line.debit.0),
            credit_account_id: AccountId(line.credit.0),
            amount: line.amount.0,
            pending_id: TransferId(line.pending_id.0),
            user_data_128: line.user_data_128.0,
            user_data_64: line.user_data_64,
            user_data_32: line.user_data_32,
            timeout: line.timeout,
            ledger: line.ledger,
            code: line.code,
            flags: TransferFlags(line.flags),
            timestamp: line.timestamp,
        }))
    }
}

/// What a lookup of a transfer id found: the row, `null` for an id never seen, `"refused"` for one used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// There is no such transfer and the id is free.
    Absent,
    /// The id was refused for a passing reason and can never be used.
    Refused,
    /// The transfer as stored.
    Found(Transfer),
}

impl Serialize for Lookup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Refused => serializer.serialize_str("refused"),
            Self::Found(transfer) => TransferRow(*transfer).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Lookup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Word {
            Refused,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Any {
            Word(Word),
            Row(Box<TransferRow>),
        }
        Ok(match Option::<Any>::deserialize(deserializer)? {
            None => Self::Absent,
            Some(Any::Word(Word::Refused)) => Self::Refused,
            Some(Any::Row(row)) => Self::Found(row.0),
        })
    }
}
