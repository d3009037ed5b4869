//! A transfer: an immutable movement of one amount from one debit account to one credit account.

use crate::NS_PER_S;
use crate::bytes::{get_u16, get_u32, get_u64, get_u128, put};
use crate::flags::flags;
use crate::ids::{AccountId, TransferId};

flags! {
    /// Flags of a transfer; the bits are frozen.
    TransferFlags {
        /// Succeeds or fails together with the next item.
        LINKED = 0;
        /// Reserves the amount until it is posted, voided or expires.
        PENDING = 1;
        /// Posts the pending transfer named by `pending_id`.
        POST_PENDING_TRANSFER = 2;
        /// Voids the pending transfer named by `pending_id`.
        VOID_PENDING_TRANSFER = 3;
        /// Moves at most what the debit account's credits allow.
        BALANCING_DEBIT = 4;
        /// Moves at most what the credit account's debits allow.
        BALANCING_CREDIT = 5;
        /// Closes the debit account.
        CLOSING_DEBIT = 6;
        /// Closes the credit account.
        CLOSING_CREDIT = 7;
        /// Carries its own past timestamp.
        IMPORTED = 8;
    }
}

impl TransferFlags {
    /// True for the second phase: a post or a void (or, wrongly, both).
    #[inline]
    pub const fn resolves_pending(self) -> bool {
        self.intersects(Self::POST_PENDING_TRANSFER.with(Self::VOID_PENDING_TRANSFER))
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
