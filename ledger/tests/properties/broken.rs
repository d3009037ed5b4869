//! A state that contradicts itself stops `apply`: every lie of a view is found out and named.

use farthing_ledger::{
    Account, AccountFlags, AccountId, Broken, Clock, EntryReader, Ledger, MemoryState,
    NamespaceTotals, Pending, PendingStatus, Record, RecordKey, RequestBuilder, Seen, TransferId,
    View, apply,
};

use crate::{SECOND, pulse, reserved, single, void};

/// A view that lies about one thing.
struct Lying<'a>(
    &'a MemoryState,
    fn(&MemoryState, AccountId) -> Option<Account>,
    fn(Vec<Pending>) -> Vec<Pending>,
);

impl View for Lying<'_> {
    fn clock(&self) -> Clock {
        self.0.clock()
    }
    fn account(&self, id: AccountId) -> Option<Account> {
        (self.1)(self.0, id)
    }
    fn transfer(&self, id: TransferId) -> Option<Seen> {
        self.0.transfer(id)
    }
    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.0.pending(id)
    }
    fn ledger(&self, ledger: u32) -> Option<Ledger> {
        self.0.ledger(ledger)
    }
    fn record(&self, key: &RecordKey) -> Option<Record> {
        self.0.record(key)
    }
    fn namespace(&self, namespace: u32) -> Option<NamespaceTotals> {
        self.0.namespace(namespace)
    }
    fn setting(&self, setting: u32) -> Option<u64> {
        self.0.setting(setting)
    }
    fn due(&self, now: u64, limit: usize) -> Vec<Pending> {
        (self.2)(self.0.due(now, limit))
    }
    fn account_at(&self, timestamp: u64) -> bool {
        self.0.account_at(timestamp)
    }
    fn transfer_at(&self, timestamp: u64) -> bool {
        self.0.transfer_at(timestamp)
    }
}

#[test]
fn a_broken_state_stops_instead_of_going_on() {
    let (state, _) = reserved(1);
    let voids = |count| RequestBuilder::new(b"").transfers(&vec![void(2, 1); count]);
    let bytes = single(2, voids(1));
    let reader = EntryReader::new(&bytes).unwrap();
    let broken = |lie| apply(&Lying(&state, lie, |due| due), &reader).unwrap_err();
    assert_eq!(broken(|_, _| None), Broken::AccountMissing { account: 1 });
    let empty = |state: &MemoryState, id| {
        Some(Account {
            debits_pending: 0,
            ..state.account(id)?
        })
    };
    assert_eq!(broken(empty), Broken::BalanceWraps { account: 1 });
    let beyond = |state: &MemoryState, id| {
        let flags = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
        Some(Account {
            debits_posted: 5,
            flags,
            ..state.account(id)?
        })
    };
    assert_eq!(broken(beyond), Broken::LimitExceeded { account: 1 });

    let elsewhere = |state: &MemoryState, id| {
        let account = state.account(id)?;
        Some(Account {
            ledger: if id == AccountId(2) {
                9
            } else {
                account.ledger
            },
            ..account
        })
    };
    assert_eq!(broken(elsewhere), Broken::Unbalanced { ledger: 1 });

    let at_the_end = single((1 << 63) - 1, voids(2));
    assert_eq!(
        apply(&state, &EntryReader::new(&at_the_end).unwrap()),
        Err(Broken::CounterExhausted)
    );
}

#[test]
fn a_broken_expiry_queue_stops_instead_of_going_on() {
    let (state, _) = reserved(3);
    let expire = |time, lie| {
        let bytes = pulse(time);
        apply(
            &Lying(&state, MemoryState::account, lie),
            &EntryReader::new(&bytes).unwrap(),
        )
    };
    let inconsistent = |transfer| Err(Broken::PendingInconsistent { transfer });
    assert!(expire(5 * SECOND, |due| due).is_ok());
    let reversed = |mut due: Vec<Pending>| {
        due.reverse();
        due
    };
    assert_eq!(expire(5 * SECOND, reversed), inconsistent(2));
    assert_eq!(
        expire(5 * SECOND, |due| [due[0], due[0]].to_vec()),
        inconsistent(1)
    );
    let ended = |mut due: Vec<Pending>| {
        due[0].status = PendingStatus::Posted;
        due
    };
    assert_eq!(expire(5 * SECOND, ended), inconsistent(1));
    let longer = |mut due: Vec<Pending>| {
        due[0].transfer.timeout = 60;
        due
    };
    assert_eq!(expire(5 * SECOND, longer), inconsistent(1), "not due yet");
}
