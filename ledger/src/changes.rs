//! What an entry changed: everything storage must keep, in an order that is a function of the log alone.

use crate::account::{Account, Balances};
use crate::bytes::{field, put};
use crate::event::Event;
use crate::ids::TransferId;
use crate::ledger::Ledger;
use crate::pending::Pending;
use crate::record::{NamespaceTotals, Record, RecordKey};
use crate::state::Clock;
use crate::transfer::Transfer;

/// An account that is new or differs after the entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountChange {
    /// Before the entry; `None` when the entry created it.
    pub before: Option<Account>,
    /// After the entry.
    pub after: Account,
}

/// A created transfer with the balances it left behind: at once the transfer, the history and the event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransferRow {
    /// Its place in the dense sequence of changes.
    pub sequence: u64,
    /// As stored: real amount, timestamp, inherited fields.
    pub transfer: Transfer,
    /// Balances of the debit account after it.
    pub debit_after: Balances,
    /// Balances of the credit account after it.
    pub credit_after: Balances,
}

impl TransferRow {
    /// Encoded length, without the sequence (it is part of the key).
    pub const BYTES: usize = 256;

    /// The 256 bytes of the format.
    #[inline]
    pub fn to_bytes(&self) -> [u8; 256] {
        let mut bytes = [0; 256];
        put(&mut bytes, 0, &self.transfer.to_bytes());
        put(&mut bytes, 128, &self.debit_after.to_bytes());
        put(&mut bytes, 192, &self.credit_after.to_bytes());
        bytes
    }

    /// Reads [`TransferRow::to_bytes`].
    #[inline]
    pub fn from_bytes(sequence: u64, bytes: &[u8; 256]) -> Self {
        Self {
            sequence,
            transfer: Transfer::from_bytes(&field(bytes, 0)),
            debit_after: Balances::from_bytes(&field(bytes, 128)),
            credit_after: Balances::from_bytes(&field(bytes, 192)),
        }
    }
}

/// A pending transfer that is new or met its end in the entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingChange {
    /// Before the entry; `None` when the entry created it.
    pub before: Option<Pending>,
    /// After the entry.
    pub after: Pending,
}

/// A ledger row that is new or became registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LedgerChange {
    /// Before the entry; `None` when the entry created it.
    pub before: Option<Ledger>,
    /// After the entry.
    pub after: Ledger,
}

/// A record that was written or deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordChange {
    /// Which record.
    pub key: RecordKey,
    /// Before the entry; `None` when the entry created it.
    pub before: Option<Record>,
    /// After the entry.
    pub after: Record,
}

/// The totals of a namespace that changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamespaceChange {
    /// Which namespace.
    pub namespace: u32,
    /// Before the entry; `None` when it was empty.
    pub before: Option<NamespaceTotals>,
    /// After the entry.
    pub after: NamespaceTotals,
}

/// A setting that was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettingChange {
    /// Which setting.
    pub setting: u32,
    /// Before the entry; `None` when it had its default.
    pub before: Option<u64>,
    /// After the entry.
    pub after: u64,
}

/// Everything an entry changed. Each list has every key at most once, except `transfers` and `events`, which are
/// ordered by sequence and together hold each sequence number of the entry exactly once.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Changes {
    /// The clock after the entry.
    pub clock_after: Clock,
    /// Accounts, in the order the entry first touched them; new ones thereby in the order of their timestamps.
    pub accounts: Vec<AccountChange>,
    /// Transfers, by sequence.
    pub transfers: Vec<TransferRow>,
    /// Ids that can never be used again, in the order of their refusal.
    pub refused: Vec<TransferId>,
    /// Pending transfers, in the order the entry first touched them; new ones thereby in the order of their timestamps.
    pub pendings: Vec<PendingChange>,
    /// Ledgers, by number.
    pub ledgers: Vec<LedgerChange>,
    /// Records, by key.
    pub records: Vec<RecordChange>,
    /// Namespace totals, by namespace.
    pub namespaces: Vec<NamespaceChange>,
    /// Settings, by number.
    pub settings: Vec<SettingChange>,
    /// Everything in the dense sequence that is not a transfer, by sequence.
    pub events: Vec<Event>,
}
