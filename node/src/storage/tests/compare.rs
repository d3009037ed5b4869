//! A cut of storage equals the reference: every row, found by every way there is.

use farthing_ledger::{AccountId, MemoryState, TransferId, View};

use super::super::digest;
use super::super::{Digest, Lead, Reader};
use crate::storage::reader::Change;

/// The digest of a reference, from its rows.
pub(crate) fn reference_digest(state: &MemoryState) -> Digest {
    let mut sum = Digest::default();
    state
        .accounts()
        .iter()
        .for_each(|account| sum.add(digest::account(account)));
    state
        .pendings()
        .iter()
        .for_each(|pending| sum.add(digest::pending(pending)));
    state
        .transfers()
        .iter()
        .for_each(|row| sum.add(digest::transfer(row.sequence, &row.to_bytes())));
    state
        .refused()
        .iter()
        .for_each(|id| sum.add(digest::refused(id.0)));
    state
        .ledgers()
        .for_each(|ledger| sum.add(digest::ledger(ledger)));
    state
        .records()
        .for_each(|(key, record)| sum.add(digest::record(key, record)));
    for namespace in 0..10 {
        if let Some(totals) = state.namespace(namespace) {
            sum.add(digest::namespace(namespace, &totals));
        }
        if let Some(value) = state.setting(namespace) {
            sum.add(digest::setting(namespace, value));
        }
    }
    sum
}

/// Asserts that a reader shows exactly the reference's state.
pub(crate) fn assert_equal(reader: &Reader, state: &MemoryState) {
    assert_eq!(reader.applied().clock, state.clock());
    assert_eq!(reader.applied().digest, reference_digest(state), "digest");

    let mut accounts = state.accounts().to_vec();
    accounts.sort_unstable_by_key(|account| account.id);
    let found: Vec<_> = reader.all_accounts().unwrap().map(Result::unwrap).collect();
    assert_eq!(found, accounts);
    let mut pendings = state.pendings().to_vec();
    pendings.sort_unstable_by_key(|pending| pending.transfer.id);
    let found: Vec<_> = reader.all_pendings().unwrap().map(Result::unwrap).collect();
    assert_eq!(found, pendings);
    let found: Vec<_> = reader.all_records().unwrap().map(Result::unwrap).collect();
    let records: Vec<_> = state
        .records()
        .map(|(key, record)| (*key, record.clone()))
        .collect();
    assert_eq!(found, records);
    assert_eq!(
        reader.ledgers().unwrap(),
        state.ledgers().copied().collect::<Vec<_>>()
    );
    let mut refused = vec![];
    reader
        .each_refused(|id| refused.push(TransferId(id)))
        .unwrap();
    refused.sort_unstable();
    let mut expected = state.refused().to_vec();
    expected.sort_unstable();
    assert_eq!(refused, expected);

    let mut changes: Vec<Change> = state
        .transfers()
        .iter()
        .copied()
        .map(Change::Transfer)
        .collect();
    changes.extend(state.events().iter().cloned().map(Change::Event));
    changes.sort_by_key(Change::sequence);
    let found: Vec<_> = reader.changes(1).unwrap().map(Result::unwrap).collect();
    assert_eq!(found, changes);
    for from in [changes.len() / 3, changes.len() / 2, changes.len()] {
        let found: Vec<_> = reader
            .changes(from as u64 + 1)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(found, changes[from..]);
    }

    // By id, in an order that is not theirs, with some that do not exist.
    let ids: Vec<_> = state
        .accounts()
        .iter()
        .rev()
        .map(|account| account.id)
        .chain([AccountId(999_999)])
        .collect();
    let found = reader.accounts(&ids).unwrap();
    ids.iter()
        .zip(found)
        .for_each(|(id, found)| assert_eq!(found, state.account(*id)));
    let mut ids: Vec<_> = state
        .transfers()
        .iter()
        .rev()
        .map(|row| row.transfer.id)
        .collect();
    ids.extend(state.refused());
    ids.extend([TransferId(3), TransferId(u128::MAX - 1)]);
    let leads = reader.transfers(&ids).unwrap();
    for (position, lead) in leads.iter().enumerate() {
        let transfers = state.transfers();
        let expected = match position.checked_sub(transfers.len()) {
            None => Some(Lead::Transfer(transfers[transfers.len() - 1 - position])),
            Some(refused) if refused < state.refused().len() => Some(Lead::Refused),
            Some(_) => None,
        };
        assert_eq!(*lead, expected, "{:?}", ids[position]);
    }
}
