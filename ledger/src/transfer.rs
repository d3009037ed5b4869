//! A transfer: an immutable movement of one amount from one debit account to one credit account.

use crate::NS_PER_S;
use crate::bytes::{get_u16, get_u32, get_u64, get_u128, put};
use crate::ids::{AccountId, TransferId};

/// Flags of a transfer; the bits are frozen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct TransferFlags(pub u16);

impl TransferFlags {
    /// Succeeds or fails together with the next item.
    pub const LINKED: Self = Self(1 << 0);
    /// Reserves the amount until it is posted, voided or expires.
    pub const PENDING: Self = Self(1 << 1);
    /// Posts the pending transfer named by `pending_id`.
    pub const POST_PENDING_TRANSFER: Self = Self(1 << 2);
    /// Voids the pending transfer named by `pending_id`.
    pub const VOID_PENDING_TRANSFER: Self = Self(1 << 3);
    /// Moves at most what the debit account's credits allow.
    pub const BALANCING_DEBIT: Self = Self(1 << 4);
    /// Moves at most what the credit account's debits allow.
    pub const BALANCING_CREDIT: Self = Self(1 << 5);
    /// Closes the debit account.
    pub const CLOSING_DEBIT: Self = Self(1 << 6);
    /// Closes the credit account.
    pub const CLOSING_CREDIT: Self = Self(1 << 7);
    /// Carries its own past timestamp.
    pub const IMPORTED: Self = Self(1 << 8);

    const KNOWN: u16 = (1 << 9) - 1;

    /// True when every bit of `other` is set.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when any bit of `other` is set.
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// With the bits of `other` added.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when a bit without a meaning is set.
    #[inline]
    pub const fn has_reserved(self) -> bool {
        self.0 & !Self::KNOWN != 0
    }

    /// True for the second phase: a post or a void (or, wrongly, both).
    #[inline]
    pub const fn resolves_pending(self) -> bool {
        self.intersects(Self(
            Self::POST_PENDING_TRANSFER.0 | Self::VOID_PENDING_TRANSFER.0,
        ))
    }
}

/// One transfer, as in a request (timestamp zero unless imported) and as stored (real amount, never changed).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Transfer {
    /// Identity and idempotency key.
    pub id: TransferId,
    /// The account debited.
    pub debit_account_id: AccountId,
    /// The account credited.
    pub credit_account_id: AccountId,
    /// In the ledger's smallest unit. Zero is valid.
    pub amount: u128,
    /// The pending transfer that a post or a void resolves; zero otherwise.
    pub pending_id: TransferId,
    /// Opaque link to outside; zero is "none".
    pub user_data_128: u128,
    /// Opaque link to outside; zero is "none".
    pub user_data_64: u64,
    /// Opaque link to outside; zero is "none".
    pub user_data_32: u32,
    /// Seconds after its timestamp at which a pending transfer expires; zero is never.
    pub timeout: u32,
    /// Must equal the ledger of both accounts.
    pub ledger: u32,
    /// Why the money moves, chosen by the user. Not zero.
    pub code: u16,
    /// See [`TransferFlags`].
    pub flags: TransferFlags,
    /// ns, given by the cluster; zero in a request unless imported.
    pub timestamp: u64,
}

impl Transfer {
    /// Encoded length.
    pub const BYTES: usize = 128;

    /// The 128 bytes of the format.
    #[inline]
    pub fn to_bytes(&self) -> [u8; 128] {
        let mut bytes = [0; 128];
        put(&mut bytes, 0, &self.id.0.to_le_bytes());
        put(&mut bytes, 16, &self.debit_account_id.0.to_le_bytes());
        put(&mut bytes, 32, &self.credit_account_id.0.to_le_bytes());
        put(&mut bytes, 48, &self.amount.to_le_bytes());
        put(&mut bytes, 64, &self.pending_id.0.to_le_bytes());
        put(&mut bytes, 80, &self.user_data_128.to_le_bytes());
        put(&mut bytes, 96, &self.user_data_64.to_le_bytes());
        put(&mut bytes, 104, &self.user_data_32.to_le_bytes());
        put(&mut bytes, 108, &self.timeout.to_le_bytes());
        put(&mut bytes, 112, &self.ledger.to_le_bytes());
        put(&mut bytes, 116, &self.code.to_le_bytes());
        put(&mut bytes, 118, &self.flags.0.to_le_bytes());
        put(&mut bytes, 120, &self.timestamp.to_le_bytes());
        bytes
    }

    /// Reads [`Transfer::to_bytes`]; every bit pattern is a value, judged by statuses and not here.
    #[inline]
    pub fn from_bytes(bytes: &[u8; 128]) -> Self {
        Self {
            id: TransferId(get_u128(bytes, 0)),
            debit_account_id: AccountId(get_u128(bytes, 16)),
            credit_account_id: AccountId(get_u128(bytes, 32)),
            amount: get_u128(bytes, 48),
            pending_id: TransferId(get_u128(bytes, 64)),
            user_data_128: get_u128(bytes, 80),
            user_data_64: get_u64(bytes, 96),
            user_data_32: get_u32(bytes, 104),
            timeout: get_u32(bytes, 108),
            ledger: get_u32(bytes, 112),
            code: get_u16(bytes, 116),
            flags: TransferFlags(get_u16(bytes, 118)),
            timestamp: get_u64(bytes, 120),
        }
    }

    /// Appends [`Transfer::to_bytes`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// The timestamp at which it expires if it is still pending then; `None` without a timeout. Saturates: the
    /// state refuses a timeout that would pass [`crate::TIMESTAMP_MAX`].
    pub fn expires_at(&self) -> Option<u64> {
        (self.timeout != 0).then(|| {
            self.timestamp
                .saturating_add(u64::from(self.timeout) * NS_PER_S)
        })
    }
}
