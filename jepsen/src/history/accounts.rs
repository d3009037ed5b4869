//! Accounts in a history: one shape for what was sent (balances and timestamp zero) and for what was read.

use farthing_client::{Account, AccountFlags, AccountId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::number::{Hex, Number, is_default};

/// An account as it stands in a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountState(pub Account);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "is_default")]
    id: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    debits_pending: Number,
    #[serde(default, skip_serializing_if = "is_default")]
    debits_posted: Number,
    #[serde(default, skip_serializing_if = "is_default")]
    credits_pending: Number,
    #[serde(default, skip_serializing_if = "is_default")]
    credits_posted: Number,
    #[serde(default, skip_serializing_if = "is_default")]
    user_data_128: Hex,
    #[serde(default, skip_serializing_if = "is_default")]
    user_data_64: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    user_data_32: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    reserved: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    ledger: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    code: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    flags: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    timestamp: u64,
}

impl Serialize for AccountState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = &self.0;
        Line {
            id: Hex(account.id.0),
            debits_pending: Number(account.debits_pending),
            debits_posted: Number(account.debits_posted),
            credits_pending: Number(account.credits_pending),
            credits_posted: Number(account.credits_posted),
            user_data_128: Hex(account.user_data_128),
            user_data_64: account.user_data_64,
            user_data_32: account.user_data_32,
            reserved: account.reserved,
            ledger: account.ledger,
            code: account.code,
            flags: account.flags.0,
            timestamp: account.timestamp,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AccountState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = Line::deserialize(deserializer)?;
        Ok(Self(Account {
            id: AccountId(line.id.0),
            debits_pending: line.debits_pending.0,
            debits_posted: line.debits_posted.0,
            credits_pending: line.credits_pending.0,
            credits_posted: line.credits_posted.0,
            user_data_128: line.user_data_128.0,
            user_data_64: line.user_data_64,
            user_data_32: line.user_data_32,
            reserved: line.reserved,
            ledger: line.ledger,
            code: line.code,
            flags: AccountFlags(line.flags),
            timestamp: line.timestamp,
        }))
    }
}
