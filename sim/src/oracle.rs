//! Who knows what must be: the history that all nodes agree on, and what everybody may be told of it.
//!
//! The first node to apply an entry writes it into the history, and a model of the ledger applies it. Every other
//! application of that entry, at any node and after any restart, must be of the same bytes with the same results and
//! the same digest. An answer must be that of the history; the order in which callers saw things must be its order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use farthing_ledger::{
    Account, AccountId, CreateTransferStatus, EntryReader, EventBody, MemoryState, RequestResults,
    SectionKind, TransferFlags, invariants,
};
use farthing_node::storage::LogId;

use crate::clock;
use crate::state::Input;
use crate::trace;

/// Entries between two checks of all invariants of the model.
const CHECK_INTERVAL: u64 = 64;
/// How far a proposed time may lie above the right one while most clocks are right, ns.
const AHEAD_MAX_NS: u64 = 1_000_000_000;

struct Entry {
    log_id: LogId,
    input: Input,
    results: Vec<RequestResults>,
    digest: u128,
}

/// The history and its model.
#[derive(Default)]
struct Oracle {
    entries: BTreeMap<u64, Entry>,
    model: MemoryState,
    accounts: BTreeMap<u128, Vec<(u64, Account)>>,
    /// Where a request of a tag was applied.
    requests: BTreeMap<u64, (u64, RequestResults)>,
    leaders: BTreeMap<u64, u64>,
    acknowledged: u64,
    answers: u64,
    violations: Vec<String>,
}

thread_local! {
    static ORACLE: RefCell<Oracle> = RefCell::default();
    static PLANTED: Cell<&'static str> = const { Cell::new("") };
}

/// Forgets everything; a new simulation begins.
pub fn begin(planted: &'static str) {
    ORACLE.set(Oracle::default());
    PLANTED.set(planted);
    farthing_node::planted::activate(planted);
}

/// Whether this mistake of the simulator's own is to be made.
pub fn planted(name: &str) -> bool {
    PLANTED.get() == name
}

fn with<T>(ask: impl FnOnce(&mut Oracle) -> T) -> T {
    ORACLE.with_borrow_mut(ask)
}

/// Something that must never be.
pub fn violation(what: String) {
    trace!("VIOLATION {what}");
    with(|oracle| oracle.violations.push(what));
}

/// What was found wrong so far.
pub fn violations() -> Vec<String> {
    with(|oracle| oracle.violations.clone())
}

/// The last entry that any node has applied.
pub fn last_index() -> u64 {
    with(|oracle| {
        oracle
            .entries
            .last_key_value()
            .map_or(0, |(index, _)| *index)
    })
}

/// Term of an entry that some node has applied.
pub fn term_of(index: u64) -> Option<u64> {
    with(|oracle| oracle.entries.get(&index).map(|entry| entry.log_id.term))
}

/// The digest after an entry.
pub fn digest_of(index: u64) -> Option<u128> {
    with(|oracle| oracle.entries.get(&index).map(|entry| entry.digest))
}

/// Answers taken so far, and the highest index among them.
pub fn acknowledged() -> (u64, u64) {
    with(|oracle| (oracle.answers, oracle.acknowledged))
}

/// A node applied an entry.
pub fn applied(node: u64, log_id: LogId, input: &Input, results: &[RequestResults], digest: u128) {
    let found = with(|oracle| oracle.applied(log_id, input, results, digest));
    if let Err(why) = found {
        violation(format!("n{node} at {}: {why}", log_id.index));
    }
}

/// A node installed a snapshot that ends with this entry.
pub fn installed(node: u64, log_id: LogId, digest: u128) {
    let known = with(|oracle| {
        let entry = oracle.entries.get(&log_id.index);
        entry.map(|entry| (entry.log_id.term, entry.digest))
    });
    if known != Some((log_id.term, digest)) {
        violation(format!(
            "n{node} installed {log_id:?} with digest {digest:x}, the history has {known:?}"
        ));
    }
}

/// A node says that it leads a term.
pub fn leads(node: u64, term: u64) {
    let (other, first) = with(|oracle| {
        let first = !oracle.leaders.contains_key(&term);
        if first && !oracle.leaders.is_empty() {
            trace::reached("leader changed");
        }
        (*oracle.leaders.entry(term).or_insert(node), first)
    });
    if other != node {
        violation(format!("n{other} and n{node} both lead term {term}"));
    }
    if first {
        trace!("n{node} leads term {term}");
    }
}

/// A caller got the answer to a request sent when `before` was the highest index answered to anybody.
pub fn answered(tag: u64, before: u64, log_index: u64, results: &RequestResults) {
    let found = with(|oracle| {
        oracle.answers += 1;
        oracle.acknowledged = oracle.acknowledged.max(log_index);
        match oracle.requests.get(&tag) {
            None => Err("was never applied".to_owned()),
            Some((index, _)) if *index != log_index => Err(format!("was applied at {index}")),
            Some((_, right)) if right != results => Err(format!("has the results {right:?}")),
            Some(_) if log_index <= before => {
                Err(format!("was sent when {before} had been answered"))
            }
            Some(_) => Ok(()),
        }
    });
    if let Err(why) = found {
        violation(format!(
            "request {tag} was answered with {log_index} {results:?} and {why}"
        ));
    }
}

/// A caller read an account, after `before` had been answered to somebody.
pub fn read(
    node: u64,
    before: u64,
    index: u64,
    digest: u128,
    id: AccountId,
    seen: Option<Account>,
) {
    let found = with(|oracle| {
        if index < before {
            return Err(format!("{before} had been answered before: a stale read"));
        }
        let right = oracle.entries.get(&index).map(|entry| entry.digest);
        if right != Some(digest) {
            return Err(format!(
                "the digest is {digest:x}, of the history {right:?}"
            ));
        }
        let versions = oracle.accounts.get(&id.0);
        let version = versions.and_then(|all| all.iter().rev().find(|(at, _)| *at <= index));
        if version.map(|(_, account)| *account) != seen {
            return Err(format!("{id:?} is {version:?} and was read as {seen:?}"));
        }
        Ok(())
    });
    if let Err(why) = found {
        violation(format!("a read at n{node}, index {index}: {why}"));
    }
}

/// Checks every invariant of the model.
pub fn check_model() {
    let checked = with(|oracle| invariants::check_all(&oracle.model));
    if let Err(why) = checked {
        violation(format!("the model: {why}"));
    }
}

impl Oracle {
    fn applied(
        &mut self,
        log_id: LogId,
        input: &Input,
        results: &[RequestResults],
        digest: u128,
    ) -> Result<(), String> {
        if let Some(entry) = self.entries.get(&log_id.index) {
            if entry.log_id.term != log_id.term || entry.input != *input {
                return Err(format!(
                    "applies an entry of term {} where one of term {} was applied: a committed entry is lost",
                    log_id.term, entry.log_id.term
                ));
            }
            if entry.results != results {
                return Err(format!(
                    "other results: {results:?} and {:?}",
                    entry.results
                ));
            }
            if entry.digest != digest {
                return Err(format!("digest {digest:x} and {:x}", entry.digest));
            }
            return Ok(());
        }
        if let Some((last, _)) = self.entries.last_key_value()
            && last + 1 != log_id.index
        {
            return Err(format!("follows {last} in the history"));
        }
        if let Input::Command(bytes) = input {
            self.command(log_id.index, bytes, results)?;
        }
        let entry = Entry {
            log_id,
            input: input.clone(),
            results: results.to_vec(),
            digest,
        };
        self.entries.insert(log_id.index, entry);
        Ok(())
    }

    fn command(
        &mut self,
        index: u64,
        bytes: &[u8],
        results: &[RequestResults],
    ) -> Result<(), String> {
        let entry = EntryReader::new(bytes).map_err(|error| error.to_string())?;
        let ahead_ns = entry.proposed_time().saturating_sub(clock::true_ns());
        if ahead_ns > AHEAD_MAX_NS {
            return Err(format!("its time is {} ms ahead", ahead_ns / 1_000_000));
        }
        let applied = farthing_ledger::apply(&self.model, &entry);
        let applied = applied.map_err(|broken| broken.to_string())?;
        if applied.results != results {
            return Err(format!(
                "the model answers {:?}, the node {results:?}",
                applied.results
            ));
        }
        self.model.absorb(&applied.changes);
        for change in &applied.changes.accounts {
            let versions = self.accounts.entry(change.after.id.0).or_default();
            versions.push((index, change.after));
        }
        let is_expiry = |event: &farthing_ledger::Event| {
            matches!(event.body, EventBody::TransferExpired { .. })
        };
        if applied.changes.events.iter().any(is_expiry) {
            trace::reached("pulse expired a pending transfer");
        }
        let balancing = TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
        let mut created = applied.changes.transfers.iter();
        if created.any(|row| row.transfer.flags.intersects(balancing)) {
            trace::reached("transfer balanced");
        }
        for (request, results) in entry.requests().zip(results) {
            let Some(tag) = request.principal().first_chunk::<8>() else {
                continue;
            };
            let tag = u64::from_le_bytes(*tag);
            if self.requests.contains_key(&tag) {
                return Err(format!("request {tag} is applied twice"));
            }
            self.requests.insert(tag, (index, results.clone()));
            for (section, results) in request.sections().zip(&results.sections) {
                if section.kind() == SectionKind::Transfers {
                    results.iter().for_each(|result| count(result.status));
                }
            }
        }
        if index.is_multiple_of(CHECK_INTERVAL) {
            invariants::check_all(&self.model).map_err(|why| why.to_string())?;
        }
        Ok(())
    }
}

fn count(status: u32) {
    use CreateTransferStatus as Status;
    match Status::from_code(status) {
        Some(Status::Created) => trace::reached("transfer created"),
        Some(Status::Exists) => trace::reached("duplicate answered"),
        Some(Status::IdAlreadyFailed) => trace::reached("refused id answered again"),
        Some(Status::LinkedEventFailed) => trace::reached("chain rolled back"),
        Some(Status::PendingTransferExpired) => trace::reached("post after expiry refused"),
        Some(Status::ExceedsCredits) => trace::reached("limit refused"),
        _ => {}
    }
}
