//! Events as the SDK's types.

use bytes::Bytes;
use farthing_ledger::{Account, Balances, Ledger, Transfer};
use rust_decimal::Decimal;

use crate::amount::{AmountError, to_decimal};
use crate::records::StoredRecord;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal;)+) => {
        /// What happened. Numbers and names are frozen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum EventKind {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name,)+];

            /// The name, such as `transfer_created`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(EventKind::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// A transfer took place: a plain one, or one that reserves, posts or voids.
    TransferCreated = 0, "transfer_created";
    /// An account was created.
    AccountCreated = 1, "account_created";
    /// A ledger was registered.
    LedgerRegistered = 2, "ledger_registered";
    /// A record was written or deleted.
    RecordWritten = 3, "record_written";
    /// A pending transfer reached its timeout.
    TransferExpired = 4, "transfer_expired";
    /// A setting of the cluster was changed.
    SettingChanged = 5, "setting_changed";
}

impl EventKind {
    /// The kind of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<EventKind> {
        EventKind::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One change of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the dense sequence, from 1.
    pub sequence: u64,
    /// When it happened: ns since 1970, by the cluster's clock.
    pub timestamp: u64,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// What kind of change it is.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self.body {
            EventBody::TransferCreated(_) => EventKind::TransferCreated,
            EventBody::AccountCreated(_) => EventKind::AccountCreated,
            EventBody::LedgerRegistered(_) => EventKind::LedgerRegistered,
            EventBody::RecordWritten(_) => EventKind::RecordWritten,
            EventBody::TransferExpired(_) => EventKind::TransferExpired,
            EventBody::SettingChanged { .. } => EventKind::SettingChanged,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // most are transfers
pub enum EventBody {
    /// A transfer took place: a plain one, or one that reserves, posts or voids.
    TransferCreated(TransferEvent),
    /// An account, as it was created: without balances.
    AccountCreated(Account),
    /// A ledger was registered.
    LedgerRegistered(Ledger),
    /// A record was written or deleted.
    RecordWritten(RecordEvent),
    /// A pending transfer reached its timeout.
    TransferExpired(TransferEvent),
    /// A setting of the cluster was changed.
    SettingChanged {
        /// Number of the setting.
        setting: u32,
        /// Its value from here on.
        value: u64,
    },
}

/// A transfer that took place or expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferEvent {
    /// The transfer as stored; its amount counts the ledger's smallest unit.
    pub transfer: Transfer,
    /// Decimals of its ledger.
    pub scale: u8,
    /// Balances of the debit and of the credit account after the event, when they were asked for.
    pub balances: Option<(Balances, Balances)>,
}

impl TransferEvent {
    /// The amount in the ledger's unit.
    ///
    /// # Errors
    /// [`AmountError::DoesNotFit`] when a `Decimal` cannot hold it exactly.
    pub fn amount(&self) -> Result<Decimal, AmountError> {
        to_decimal(self.transfer.amount, self.scale)
    }
}

/// A record that was written or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEvent {
    /// The partition of its key.
    pub namespace: u32,
    /// Its key.
    pub key: Bytes,
    /// As it is from here on; without a value when it was deleted.
    pub record: StoredRecord,
    /// It was deleted.
    pub deleted: bool,
}
