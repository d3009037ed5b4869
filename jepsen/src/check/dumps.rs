//! What each node held at the end (C3, C9): parts become whole dumps, and a whole dump must keep the ledger's
//! invariants by itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use farthing_client::{Account, AccountFlags, PendingStatus, TransferFlags};

use super::reads::ReadKind;
use super::report::{Checker, Findings};
use super::trace::Trace;
use crate::history::{FinalRead, Lookup};

/// Nodes whose final reads can be told apart: one bit each.
const NODES_MAX: usize = 16;

/// What one node held.
#[derive(Debug, Default)]
pub(super) struct Dump {
    /// Its bit in [`super::trace::IdFacts`].
    pub(super) bit: u16,
    pub(super) events: Vec<u64>,
    parts: HashSet<u32>,
    parts_expected: u32,
    /// Lowest index of any part.
    pub(super) applied_index: u64,
    /// Indexes at which accounts were read; the sums hold only when there is one.
    account_indexes: HashSet<u64>,
    accounts: Vec<Account>,
    account_count: Option<u64>,
    transfer_count: Option<u64>,
    transfers_seen: u64,
    /// Pending transfers: debit account, credit account, amount.
    pendings: HashMap<u128, (u128, u128, u128)>,
    statuses: HashMap<u128, PendingStatus>,
    /// Everything is there, not older than what was acknowledged.
    pub(super) complete: bool,
}

/// What all nodes held.
#[derive(Debug, Default)]
pub(super) struct Dumps {
    pub(super) by_node: BTreeMap<u64, Dump>,
}

impl Dumps {
    pub(super) fn complete_count(&self) -> usize {
        self.by_node.values().filter(|dump| dump.complete).count()
    }

    /// The bits of the nodes that were read completely.
    pub(super) fn complete_bits(&self) -> u16 {
        let complete = self.by_node.values().filter(|dump| dump.complete);
        complete.fold(0, |bits, dump| bits | dump.bit)
    }
}

/// Takes one part in.
pub(super) fn part(
    trace: &mut Trace,
    node: u64,
    event: u32,
    read: &FinalRead,
    findings: &mut Findings,
) {
    let dumps = &mut trace.dumps.by_node;
    if !dumps.contains_key(&node) && dumps.len() == NODES_MAX {
        let message = format!("final reads of more than {NODES_MAX} nodes");
        findings.add(Checker::Harness, vec![u64::from(event)], message);
        return;
    }
    let bit = dumps.get(&node).map_or(1 << dumps.len(), |dump| dump.bit);
    if read.part == 0 {
        // A new dump: whatever an earlier one said is forgotten, its rows were compared with the log all the same.
        if dumps
            .insert(
                node,
                Dump {
                    bit,
                    applied_index: u64::MAX,
                    ..Dump::default()
                },
            )
            .is_some()
        {
            for facts in &mut trace.ids {
                facts.covered &= !bit;
                facts.present &= !bit;
            }
            for facts in trace.account_ids.values_mut() {
                facts.covered &= !bit;
            }
        }
    }
    let Some(dump) = trace.dumps.by_node.get_mut(&node) else {
        let message = format!("a final read of node {node} begins with part {}", read.part);
        findings.add(Checker::Harness, vec![u64::from(event)], message);
        return;
    };
    dump.events.push(u64::from(event));
    dump.parts.insert(read.part);
    dump.parts_expected = read.parts;
    dump.applied_index = dump.applied_index.min(read.applied_index);
    dump.account_count = dump.account_count.or(read.account_count);
    dump.transfer_count = dump.transfer_count.or(read.transfer_count);
    dump.transfers_seen += read.transfers.len() as u64;
    if !read.accounts.is_empty() {
        dump.account_indexes.insert(read.applied_index);
    }
    dump.accounts.extend_from_slice(&read.accounts);
    for row in read
        .transfers
        .iter()
        .filter(|row| row.flags.contains(TransferFlags::PENDING))
    {
        let value = (row.debit_account_id.0, row.credit_account_id.0, row.amount);
        dump.pendings.insert(row.id.0, value);
    }
    dump.statuses
        .extend(read.pendings.iter().map(|row| (row.id, row.status)));
    let reads = &mut trace.reads;
    reads.begin_final(ReadKind::Accounts, read.applied_index, event);
    read.accounts
        .iter()
        .for_each(|row| reads.account(row.id.0, Some(row)));
    read.accounts_absent
        .iter()
        .for_each(|id| reads.account(*id, None));
    reads.begin_final(ReadKind::Pendings, read.applied_index, event);
    for row in &read.pendings {
        let slot = trace.items.ids.slot(row.id);
        trace.reads.pending(slot, Some(row.status));
    }
    let found = read.accounts.iter().map(|row| row.id.0);
    for id in found.chain(read.accounts_absent.iter().copied()) {
        trace.account_ids.entry(id).or_default().covered |= bit;
    }
    let rows = read.transfers.iter().map(|row| (row.id.0, true));
    let rows = rows.chain(
        read.refused
            .iter()
            .chain(&read.absent)
            .map(|id| (*id, false)),
    );
    for (id, present) in rows {
        let slot = trace.items.ids.slot(id);
        let facts = trace.id_mut(slot);
        facts.covered |= bit;
        if present {
            facts.present |= bit;
        }
    }
    // Absent ids are compared with the log as well: a final read that misses an effect is a stale one.
    if !read.refused.is_empty() {
        trace
            .reads
            .begin_final(ReadKind::Transfers, read.applied_index, event);
        for id in &read.refused {
            let slot = trace.items.ids.slot(*id);
            trace.reads.transfer(slot, &Lookup::Refused);
        }
    }
}

/// All parts are in: which dumps are complete, and do they keep the invariants?
pub(super) fn finish(trace: &mut Trace, findings: &mut Findings) {
    let mut dumps = std::mem::take(&mut trace.dumps);
    for (node, dump) in &mut dumps.by_node {
        let missing = trace
            .ids
            .iter()
            .filter(|facts| facts.covered & dump.bit == 0)
            .count()
            + trace
                .account_ids
                .values()
                .filter(|facts| facts.covered & dump.bit == 0)
                .count();
        let parts_missing = dump.parts.len() as u32 != dump.parts_expected;
        let stale = dump.applied_index < trace.log_index_max;
        dump.complete = missing == 0 && !parts_missing && !stale;
        if parts_missing || missing != 0 {
            findings.open(format!(
                "the final read of node {node} is incomplete: {} of {} parts, {missing} ids without a word",
                dump.parts.len(),
                dump.parts_expected
            ));
        } else if stale {
            findings.open(format!(
                "the final read of node {node} is at log index {}, and {} was acknowledged",
                dump.applied_index, trace.log_index_max
            ));
        }
        invariants(*node, dump, findings);
        dump.accounts = Vec::new();
        dump.pendings = HashMap::new();
        dump.statuses = HashMap::new();
    }
    trace.dumps = dumps;
}

/// What holds in any state of the ledger, whatever was asked of it.
fn invariants(node: u64, dump: &Dump, findings: &mut Findings) {
    let mut wrong = |message: String| {
        findings.add(
            Checker::C9,
            dump.events.clone(),
            format!("node {node}: {message}"),
        );
    };
    let whole = dump.parts.len() as u32 == dump.parts_expected;
    for account in &dump.accounts {
        if !limits_hold(account) {
            wrong(format!("account {:x} is past its own limit", account.id.0));
        }
    }
    if whole && dump.account_indexes.len() == 1 {
        // Sums modulo 2^128: equal sums stay equal, and no sum of real balances differs by a multiple of it.
        let mut ledgers: BTreeMap<u32, [u128; 2]> = BTreeMap::new();
        for account in &dump.accounts {
            let sums = ledgers.entry(account.ledger).or_default();
            sums[0] = sums[0]
                .wrapping_add(account.debits_posted)
                .wrapping_sub(account.credits_posted);
            sums[1] = sums[1]
                .wrapping_add(account.debits_pending)
                .wrapping_sub(account.credits_pending);
        }
        for (ledger, sums) in ledgers {
            for (sum, name) in sums.into_iter().zip(["posted", "pending"]) {
                if sum != 0 {
                    let difference = sum as i128;
                    wrong(format!(
                        "ledger {ledger}: debits {name} minus credits {name} is {difference}"
                    ));
                }
            }
        }
        pendings_add_up(dump, &mut wrong);
    }
    let counts = [
        ("accounts", dump.account_count, dump.accounts.len() as u64),
        ("transfers", dump.transfer_count, dump.transfers_seen),
    ];
    for (what, says, seen) in counts {
        if let Some(says) = says.filter(|says| whole && *says != seen) {
            wrong(format!(
                "it counts {says} {what}, and {seen} were found by the ids of this run"
            ));
        }
    }
}

/// The open pending transfers are what the accounts have reserved.
fn pendings_add_up(dump: &Dump, wrong: &mut impl FnMut(String)) {
    let mut reserved: HashMap<u128, [u128; 2]> = HashMap::new();
    for (id, (debit, credit, amount)) in &dump.pendings {
        match dump.statuses.get(id) {
            Some(PendingStatus::Pending) => {
                let debit = &mut reserved.entry(*debit).or_default()[0];
                *debit = debit.wrapping_add(*amount);
                let credit = &mut reserved.entry(*credit).or_default()[1];
                *credit = credit.wrapping_add(*amount);
            }
            Some(_) => {}
            None => wrong(format!("pending transfer {id:x} has no status")),
        }
    }
    for account in &dump.accounts {
        let sums = reserved.get(&account.id.0).copied().unwrap_or_default();
        if sums != [account.debits_pending, account.credits_pending] {
            wrong(format!(
                "account {:x} has {} and {} pending, its open pending transfers are {} and {}",
                account.id.0, account.debits_pending, account.credits_pending, sums[0], sums[1]
            ));
        }
    }
}

fn limits_hold(account: &Account) -> bool {
    let within = |pending: u128, posted: u128, limit: u128| {
        pending.checked_add(posted).is_some_and(|sum| sum <= limit)
    };
    let debits = !account
        .flags
        .contains(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS)
        || within(
            account.debits_pending,
            account.debits_posted,
            account.credits_posted,
        );
    let credits = !account
        .flags
        .contains(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS)
        || within(
            account.credits_pending,
            account.credits_posted,
            account.debits_posted,
        );
    debits && credits
}
