//! Properties that hold for every entry: merging is invisible, nothing is asked unannounced, hostile bytes are errors.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod naive;
mod support;

use farthing_ledger::entry::{
    ENTRY_BYTES_MAX, PULSE_EXPIRIES_MAX, REQUEST_ITEMS_MAX, SECTION_HEADER_BYTES,
};
use farthing_ledger::{
    Account, AccountId, Applied, Applier, Broken, EntryBuilder, EntryError, EntryReader, EventBody,
    MemoryState, Pending, RequestBuilder, SectionKind, Setting, Transfer, TransferFlags,
    TransferId, View, apply, invariants,
};
use naive::Item;
use naive::generator::{Generator, encode};
use support::{Random, step};

fn entry(time: u64, requests: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = EntryBuilder::new(time);
    requests
        .iter()
        .for_each(|request| builder.push(request).unwrap());
    builder.finish()
}

/// Both states hold the same, in the same order.
fn assert_equal(left: &MemoryState, right: &MemoryState, context: &str) {
    assert_eq!(left.clock(), right.clock(), "{context}");
    let first = |same: Option<usize>, what: &str| {
        assert_eq!(same, None, "{context}: the {what} at this place differ")
    };
    first(difference(left.accounts(), right.accounts()), "accounts");
    first(difference(left.transfers(), right.transfers()), "transfers");
    first(difference(left.refused(), right.refused()), "refused ids");
    first(
        difference(left.pendings(), right.pendings()),
        "pending transfers",
    );
    first(difference(left.events(), right.events()), "events");
    assert!(
        left.records().eq(right.records()),
        "{context}: records differ"
    );
    assert!(
        left.ledgers().eq(right.ledgers()),
        "{context}: ledgers differ"
    );
}

/// The first place at which two lists differ.
fn difference<T: PartialEq>(left: &[T], right: &[T]) -> Option<usize> {
    let common = left
        .iter()
        .zip(right)
        .position(|(left, right)| left != right);
    common.or((left.len() != right.len()).then_some(left.len().min(right.len())))
}

#[test]
fn requests_that_share_an_entry_get_the_results_they_would_have_had_alone() {
    for seed in 0..40 {
        let mut generator = Generator::new(seed);
        let (mut merged, mut alone) = (MemoryState::new(), MemoryState::new());
        let (mut one, mut other) = (Applier::new(), Applier::new());
        for round in 0..60 {
            let count = 1 + generator.random.below(6);
            let pulse_at = generator
                .random
                .one_in(4)
                .then(|| generator.random.below(count));
            let mut requests = Vec::new();
            for index in 0..count {
                requests.push(encode(&match (round, index) {
                    (0, 0) => generator.accounts(),
                    _ if pulse_at == Some(index) => generator.pulse(),
                    _ => generator.request(),
                }));
            }
            let together = step(&mut merged, &mut one, &entry(generator.time, &requests));
            assert_eq!(together.results.len(), requests.len());
            for (request, results) in requests.iter().zip(&together.results) {
                let separate = step(
                    &mut alone,
                    &mut other,
                    &entry(generator.time, std::slice::from_ref(request)),
                );
                assert_eq!(&separate.results[0], results, "seed {seed}, round {round}");
            }
            together
                .changes
                .transfers
                .iter()
                .for_each(|row| generator.created(&row.transfer));
        }
        assert_equal(&merged, &alone, &format!("seed {seed}"));
    }
}

#[test]
fn results_do_not_depend_on_the_tables_or_on_what_they_held_before() {
    let mut generator = Generator::new(5);
    let mut state = MemoryState::new();
    let mut used = Applier::new();
    for round in 0..200 {
        let request = if round == 0 {
            generator.accounts()
        } else {
            generator.request()
        };
        let bytes = entry(generator.time, &[encode(&request)]);
        let fresh = apply(&state, &EntryReader::new(&bytes).unwrap()).unwrap();
        assert_eq!(step(&mut state, &mut used, &bytes), fresh);
        fresh
            .changes
            .transfers
            .iter()
            .for_each(|row| generator.created(&row.transfer));
    }
}

#[test]
fn changes_say_what_was_before_and_leave_out_what_stayed() {
    let mut generator = Generator::new(6);
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    for round in 0..300 {
        let request = if round == 0 {
            generator.accounts()
        } else {
            generator.request()
        };
        let before = state.clone();
        let applied = step(
            &mut state,
            &mut applier,
            &entry(generator.time, &[encode(&request)]),
        );
        let changes = applied.changes;
        for change in &changes.accounts {
            assert_eq!(change.before, before.account(change.after.id));
            assert_ne!(change.before, Some(change.after));
        }
        for change in &changes.pendings {
            assert_eq!(change.before, before.pending(change.after.transfer.id));
            assert_ne!(change.before, Some(change.after));
        }
        for change in &changes.ledgers {
            assert_eq!(change.before, before.ledger(change.after.ledger));
        }
        for change in &changes.records {
            assert_eq!(change.before, before.record(&change.key));
            assert_ne!(change.before.as_ref(), Some(&change.after));
        }
        for change in &changes.namespaces {
            assert_eq!(change.before, before.namespace(change.namespace));
        }
        changes
            .transfers
            .iter()
            .for_each(|row| generator.created(&row.transfer));
    }
}

#[test]
fn no_bytes_make_the_reader_or_apply_panic() {
    let mut generator = Generator::new(7);
    let mut random = Random(8);
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let (mut valid, mut invalid) = (0, 0);
    for round in 0..3_000 {
        let request = match round {
            0 => generator.accounts(),
            _ if random.one_in(10) => generator.pulse(),
            _ => generator.request(),
        };
        let mut bytes = entry(generator.time, &[encode(&request)]);
        if round > 0 {
            for _ in 0..=random.below(3) {
                damage(&mut random, &mut bytes);
            }
        }
        match EntryReader::new(&bytes) {
            Ok(_) => {
                valid += 1;
                // A proposed time beyond all reason ends the clock for good: that is refused, not applied.
                let reader = EntryReader::new(&bytes).unwrap();
                if reader.proposed_time() < generator.time + 1_000_000_000_000 {
                    step(&mut state, &mut applier, &bytes);
                }
            }
            Err(_) => invalid += 1,
        }
    }
    assert!(
        valid > 300 && invalid > 300,
        "{valid} valid, {invalid} invalid"
    );
    invariants::check_all(&state).unwrap();
    for length in 0..2_000 {
        let noise: Vec<_> = (0..length)
            .map(|_| random.next().to_le_bytes()[0])
            .collect();
        assert!(EntryReader::new(&noise).is_err());
    }
}

/// Flips, cuts, adds or overwrites.
fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap();
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.next().to_le_bytes()[0]),
        2 if at < bytes.len() => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
        _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        _ => {}
    }
}

#[test]
fn every_shorter_and_longer_form_of_an_entry_is_an_error() {
    let mut generator = Generator::new(9);
    let bytes = entry(
        1,
        &[
            encode(&generator.accounts()),
            encode(&generator.request()),
            encode(&generator.pulse()),
        ],
    );
    assert!(EntryReader::new(&bytes).is_ok());
    for length in 0..bytes.len() {
        assert!(
            EntryReader::new(&bytes[..length]).is_err(),
            "{length} bytes"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(
        EntryReader::new(&longer).unwrap_err(),
        EntryError::TrailingBytes
    );
}

fn with(bytes: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at] = value;
    changed
}

#[test]
fn the_reader_names_what_is_wrong() {
    let request = RequestBuilder::new(b"me").settings(&[Setting {
        setting: 1,
        reserved: 0,
        value: 1,
    }]);
    let bytes = entry(1, &[request.finish().unwrap()]);
    let error = |at: usize, value: u8| EntryReader::new(&with(&bytes, at, value)).unwrap_err();
    assert_eq!(error(0, 2), EntryError::UnknownVersion(2));
    assert_eq!(error(2, 2), EntryError::UnknownFeatureLevel(2));
    assert_eq!(error(2, 0), EntryError::UnknownFeatureLevel(0));
    assert_eq!(error(15, 0x80), EntryError::TimeOutOfRange(1 << 63 | 1));
    assert_eq!(error(4, 2), EntryError::Truncated);
    assert_eq!(error(4, 0), EntryError::TrailingBytes);
    assert_eq!(error(16, 200), EntryError::Truncated);
    assert_eq!(
        error(20, 1),
        EntryError::ReservedNotZero,
        "flags of the request"
    );
    assert_eq!(error(26, 7), EntryError::UnknownKind(7));
    assert_eq!(error(26, 0), EntryError::UnknownKind(0));
    assert_eq!(
        error(28, 1),
        EntryError::ReservedNotZero,
        "reserved of the section"
    );
    assert_eq!(error(30, 2), EntryError::LengthMismatch);
    assert_eq!(error(38, 2), EntryError::UnknownSetting(2));
    assert!(EntryReader::new(&bytes).is_ok());
}

#[test]
fn writers_refuse_what_the_reader_would_refuse() {
    let accounts = vec![Account::default(); REQUEST_ITEMS_MAX];
    let full = RequestBuilder::new(b"")
        .accounts(&accounts)
        .finish()
        .unwrap();
    let too_many = RequestBuilder::new(b"")
        .accounts(&accounts)
        .accounts(&accounts[..1]);
    assert_eq!(too_many.finish(), Err(EntryError::TooManyItems));
    assert_eq!(
        RequestBuilder::new(&[0; 256]).finish(),
        Err(EntryError::PrincipalTooLong)
    );
    let sections = (0..256).fold(RequestBuilder::new(b""), |request, _| request.accounts(&[]));
    assert_eq!(sections.finish(), Err(EntryError::TooManySections));
    let cut = RequestBuilder::new(b"").section(SectionKind::Transfers, 2, &[0; 255]);
    assert_eq!(cut.finish(), Err(EntryError::LengthMismatch));
    let value = vec![0; 5 << 20];
    let large = RequestBuilder::new(b"").section(SectionKind::Records, 1, &value);
    assert_eq!(large.finish(), Err(EntryError::RequestTooLarge));

    let mut builder = EntryBuilder::new(1);
    while builder.len() + full.len() <= ENTRY_BYTES_MAX {
        builder.push(&full).unwrap();
    }
    let length = builder.len();
    assert_eq!(builder.push(&full), Err(EntryError::EntryTooLarge));
    assert_eq!(builder.len(), length);
    assert!(EntryReader::new(&builder.finish()).is_ok());

    let pulse = RequestBuilder::new(b"").pulse().finish().unwrap();
    let mut builder = EntryBuilder::new(1);
    builder.push(&pulse).unwrap();
    assert_eq!(builder.push(&pulse), Err(EntryError::TooManyPulses));
    assert_eq!(
        builder.push(&pulse[..SECTION_HEADER_BYTES]),
        Err(EntryError::Truncated)
    );
    assert_eq!(
        builder.push(&[&pulse[..], &[0]].concat()),
        Err(EntryError::TrailingBytes)
    );
    assert_eq!(builder.request_count(), 1);
}

const SECOND: u64 = 1_000_000_000;

/// Two accounts and `count` pending transfers between them that time out after a second.
fn reserved(count: u128) -> (MemoryState, Applier) {
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let account = Account {
        id: AccountId(1),
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    let accounts = [
        account,
        Account {
            id: AccountId(2),
            ..account
        },
    ];
    let transfers: Vec<_> = (1..=count)
        .map(|id| transfer(id, TransferFlags::PENDING))
        .collect();
    let request = RequestBuilder::new(b"")
        .accounts(&accounts)
        .transfers(&transfers);
    step(
        &mut state,
        &mut applier,
        &entry(1, &[request.finish().unwrap()]),
    );
    (state, applier)
}

fn transfer(id: u128, flags: TransferFlags) -> Transfer {
    Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: 1,
        timeout: u32::from(flags.contains(TransferFlags::PENDING)),
        ledger: 1,
        code: 1,
        flags,
        ..Transfer::default()
    }
}

fn expired(applied: &Applied) -> Vec<(u64, u128)> {
    let events = applied
        .changes
        .events
        .iter()
        .map(|event| match &event.body {
            EventBody::TransferExpired { transfer, .. } => (event.timestamp, transfer.id.0),
            other => panic!("{other:?}"),
        });
    events.collect()
}

#[test]
fn a_pulse_expires_so_many_oldest_first_each_at_its_own_time() {
    let (mut state, mut applier) = reserved(1_500);
    let pulse = RequestBuilder::new(b"").pulse().finish().unwrap();
    let time = 5 * SECOND;
    let first = step(
        &mut state,
        &mut applier,
        &entry(time, std::slice::from_ref(&pulse)),
    );
    let count = PULSE_EXPIRIES_MAX as u64;
    let expected: Vec<_> = (0..count)
        .map(|index| (time + index, u128::from(index) + 1))
        .collect();
    assert_eq!(expired(&first), expected);
    assert_eq!(state.clock().timestamp, time + count - 1);
    let second = step(&mut state, &mut applier, &entry(time, &[pulse]));
    assert_eq!(expired(&second).len(), 1_500 - PULSE_EXPIRIES_MAX);
    assert_eq!(expired(&second)[0], (time + count, u128::from(count) + 1));
    assert_eq!(state.clock().pending_count, 0);
    invariants::check_all(&state).unwrap();
}

#[test]
fn what_an_entry_resolves_before_its_pulse_does_not_use_up_the_pulse() {
    // 1,100 fall due at the time of the pulse; the entry voids the first 600 in time, one nanosecond before.
    let (mut state, mut applier) = reserved(1_100);
    let due: Vec<_> = state
        .pendings()
        .iter()
        .map(|pending| pending.due_at().unwrap().0)
        .collect();
    let voids: Vec<_> = (1..=600)
        .map(|id| Transfer {
            pending_id: TransferId(id),
            timeout: 0,
            ..transfer(id + 10_000, TransferFlags::VOID_PENDING_TRANSFER)
        })
        .collect();
    let request = RequestBuilder::new(b"")
        .transfers(&voids)
        .pulse()
        .finish()
        .unwrap();
    // The k-th void runs at time + k and the k-th transfer expires at due[0] + k.
    let time = due[0] - 1;
    let applied = step(&mut state, &mut applier, &entry(time, &[request]));
    assert!(
        applied.results[0].sections[0]
            .iter()
            .all(|result| result.status == 0)
    );
    // At time + 600 everything up to due[0] + 599 is due, all of it voided: nothing is left to expire.
    assert_eq!(expired(&applied), []);
    let pulse = RequestBuilder::new(b"").pulse().finish().unwrap();
    let applied = step(&mut state, &mut applier, &entry(due[1_099], &[pulse]));
    assert_eq!(expired(&applied).len(), 500);
    invariants::check_all(&state).unwrap();
}

#[test]
fn a_full_entry_of_voids_leaves_the_pulse_its_share() {
    // The first 1,100 are voided just in time; then so much time passes within the entry that all 3,000 are due. The
    // first 1,024 in the queue are then no longer pending.
    let (mut state, mut applier) = reserved(3_000);
    let first = state.pendings()[0].due_at().unwrap().0;
    let voids: Vec<_> = (1..=1_100_u128)
        .map(|id| Transfer {
            pending_id: TransferId(id),
            timeout: 0,
            ..transfer(id + 10_000, TransferFlags::VOID_PENDING_TRANSFER)
        })
        .collect();
    let refused = vec![Account::default(); 4_000];
    let request = RequestBuilder::new(b"")
        .transfers(&voids)
        .accounts(&refused)
        .pulse();
    let bytes = entry(first - 1, &[request.finish().unwrap()]);
    let applied = step(&mut state, &mut applier, &bytes);
    assert!(
        applied.results[0].sections[0]
            .iter()
            .all(|result| result.status == 0)
    );
    let expired = expired(&applied);
    assert_eq!(expired.len(), PULSE_EXPIRIES_MAX);
    assert_eq!(expired[0], (first - 1 + 5_100, 1_101));
    invariants::check_all(&state).unwrap();
}

/// A view that lies about one thing.
struct Lying<'a>(
    &'a MemoryState,
    fn(&MemoryState, AccountId) -> Option<Account>,
    fn(Vec<Pending>) -> Vec<Pending>,
);

impl View for Lying<'_> {
    fn clock(&self) -> farthing_ledger::Clock {
        self.0.clock()
    }
    fn account(&self, id: AccountId) -> Option<Account> {
        (self.1)(self.0, id)
    }
    fn transfer(&self, id: TransferId) -> Option<farthing_ledger::Seen> {
        self.0.transfer(id)
    }
    fn pending(&self, id: TransferId) -> Option<Pending> {
        self.0.pending(id)
    }
    fn ledger(&self, ledger: u32) -> Option<farthing_ledger::Ledger> {
        self.0.ledger(ledger)
    }
    fn record(&self, key: &farthing_ledger::RecordKey) -> Option<farthing_ledger::Record> {
        self.0.record(key)
    }
    fn namespace(&self, namespace: u32) -> Option<farthing_ledger::NamespaceTotals> {
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
    let void = Transfer {
        pending_id: TransferId(1),
        timeout: 0,
        ..transfer(2, TransferFlags::VOID_PENDING_TRANSFER)
    };
    let bytes = entry(
        2,
        &[RequestBuilder::new(b"")
            .transfers(&[void])
            .finish()
            .unwrap()],
    );
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
        let flags = farthing_ledger::AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS;
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

    let at_the_end = entry(
        (1 << 63) - 1,
        &[RequestBuilder::new(b"")
            .transfers(&[void; 2])
            .finish()
            .unwrap()],
    );
    assert_eq!(
        apply(&state, &EntryReader::new(&at_the_end).unwrap()),
        Err(Broken::CounterExhausted)
    );
}

#[test]
fn a_broken_expiry_queue_stops_instead_of_going_on() {
    let (state, _) = reserved(3);
    let pulse = |time| entry(time, &[RequestBuilder::new(b"").pulse().finish().unwrap()]);
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
        due[0].status = farthing_ledger::PendingStatus::Posted;
        due
    };
    assert_eq!(expire(5 * SECOND, ended), inconsistent(1));
    let longer = |mut due: Vec<Pending>| {
        due[0].transfer.timeout = 60;
        due
    };
    assert_eq!(expire(5 * SECOND, longer), inconsistent(1), "not due yet");
}

#[test]
fn a_colliding_pair_of_ids_is_still_two_ids() {
    // Ids that differ in one bit each, and ids that share their low or high half.
    let (mut state, mut applier) = (MemoryState::new(), Applier::new());
    let ids: Vec<_> = (0..127)
        .map(|bit| 1_u128 << bit)
        .chain((1..100).map(|half| half << 64 | 1 << 63))
        .collect();
    let items = ids.iter().map(|id| {
        Item::Account(Account {
            id: AccountId(*id),
            ledger: 1,
            code: 1,
            ..Account::default()
        })
    });
    let request = encode(&[items.collect()]);
    let applied = step(&mut state, &mut applier, &entry(1, &[request]));
    assert!(
        applied.results[0].sections[0]
            .iter()
            .all(|result| result.status == 0)
    );
    assert_eq!(state.accounts().len(), ids.len());
}
