//! Queries equal a full scan of the reference, by every filter, in both orders, page by page; while runs are written,
//! files are merged and entries come.
//!
//! `FARTHING_QUERIES=1000000` asks so many questions instead of the few of every day.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use farthing_ledger::{
    Account, AccountFilter, AccountId, Balances, EventBody, Order, Sides, TransferFilter,
    TransferFlags, TransferRow, View,
};

use super::workload::{Ids, Random, log};
use super::*;
use crate::storage::Reader;
use crate::storage::query::{BalanceRow, Cause, Group, Mark, Page, Paging, Sums};

const QUERIES: u64 = 20_000;
/// What a question is made of, and how many ways there are of each: the pairs of all these are to be met.
const DIMENSIONS: [usize; 10] = [3, 3, 4, 4, 4, 2, 2, 3, 3, 2];

struct Asker {
    random: Random,
    seen: HashSet<(usize, usize, usize, usize)>,
}

impl Asker {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            seen: HashSet::new(),
        }
    }

    /// One way for each dimension.
    fn ways(&mut self) -> [usize; DIMENSIONS.len()] {
        let ways = DIMENSIONS.map(|ways| self.random.below(ways as u64) as usize);
        for one in 0..ways.len() {
            for other in one + 1..ways.len() {
                self.seen.insert((one, ways[one], other, ways[other]));
            }
        }
        ways
    }

    fn assert_all_pairs(&self) {
        let pairs: usize = DIMENSIONS
            .iter()
            .enumerate()
            .flat_map(|(at, one)| DIMENSIONS[at + 1..].iter().map(move |other| one * other))
            .sum();
        assert_eq!(self.seen.len(), pairs, "pairs of filters that were asked");
    }

    fn paging(&mut self, way: usize) -> Paging {
        Paging {
            order: [Order::Forward, Order::Reversed][way],
            after: None,
            limit: 1 + self.random.below(9) as usize,
            until: Instant::now() + Duration::from_secs(60),
        }
    }

    /// None, zero, a value that there is, one that there is not.
    fn value<T: Copy + Default>(&mut self, way: usize, present: Option<T>, absent: T) -> Option<T> {
        match way {
            0 => None,
            1 => Some(T::default()),
            2 => present,
            _ => Some(absent),
        }
    }

    fn transfers(
        &mut self,
        rows: &[TransferRow],
        accounts: &[Account],
    ) -> (TransferFilter, Paging) {
        let ways = self.ways();
        let mut any = || {
            let count = rows.len().max(1) as u64;
            rows.get(self.random.below(count) as usize)
                .map(|row| row.transfer)
        };
        // One transfer's values together are met by at least that one.
        let (one, other, from, to) = (any(), any(), any(), any());
        let account = accounts.get(self.random.below(accounts.len().max(1) as u64) as usize);
        let filter = TransferFilter {
            account_id: match ways[0] {
                0 => None,
                1 => one.map(|it| it.debit_account_id),
                _ => account.map(|it| it.id),
            },
            sides: [Sides::Both, Sides::Debits, Sides::Credits][ways[1]],
            user_data_128: self.value(ways[2], one.map(|it| it.user_data_128), 7),
            user_data_64: self.value(ways[3], one.map(|it| it.user_data_64), u64::MAX),
            user_data_32: self.value(ways[4], one.map(|it| it.user_data_32), 99),
            ledger: (ways[5] == 1).then(|| one.map_or(1, |it| it.ledger)),
            code: (ways[6] == 1).then(|| other.map_or(1, |it| it.code)),
            timestamp_min: [
                0,
                from.map_or(1, |it| it.timestamp),
                from.map_or(1, |it| it.timestamp + 1),
            ][ways[7]],
            timestamp_max: [
                None,
                to.map(|it| it.timestamp),
                to.map(|it| it.timestamp - 1),
            ][ways[8]],
        };
        (filter, self.paging(ways[9]))
    }

    fn accounts(&mut self, accounts: &[Account]) -> (AccountFilter, Paging) {
        let ways = self.ways();
        let mut any = || accounts.get(self.random.below(accounts.len().max(1) as u64) as usize);
        let (one, from, to) = (any(), any(), any());
        let filter = AccountFilter {
            user_data_128: self.value(ways[2], one.map(|it| it.user_data_128), 7),
            user_data_64: self.value(ways[3], one.map(|it| it.user_data_64), u64::MAX),
            user_data_32: self.value(ways[4], one.map(|it| it.user_data_32), 99),
            ledger: (ways[5] == 1).then(|| one.map_or(1, |it| it.ledger)),
            code: (ways[6] == 1).then(|| one.map_or(1, |it| it.code)),
            timestamp_min: [
                0,
                from.map_or(1, |it| it.timestamp),
                from.map_or(1, |it| it.timestamp + 1),
            ][ways[7]],
            timestamp_max: [
                None,
                to.map(|it| it.timestamp),
                to.map(|it| it.timestamp - 1),
            ][ways[8]],
        };
        (filter, self.paging(ways[9]))
    }
}

/// All pages of an answer.
fn all<T>(paging: Paging, mut ask: impl FnMut(&Paging) -> Page<T>) -> Vec<T> {
    let mut rows = vec![];
    let mut after: Option<Mark> = None;
    loop {
        let page = ask(&Paging { after, ..paging });
        assert!(page.rows.len() <= paging.limit);
        rows.extend(page.rows);
        assert!(
            page.next.is_none() || page.next != after,
            "a page that does not go on"
        );
        match page.next {
            Some(mark) => after = Some(mark),
            None => return rows,
        }
    }
}

fn ordered<T>(rows: impl Iterator<Item = T>, order: Order) -> Vec<T> {
    let mut rows: Vec<T> = rows.collect();
    if order == Order::Reversed {
        rows.reverse();
    }
    rows
}

/// Every change of an account's balances, found without any index.
fn history(state: &MemoryState, account: AccountId) -> Vec<BalanceRow> {
    let mut rows = vec![];
    let mut add = |sequence,
                   timestamp,
                   cause,
                   transfer: farthing_ledger::Transfer,
                   debit: Balances,
                   credit: Balances| {
        let balances = if transfer.debit_account_id == account {
            debit
        } else if transfer.credit_account_id == account {
            credit
        } else {
            return;
        };
        rows.push(BalanceRow {
            sequence,
            timestamp,
            cause,
            transfer,
            balances,
        });
    };
    for row in state.transfers() {
        let time = row.transfer.timestamp;
        add(
            row.sequence,
            time,
            Cause::Transfer,
            row.transfer,
            row.debit_after,
            row.credit_after,
        );
    }
    for event in state.events() {
        if let EventBody::TransferExpired {
            transfer,
            debit_after,
            credit_after,
        } = &event.body
        {
            add(
                event.sequence,
                event.timestamp,
                Cause::Expiry,
                *transfer,
                *debit_after,
                *credit_after,
            );
        }
    }
    rows.sort_by_key(|row| row.sequence);
    rows
}

fn ask_transfers(reader: &Reader, state: &MemoryState, asker: &mut Asker) {
    let (filter, paging) = asker.transfers(state.transfers(), state.accounts());
    let found = all(paging, |paging| {
        reader.query_transfers(&filter, paging).unwrap()
    });
    let matching = state
        .transfers()
        .iter()
        .filter(|row| filter.matches(&row.transfer));
    let expected = ordered(matching.copied(), paging.order);
    assert_eq!(found, expected, "{filter:?} {paging:?}");
}

fn ask_accounts(reader: &Reader, state: &MemoryState, asker: &mut Asker) {
    let (filter, paging) = asker.accounts(state.accounts());
    let found = all(paging, |paging| {
        reader.query_accounts(&filter, paging).unwrap()
    });
    let mut accounts = state.accounts().to_vec();
    accounts.sort_by_key(|account| account.timestamp);
    let matching = accounts
        .into_iter()
        .filter(|account| filter.matches(account));
    assert_eq!(
        found,
        ordered(matching, paging.order),
        "{filter:?} {paging:?}"
    );
}

fn ask_balances(reader: &Reader, state: &MemoryState, asker: &mut Asker) {
    let (filter, paging) = asker.transfers(state.transfers(), state.accounts());
    let Some(account) = filter.account_id else {
        return;
    };
    let (min, max) = (filter.timestamp_min, filter.timestamp_max);
    let history = history(state, account);
    let in_range =
        |row: &&BalanceRow| row.timestamp >= min && max.is_none_or(|max| row.timestamp <= max);
    let expected = ordered(history.iter().filter(in_range).copied(), paging.order);
    let found = all(paging, |paging| {
        let balances = reader.balances(account, min, max, paging).unwrap();
        let oldest = match paging.order {
            Order::Forward => balances.page.rows.first(),
            Order::Reversed => balances.page.rows.last(),
        };
        if let Some(oldest) = oldest {
            let before = history
                .iter()
                .rev()
                .find(|row| row.sequence < oldest.sequence);
            let opening = before.map(|row| row.balances).unwrap_or_default();
            assert_eq!(balances.opening, opening, "the opening row of {account:?}");
        }
        balances.page
    });
    assert_eq!(found, expected, "{account:?} {min} {max:?} {paging:?}");

    let time = max.unwrap_or(u64::MAX);
    let found = reader.balances_at(account, time, paging.until).unwrap();
    let exists = state
        .account(account)
        .is_some_and(|it| it.timestamp <= time);
    let last = history.iter().rev().find(|row| row.timestamp <= time);
    let expected = exists.then(|| last.map(|row| row.balances).unwrap_or_default());
    assert_eq!(found, expected, "{account:?} at {time}");
}

fn ask_sums(reader: &Reader, state: &MemoryState, asker: &mut Asker) {
    let (filter, paging) = asker.transfers(state.transfers(), state.accounts());
    let Some(account) = filter.account_id else {
        return;
    };
    let by_code = asker.random.below(2) == 0;
    let period = [0, 1_000_000_000, 7_000_000_001][asker.random.below(3) as usize];
    let mut expected: BTreeMap<Group, Sums> = BTreeMap::new();
    for row in state.transfers() {
        let none = TransferFlags::PENDING.with(TransferFlags::VOID_PENDING_TRANSFER);
        if !filter.matches(&row.transfer) || row.transfer.flags.intersects(none) {
            continue;
        }
        let time = row.transfer.timestamp;
        let group = Group {
            // Naively: down to the multiple.
            period_start: time.checked_div(period).unwrap_or(0) * period,
            code: if by_code { row.transfer.code } else { 0 },
        };
        let sums = expected.entry(group).or_default();
        if row.transfer.debit_account_id == account {
            sums.debit_count += 1;
            sums.debits_posted += row.transfer.amount;
        } else {
            sums.credit_count += 1;
            sums.credits_posted += row.transfer.amount;
        }
    }
    let mut found: BTreeMap<Group, Sums> = BTreeMap::new();
    let pages = all(paging, |paging| {
        reader.sums(&filter, by_code, period, paging).unwrap()
    });
    for (group, part) in pages {
        let sums = found.entry(group).or_default();
        sums.debit_count += part.debit_count;
        sums.debits_posted += part.debits_posted;
        sums.credit_count += part.credit_count;
        sums.credits_posted += part.credits_posted;
    }
    assert_eq!(found, expected, "{filter:?} {by_code} {period}");
}

fn queries() -> u64 {
    let asked = std::env::var("FARTHING_QUERIES").ok();
    asked
        .and_then(|asked| asked.parse().ok())
        .unwrap_or(QUERIES)
}

#[test]
fn queries_equal_a_full_scan() {
    let (mut asked, total) = (0, queries());
    let mut asker = Asker::new(61);
    for seed in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let ids = [Ids::TimeOrdered, Ids::Random][seed as usize % 2];
        let log = log(600 + seed, 150, 30, ids);
        let sizes = [40, 300, 100_000];
        let (mut writer, handle) = open(config(dir.path(), sizes[seed as usize % 3]));
        let mut state = MemoryState::new();
        for (index, entry) in log.iter().enumerate() {
            apply_entry(&mut writer, index as u64, entry).unwrap();
            apply_reference(&mut state, entry);
            if index == 100 {
                // A cut of merged files, run files and a window.
                wait_for_runs(&handle);
                handle.compact().unwrap();
            }
            if index % 10 == 9 {
                let reader = handle.reader().unwrap();
                assert_eq!(reader.applied().clock, state.clock());
                for _ in 0..20 {
                    ask_transfers(&reader, &state, &mut asker);
                    ask_accounts(&reader, &state, &mut asker);
                    ask_balances(&reader, &state, &mut asker);
                    ask_sums(&reader, &state, &mut asker);
                    asked += 4;
                }
            }
        }
        handle.shutdown();
        if asked >= total {
            break;
        }
    }
    asker.assert_all_pairs();
}

#[test]
fn what_an_unfinished_run_left_behind_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(71, 60, 30, Ids::TimeOrdered);
    let (mut writer, handle) = open(config(dir.path(), 10_000));
    replay(&mut writer, &log[..30]).unwrap();
    // The cut is older than what the disk holds afterwards: rows above it must not be met.
    let hash = handle.shared().hash;
    let early = handle.shared().published();
    let reader = Reader::try_of(early, hash).unwrap().unwrap();
    replay(&mut writer, &log).unwrap();
    drop(writer.seal().unwrap());
    wait_for_runs(&handle);
    let state = reference(&log, 30);
    let mut asker = Asker::new(72);
    for _ in 0..300 {
        ask_transfers(&reader, &state, &mut asker);
        ask_accounts(&reader, &state, &mut asker);
        ask_balances(&reader, &state, &mut asker);
    }
    let late = handle.reader().unwrap();
    let state = reference(&log, 60);
    for _ in 0..300 {
        ask_transfers(&late, &state, &mut asker);
        ask_accounts(&late, &state, &mut asker);
    }
}
