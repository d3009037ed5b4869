//! An account: cumulative debits and credits, posted and pending. Never deleted.

use crate::bytes::{get_u16, get_u32, get_u64, get_u128, put};
use crate::flags::flags;
use crate::ids::AccountId;

flags! {
    /// Flags of an account; the bits are frozen.
    AccountFlags {
        /// Succeeds or fails together with the next item.
        LINKED = 0;
        /// Debits (pending and posted) may not exceed posted credits.
        DEBITS_MUST_NOT_EXCEED_CREDITS = 1;
        /// Credits (pending and posted) may not exceed posted debits.
        CREDITS_MUST_NOT_EXCEED_DEBITS = 2;
        /// Keep the balances after each transfer for queries.
        HISTORY = 3;
        /// Carries its own past timestamp.
        IMPORTED = 4;
        /// Takes no transfers but the voiding of pending ones.
        CLOSED = 5;
    }
}

/// The four totals of an account, in the ledger's smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Balances {
    /// Reserved debits.
    pub debits_pending: u128,
    /// Settled debits.
    pub debits_posted: u128,
    /// Reserved credits.
    pub credits_pending: u128,
    /// Settled credits.
    pub credits_posted: u128,
}

impl Balances {
    /// Encoded length.
    pub const BYTES: usize = 64;

    /// The 64 bytes of transfer rows and events.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        put(&mut bytes, 0, &self.debits_pending.to_le_bytes());
        put(&mut bytes, 16, &self.debits_posted.to_le_bytes());
        put(&mut bytes, 32, &self.credits_pending.to_le_bytes());
        put(&mut bytes, 48, &self.credits_posted.to_le_bytes());
        bytes
    }

    /// Reads [`Balances::to_bytes`]; every bit pattern is a value.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        Self {
            debits_pending: get_u128(bytes, 0),
            debits_posted: get_u128(bytes, 16),
            credits_pending: get_u128(bytes, 32),
            credits_posted: get_u128(bytes, 48),
        }
    }
}

/// One account, as in a request (balances and timestamp zero) and as stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Account {
    /// Identity.
    pub id: AccountId,
    /// Reserved debits, in the ledger's smallest unit.
    pub debits_pending: u128,
    /// Settled debits.
    pub debits_posted: u128,
    /// Reserved credits.
    pub credits_pending: u128,
    /// Settled credits.
    pub credits_posted: u128,
    /// Opaque link to outside; zero is "none".
    pub user_data_128: u128,
    /// Opaque link to outside; zero is "none".
    pub user_data_64: u64,
    /// Opaque link to outside; zero is "none".
    pub user_data_32: u32,
    /// Must be zero.
    pub reserved: u32,
    /// The partition of accounts that may transact together: one asset and scale. Not zero.
    pub ledger: u32,
    /// What kind of account this is, chosen by the user. Not zero.
    pub code: u16,
    /// See [`AccountFlags`].
    pub flags: AccountFlags,
    /// ns, given by the cluster; zero in a request unless imported.
    pub timestamp: u64,
}

impl Account {
    /// Encoded length.
    pub const BYTES: usize = 128;

    /// The 128 bytes of the format.
    #[inline]
    pub fn to_bytes(&self) -> [u8; 128] {
        let mut bytes = [0; 128];
        put(&mut bytes, 0, &self.id.0.to_le_bytes());
        put(&mut bytes, 16, &self.debits_pending.to_le_bytes());
        put(&mut bytes, 32, &self.debits_posted.to_le_bytes());
        put(&mut bytes, 48, &self.credits_pending.to_le_bytes());
        put(&mut bytes, 64, &self.credits_posted.to_le_bytes());
        put(&mut bytes, 80, &self.user_data_128.to_le_bytes());
        put(&mut bytes, 96, &self.user_data_64.to_le_bytes());
        put(&mut bytes, 104, &self.user_data_32.to_le_bytes());
        put(&mut bytes, 108, &self.reserved.to_le_bytes());
        put(&mut bytes, 112, &self.ledger.to_le_bytes());
        put(&mut bytes, 116, &self.code.to_le_bytes());
        put(&mut bytes, 118, &self.flags.0.to_le_bytes());
        put(&mut bytes, 120, &self.timestamp.to_le_bytes());
        bytes
    }

    /// Reads [`Account::to_bytes`]; every bit pattern is a value, judged by statuses and not here.
    #[inline]
    pub fn from_bytes(bytes: &[u8; 128]) -> Self {
        Self {
            id: AccountId(get_u128(bytes, 0)),
            debits_pending: get_u128(bytes, 16),
            debits_posted: get_u128(bytes, 32),
            credits_pending: get_u128(bytes, 48),
            credits_posted: get_u128(bytes, 64),
            user_data_128: get_u128(bytes, 80),
            user_data_64: get_u64(bytes, 96),
            user_data_32: get_u32(bytes, 104),
            reserved: get_u32(bytes, 108),
            ledger: get_u32(bytes, 112),
            code: get_u16(bytes, 116),
            flags: AccountFlags(get_u16(bytes, 118)),
            timestamp: get_u64(bytes, 120),
        }
    }

    /// Appends [`Account::to_bytes`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// The four totals.
    #[inline]
    pub fn balances(&self) -> Balances {
        Balances {
            debits_pending: self.debits_pending,
            debits_posted: self.debits_posted,
            credits_pending: self.credits_pending,
            credits_posted: self.credits_posted,
        }
    }

    /// True when the account's own limit flags hold; a sum past 2^128 holds nothing.
    #[inline]
    pub fn limits_hold(&self) -> bool {
        let debits = self.debits_pending.checked_add(self.debits_posted);
        let credits = self.credits_pending.checked_add(self.credits_posted);
        let (Some(debits), Some(credits)) = (debits, credits) else {
            return false;
        };
        let debits_hold = !self
            .flags
            .contains(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS)
            || debits <= self.credits_posted;
        let credits_hold = !self
            .flags
            .contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
            || credits <= self.debits_posted;
        debits_hold && credits_hold || crate::planted("limit-unchecked")
    }
}
