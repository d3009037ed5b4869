//! What reads saw, packed: numbers of variable length, one row after the other.

use farthing_client::{Account, AccountFlags, AccountId, PendingStatus};

use super::trace::row_hash;
use crate::history::{Consistency, Lookup};

/// What a read looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ReadKind {
    Accounts,
    Transfers,
    Pendings,
}

/// One answered read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub(super) kind: ReadKind,
    /// Log index at which its rows are exact.
    pub(super) applied_index: u64,
    pub(super) consistency: Consistency,
    pub(super) invoke_ns: u64,
    pub(super) complete_ns: u64,
    pub(super) invoke_event: u32,
    pub(super) complete_event: u32,
    /// Final reads are stale reads of one node.
    pub(super) is_final: bool,
    at: usize,
    rows: u32,
}

/// One row of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Row {
    Account(u128, Option<Account>),
    /// By the slot of its id: absent, refused, or the hash of the row.
    Transfer(u32, Seen),
    Pending(u32, Option<PendingStatus>),
}

/// What a lookup of a transfer saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    Absent,
    Refused,
    /// The hash of the row.
    Found(u64),
}

/// All reads of a history.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) list: Vec<Read>,
    bytes: Vec<u8>,
    pub(super) row_count: u64,
}

impl Reads {
    pub(super) fn begin(
        &mut self,
        kind: ReadKind,
        applied_index: u64,
        consistency: Consistency,
        (invoke_event, complete_event): (u32, u32),
        (invoke_ns, complete_ns): (u64, u64),
    ) {
        self.list.push(Read {
            kind,
            applied_index,
            consistency,
            invoke_ns,
            complete_ns,
            invoke_event,
            complete_event,
            is_final: false,
            at: self.bytes.len(),
            rows: 0,
        });
    }

    /// A final read of a node.
    pub(super) fn begin_final(&mut self, kind: ReadKind, applied_index: u64, event: u32) {
        self.begin(
            kind,
            applied_index,
            Consistency::Stale,
            (event, event),
            (0, 0),
        );
        if let Some(read) = self.list.last_mut() {
            read.is_final = true;
        }
    }

    fn row(&mut self) {
        if let Some(read) = self.list.last_mut() {
            read.rows += 1;
            self.row_count += u64::from(!read.is_final);
        }
    }

    pub(super) fn account(&mut self, id: u128, row: Option<&Account>) {
        self.row();
        self.put(id);
        self.put(u128::from(row.is_some()));
        if let Some(row) = row {
            for number in [
                row.debits_pending,
                row.debits_posted,
                row.credits_pending,
                row.credits_posted,
                row.user_data_128,
                u128::from(row.user_data_64),
                u128::from(row.user_data_32),
                u128::from(row.ledger),
                u128::from(row.code),
                u128::from(row.flags.0),
                u128::from(row.timestamp),
            ] {
                self.put(number);
            }
        }
    }

    pub(super) fn transfer(&mut self, slot: u32, row: &Lookup) {
        self.row();
        self.put(u128::from(slot));
        match row {
            Lookup::Absent => self.put(0),
            Lookup::Refused => self.put(1),
            Lookup::Found(transfer) => {
                self.put(2);
                self.put(u128::from(row_hash(transfer)));
            }
        }
    }

    pub(super) fn pending(&mut self, slot: u32, row: Option<PendingStatus>) {
        self.row();
        self.put(u128::from(slot));
        self.put(row.map_or(0, |status| status as u128 + 1));
    }

    /// The rows of a read.
    pub(super) fn rows(&self, read: &Read) -> impl Iterator<Item = Row> {
        let mut at = read.at;
        let kind = read.kind;
        (0..read.rows).map(move |_| self.decode(kind, &mut at))
    }

    fn decode(&self, kind: ReadKind, at: &mut usize) -> Row {
        match kind {
            ReadKind::Accounts => {
                let id = self.get(at);
                let found = self.get(at) == 1;
                Row::Account(id, found.then(|| self.decode_account(id, at)))
            }
            ReadKind::Transfers => {
                let slot = self.get(at) as u32;
                Row::Transfer(
                    slot,
                    match self.get(at) {
                        0 => Seen::Absent,
                        1 => Seen::Refused,
                        _ => Seen::Found(self.get(at) as u64),
                    },
                )
            }
            ReadKind::Pendings => {
                let slot = self.get(at) as u32;
                let status = self.get(at).checked_sub(1).map(|code| code as u8);
                Row::Pending(slot, status.and_then(PendingStatus::from_code))
            }
        }
    }

    fn decode_account(&self, id: u128, at: &mut usize) -> Account {
        Account {
            id: AccountId(id),
            debits_pending: self.get(at),
            debits_posted: self.get(at),
            credits_pending: self.get(at),
            credits_posted: self.get(at),
            user_data_128: self.get(at),
            user_data_64: self.get(at) as u64,
            user_data_32: self.get(at) as u32,
            reserved: 0,
            ledger: self.get(at) as u32,
            code: self.get(at) as u16,
            flags: AccountFlags(self.get(at) as u16),
            timestamp: self.get(at) as u64,
        }
    }

    /// Seven bits a byte, low ones first; the highest bit says that more follow.
    fn put(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn get(&self, at: &mut usize) -> u128 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.bytes[*at];
            *at += 1;
            number |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }
}
