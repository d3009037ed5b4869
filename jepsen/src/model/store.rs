//! Transfers of the model, in little memory: a run of ten million must fit beside its history.

use farthing_client::{AccountId, Transfer, TransferFlags, TransferId};
use hashbrown::HashTable;

use crate::hash::{FastMap, hash_id};

/// A stored transfer; both halves of its numbers side by side, so that no padding is needed.
#[derive(Clone, Copy, Debug)]
struct Row {
    id: [u64; 2],
    amount: [u64; 2],
    timestamp: u64,
    debit: u32,
    credit: u32,
    detail: u32,
}

/// What many transfers have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Detail {
    pending_id: u128,
    user_data_128: u128,
    user_data_64: u64,
    user_data_32: u32,
    timeout: u32,
    ledger: u32,
    code: u16,
    flags: u16,
}

/// All transfers, found by id or by the order of their creation.
#[derive(Debug, Default)]
pub(super) struct Store {
    rows: Vec<Row>,
    by_id: HashTable<u32>,
    details: Vec<Detail>,
    /// Details without links, which repeat.
    common: FastMap<Detail, u32>,
    /// Ids of accounts, by the numbers that rows use.
    accounts: Vec<u128>,
    account_numbers: FastMap<u128, u32>,
    /// Rows of each account by its number, in order; only when somebody asks for them.
    of_account: Option<Vec<Vec<u32>>>,
}

fn split(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

fn join([low, high]: [u64; 2]) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn find(&self, id: u128) -> Option<u32> {
        let key = split(id);
        self.by_id
            .find(hash_id(id), |row| self.rows[*row as usize].id == key)
            .copied()
    }

    /// Adds a transfer whose id is new; returns its row.
    pub(super) fn push(&mut self, transfer: &Transfer) -> u32 {
        let row = self.rows.len() as u32;
        let stored = Row {
            id: split(transfer.id.0),
            amount: split(transfer.amount),
            timestamp: transfer.timestamp,
            debit: self.account_number(transfer.debit_account_id.0),
            credit: self.account_number(transfer.credit_account_id.0),
            detail: self.detail(transfer),
        };
        self.rows.push(stored);
        if let Some(lists) = &mut self.of_account {
            for account in [stored.debit, stored.credit] {
                if lists.len() <= account as usize {
                    lists.resize(account as usize + 1, Vec::new());
                }
                lists[account as usize].push(row);
            }
        }
        let rows = &self.rows;
        self.by_id
            .insert_unique(hash_id(transfer.id.0), row, |row| {
                hash_id(join(rows[*row as usize].id))
            });
        row
    }

    /// Removes the transfer added last.
    pub(super) fn pop(&mut self) {
        let Some(last) = self.rows.len().checked_sub(1) else {
            return;
        };
        let hash = hash_id(join(self.rows[last].id));
        if let Ok(entry) = self.by_id.find_entry(hash, |row| *row as usize == last) {
            entry.remove();
        }
        for account in [self.rows[last].debit, self.rows[last].credit] {
            if let Some(lists) = &mut self.of_account {
                lists[account as usize].pop();
            }
        }
        self.rows.pop();
    }

    /// Keeps lists of accounts from now on; the store is empty.
    pub(super) fn keep_lists(&mut self) {
        self.of_account = Some(Vec::new());
    }

    /// The rows of an account, in order; nothing when lists are not kept.
    pub(super) fn of_account(&self, id: u128) -> &[u32] {
        let number = self.account_numbers.get(&id);
        let lists = self.of_account.as_ref();
        let list = number
            .zip(lists)
            .and_then(|(it, lists)| lists.get(*it as usize));
        list.map_or(&[], Vec::as_slice)
    }

    /// When a row was made, ns.
    pub(super) fn timestamp(&self, row: u32) -> u64 {
        self.rows[row as usize].timestamp
    }

    pub(super) fn get(&self, row: u32) -> Transfer {
        let row = &self.rows[row as usize];
        let detail = &self.details[row.detail as usize];
        Transfer {
            id: TransferId(join(row.id)),
            debit_account_id: AccountId(self.accounts[row.debit as usize]),
            credit_account_id: AccountId(self.accounts[row.credit as usize]),
            amount: join(row.amount),
            pending_id: TransferId(detail.pending_id),
            user_data_128: detail.user_data_128,
            user_data_64: detail.user_data_64,
            user_data_32: detail.user_data_32,
            timeout: detail.timeout,
            ledger: detail.ledger,
            code: detail.code,
            flags: TransferFlags(detail.flags),
            timestamp: row.timestamp,
        }
    }

    fn account_number(&mut self, id: u128) -> u32 {
        let accounts = &mut self.accounts;
        *self.account_numbers.entry(id).or_insert_with(|| {
            accounts.push(id);
            (accounts.len() - 1) as u32
        })
    }

    fn detail(&mut self, transfer: &Transfer) -> u32 {
        let detail = Detail {
            pending_id: transfer.pending_id.0,
            user_data_128: transfer.user_data_128,
            user_data_64: transfer.user_data_64,
            user_data_32: transfer.user_data_32,
            timeout: transfer.timeout,
            ledger: transfer.ledger,
            code: transfer.code,
            flags: transfer.flags.0,
        };
        let next = self.details.len() as u32;
        let linked =
            detail.pending_id != 0 || detail.user_data_128 != 0 || detail.user_data_64 != 0;
        let number = if linked {
            next
        } else {
            *self.common.entry(detail).or_insert(next)
        };
        if number == next {
            self.details.push(detail);
        }
        number
    }
}
