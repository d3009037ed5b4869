//! Items of requests in little memory: 40 bytes for a plain transfer and its answer.

use farthing_client::{AccountId, Transfer, TransferFlags, TransferId};

use super::ids::IdTable;
use crate::hash::FastMap;

/// No answer is known.
pub(super) const NO_STATUS: u16 = u16::MAX;

/// A transfer as invoked, and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Slot of its id.
    pub(super) id: u32,
    debit: u32,
    credit: u32,
    shape: u32,
    amount: u64,
    /// Number of its [`Extra`] plus one; 0 is none.
    extra: u32,
    /// Number of the status, or [`NO_STATUS`].
    pub(super) status: u16,
    /// ns, of the answer.
    pub(super) timestamp: u64,
}

/// What most transfers have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Shape {
    ledger: u32,
    timeout: u32,
    code: u16,
    flags: u16,
}

/// What most transfers do not have.
#[derive(Clone, Copy, Debug)]
struct Extra {
    pending_id: u128,
    user_data_128: u128,
    amount_high: u64,
    user_data_64: u64,
    timestamp: u64,
    user_data_32: u32,
}

/// All items of a history.
#[derive(Debug, Default)]
pub(super) struct Items {
    list: Vec<Item>,
    shapes: Vec<Shape>,
    shape_numbers: FastMap<Shape, u32>,
    extras: Vec<Extra>,
    pub(super) ids: IdTable,
    accounts: IdTable,
}

impl Items {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, item: u32) -> &Item {
        &self.list[item as usize]
    }

    pub(super) fn answer(&mut self, item: u32, status: u16, timestamp: u64) {
        let item = &mut self.list[item as usize];
        item.status = status;
        item.timestamp = timestamp;
    }

    pub(super) fn push(&mut self, transfer: &Transfer) {
        let shape = Shape {
            ledger: transfer.ledger,
            timeout: transfer.timeout,
            code: transfer.code,
            flags: transfer.flags.0,
        };
        let shapes = &mut self.shapes;
        let shape = *self.shape_numbers.entry(shape).or_insert_with(|| {
            shapes.push(shape);
            (shapes.len() - 1) as u32
        });
        let extra = Extra {
            pending_id: transfer.pending_id.0,
            user_data_128: transfer.user_data_128,
            amount_high: (transfer.amount >> 64) as u64,
            user_data_64: transfer.user_data_64,
            timestamp: transfer.timestamp,
            user_data_32: transfer.user_data_32,
        };
        let plain = extra.pending_id == 0
            && extra.user_data_128 == 0
            && extra.amount_high == 0
            && extra.user_data_64 == 0
            && extra.timestamp == 0
            && extra.user_data_32 == 0;
        if !plain {
            self.extras.push(extra);
        }
        self.list.push(Item {
            id: self.ids.slot(transfer.id.0),
            debit: self.accounts.slot(transfer.debit_account_id.0),
            credit: self.accounts.slot(transfer.credit_account_id.0),
            shape,
            amount: transfer.amount as u64,
            extra: if plain { 0 } else { self.extras.len() as u32 },
            status: NO_STATUS,
            timestamp: 0,
        });
    }

    /// The item as it was invoked.
    pub(super) fn transfer(&self, item: u32) -> Transfer {
        let item = self.get(item);
        let shape = &self.shapes[item.shape as usize];
        let mut transfer = Transfer {
            id: TransferId(self.ids.id(item.id)),
            debit_account_id: AccountId(self.accounts.id(item.debit)),
            credit_account_id: AccountId(self.accounts.id(item.credit)),
            amount: u128::from(item.amount),
            timeout: shape.timeout,
            ledger: shape.ledger,
            code: shape.code,
            flags: TransferFlags(shape.flags),
            ..Transfer::default()
        };
        if let Some(extra) = item
            .extra
            .checked_sub(1)
            .map(|extra| &self.extras[extra as usize])
        {
            transfer.amount |= u128::from(extra.amount_high) << 64;
            transfer.pending_id = TransferId(extra.pending_id);
            transfer.user_data_128 = extra.user_data_128;
            transfer.user_data_64 = extra.user_data_64;
            transfer.user_data_32 = extra.user_data_32;
            transfer.timestamp = extra.timestamp;
        }
        transfer
    }
}
