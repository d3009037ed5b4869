//! Change events other than transfers: what happened, in the order of the dense sequence.

use crate::account::{Account, Balances};
use crate::bytes::{field, get_u16, get_u32, get_u64, put};
use crate::ledger::Ledger;
use crate::record::{RECORD_KEY_BYTES_MAX, Record, RecordKey};
use crate::setting::Setting;
use crate::transfer::Transfer;

/// One change that is not a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its place in the dense sequence of changes.
    pub sequence: u64,
    /// ns, of the item that caused it.
    pub timestamp: u64,
    /// What happened.
    pub body: EventBody,
}

/// What happened. The numbers of the kinds are frozen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventBody {
    /// Kind 1. The account as stored; an unregistered ledger row that it may have created has no event of its own.
    AccountCreated(Account),
    /// Kind 2. The ledger as stored.
    LedgerRegistered(Ledger),
    /// Kind 3. A record was written or deleted.
    RecordWritten {
        /// Which record.
        key: RecordKey,
        /// As stored.
        record: Record,
    },
    /// Kind 4. A pending transfer reached its timeout. Closing ones reopen their accounts.
    TransferExpired {
        /// The pending transfer as stored.
        transfer: Transfer,
        /// Balances of the debit account after it.
        debit_after: Balances,
        /// Balances of the credit account after it.
        credit_after: Balances,
    },
    /// Kind 5. A setting was changed.
    SettingChanged(Setting),
}

/// Why stored event bytes are not an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventError {
    /// A kind this code does not know.
    UnknownKind(u8),
    /// The length or a field is not that of the kind.
    Malformed,
}

impl std::fmt::Display for EventError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(f, "unknown event kind {kind}"),
            Self::Malformed => f.write_str("malformed event body"),
        }
    }
}

impl std::error::Error for EventError {}

impl Event {
    /// The frozen number of the kind.
    pub const fn kind(&self) -> u8 {
        match self.body {
            EventBody::AccountCreated(_) => 1,
            EventBody::LedgerRegistered(_) => 2,
            EventBody::RecordWritten { .. } => 3,
            EventBody::TransferExpired { .. } => 4,
            EventBody::SettingChanged(_) => 5,
        }
    }

    /// Appends the body of the format: without sequence and kind, which stand elsewhere in the row.
    pub fn write_body(&self, out: &mut Vec<u8>) {
        match &self.body {
            EventBody::AccountCreated(account) => account.write_to(out),
            EventBody::LedgerRegistered(ledger) => ledger.write_to(out),
            EventBody::RecordWritten { key, record } => {
                let mut header = [0; 16];
                put(&mut header, 0, &self.timestamp.to_le_bytes());
                put(&mut header, 8, &key.namespace().to_le_bytes());
                let key_length = u16::try_from(key.key().len()).unwrap_or(0);
                put(&mut header, 12, &key_length.to_le_bytes());
                out.extend_from_slice(&header);
                out.extend_from_slice(key.key());
                record.write_to(out);
            }
            EventBody::TransferExpired {
                transfer,
                debit_after,
                credit_after,
            } => {
                out.extend_from_slice(&self.timestamp.to_le_bytes());
                transfer.write_to(out);
                out.extend_from_slice(&debit_after.to_bytes());
                out.extend_from_slice(&credit_after.to_bytes());
            }
            EventBody::SettingChanged(setting) => {
                setting.write_to(out);
                out.extend_from_slice(&self.timestamp.to_le_bytes());
            }
        }
    }

    /// Reads [`Event::write_body`] of the given kind.
    ///
    /// # Errors
    /// When the kind is unknown or the bytes are not of its shape.
    pub fn from_body(sequence: u64, kind: u8, bytes: &[u8]) -> Result<Self, EventError> {
        let (timestamp, body) = match kind {
            1 => {
                let account = Account::from_bytes(exactly(bytes)?);
                (account.timestamp, EventBody::AccountCreated(account))
            }
            2 => {
                let ledger = Ledger::from_bytes(exactly(bytes)?);
                (ledger.timestamp, EventBody::LedgerRegistered(ledger))
            }
            3 => {
                let (header, rest) = bytes.split_at_checked(16).ok_or(EventError::Malformed)?;
                let key_length = usize::from(get_u16(header, 12));
                if get_u16(header, 14) != 0 || key_length > RECORD_KEY_BYTES_MAX {
                    return Err(EventError::Malformed);
                }
                let (key, record) = rest
                    .split_at_checked(key_length)
                    .ok_or(EventError::Malformed)?;
                let key = RecordKey::new(get_u32(header, 8), key).ok_or(EventError::Malformed)?;
                let record = Record::from_bytes(record).ok_or(EventError::Malformed)?;
                (get_u64(header, 0), EventBody::RecordWritten { key, record })
            }
            4 => {
                let bytes: &[u8; 264] = exactly(bytes)?;
                let body = EventBody::TransferExpired {
                    transfer: Transfer::from_bytes(&field(bytes, 8)),
                    debit_after: Balances::from_bytes(&field(bytes, 136)),
                    credit_after: Balances::from_bytes(&field(bytes, 200)),
                };
                (get_u64(bytes, 0), body)
            }
            5 => {
                let bytes: &[u8; 24] = exactly(bytes)?;
                (
                    get_u64(bytes, 16),
                    EventBody::SettingChanged(Setting::from_bytes(&field(bytes, 0))),
                )
            }
            _ => return Err(EventError::UnknownKind(kind)),
        };
        Ok(Self {
            sequence,
            timestamp,
            body,
        })
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], EventError> {
    bytes.try_into().map_err(|_| EventError::Malformed)
}
