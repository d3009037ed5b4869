//! The two rounds of reads before an entry is applied: everything [`super::apply`] will ask the view for.

use crate::account::AccountFlags;
use crate::entry::{EntryReader, PULSE_EXPIRIES_MAX, SectionKind};
use crate::ids::{AccountId, TransferId};
use crate::record::RecordKey;
use crate::transfer::TransferFlags;

use super::{Clock, View};

/// Arguments of [`View::due`] for the pulse of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// ns, the timestamp of the pulse.
    pub now: u64,
    /// What one pulse expires, and as many as the entry may resolve itself before the pulse.
    pub limit: usize,
}

impl Due {
    /// For the pulse of `entry`, if it has one. Every item before it takes one nanosecond, so its timestamp is known
    /// before anything is applied.
    pub fn of(entry: &EntryReader<'_>, clock: &Clock) -> Option<Self> {
        let mut now = first_timestamp(entry, clock);
        let mut limit = PULSE_EXPIRIES_MAX;
        for section in entry.requests().flat_map(|request| request.sections()) {
            if section.kind() == SectionKind::Pulse {
                return Some(Self { now, limit });
            }
            limit += section
                .transfers()
                .filter(|transfer| transfer.flags.resolves_pending())
                .count();
            now = now.saturating_add(section.count() as u64);
        }
        None
    }
}

/// The timestamp of an entry's first item: as proposed, but never behind the clock.
pub(super) fn first_timestamp(entry: &EntryReader<'_>, clock: &Clock) -> u64 {
    if crate::planted("clock-goes-back") && entry.proposed_time().is_multiple_of(16) {
        return clock.timestamp.saturating_sub(1_000_000);
    }
    entry.proposed_time().max(clock.timestamp.saturating_add(1))
}

/// Keys to read. Lists may hold a key more than once until [`Keys::sort_dedup`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Keys {
    /// For [`View::account`].
    pub accounts: Vec<AccountId>,
    /// For [`View::transfer`].
    pub transfers: Vec<TransferId>,
    /// For [`View::pending`].
    pub pendings: Vec<TransferId>,
    /// For [`View::ledger`].
    pub ledgers: Vec<u32>,
    /// For [`View::record`].
    pub records: Vec<RecordKey>,
    /// For [`View::namespace`].
    pub namespaces: Vec<u32>,
    /// For [`View::setting`].
    pub settings: Vec<u32>,
    /// For [`View::account_at`], ns.
    pub account_times: Vec<u64>,
    /// For [`View::transfer_at`], ns.
    pub transfer_times: Vec<u64>,
    /// For [`View::due`].
    pub due: Option<Due>,
}

impl Keys {
    /// True when there is nothing to read.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Orders every list and drops repetitions: what a batched lookup wants.
    pub fn sort_dedup(&mut self) {
        fn tidy<T: Ord>(list: &mut Vec<T>) {
            list.sort_unstable();
            list.dedup();
        }
        tidy(&mut self.accounts);
        tidy(&mut self.transfers);
        tidy(&mut self.pendings);
        tidy(&mut self.ledgers);
        tidy(&mut self.records);
        tidy(&mut self.namespaces);
        tidy(&mut self.settings);
        tidy(&mut self.account_times);
        tidy(&mut self.transfer_times);
    }
}

/// The keys that stand in the entry itself. `clock` is that of the state before the entry.
pub fn round_one(entry: &EntryReader<'_>, clock: &Clock) -> Keys {
    let mut keys = Keys::default();
    let mut has_pulse = false;
    for request in entry.requests() {
        has_pulse |= request.pulse_count() != 0;
        for section in request.sections() {
            for account in section.accounts() {
                keys.accounts.push(account.id);
                if keys.ledgers.last() != Some(&account.ledger) {
                    keys.ledgers.push(account.ledger);
                }
                if account.flags.contains(AccountFlags::IMPORTED) {
                    keys.transfer_times.push(account.timestamp);
                }
            }
            keys.transfers.reserve(section.transfers().len());
            for transfer in section.transfers() {
                keys.transfers.push(transfer.id);
                if transfer.flags.contains(TransferFlags::IMPORTED) {
                    keys.account_times.push(transfer.timestamp);
                }
                if transfer.flags.resolves_pending() {
                    keys.transfers.push(transfer.pending_id);
                    keys.pendings.push(transfer.pending_id);
                } else {
                    keys.accounts.push(transfer.debit_account_id);
                    keys.accounts.push(transfer.credit_account_id);
                }
            }
            keys.ledgers
                .extend(section.ledgers().map(|ledger| ledger.ledger));
            for item in section.records() {
                keys.records.extend(item.record_key());
                if keys.namespaces.last() != Some(&item.namespace) {
                    keys.namespaces.push(item.namespace);
                }
            }
            keys.settings
                .extend(section.settings().map(|item| item.setting));
        }
    }
    if has_pulse {
        keys.due = Due::of(entry, clock);
    }
    keys
}

/// The keys that follow from the answers to round one: the accounts of the pending transfers that are posted, voided
/// or due. Asks `view` only for pendings and what is due.
pub fn round_two(entry: &EntryReader<'_>, view: &impl View) -> Keys {
    let mut keys = Keys::default();
    let mut has_pulse = false;
    for request in entry.requests() {
        has_pulse |= request.pulse_count() != 0;
        let transfers = request.sections().flat_map(|section| section.transfers());
        for transfer in transfers.filter(|transfer| transfer.flags.resolves_pending()) {
            if let Some(pending) = view.pending(transfer.pending_id) {
                keys.accounts.push(pending.transfer.debit_account_id);
                keys.accounts.push(pending.transfer.credit_account_id);
            }
        }
    }
    if has_pulse && let Some(due) = Due::of(entry, &view.clock()) {
        for pending in view.due(due.now, due.limit) {
            keys.accounts.push(pending.transfer.debit_account_id);
            keys.accounts.push(pending.transfer.credit_account_id);
        }
    }
    keys
}
