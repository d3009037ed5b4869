//! A full scan of one cut: everything that can be known wrong without another node.
//!
//! It recomputes the digest from the rows, checks the families against each other (ids, history and the lists by user
//! data must be exactly what the changes say, and so must the hashes of the tree; the rows by time what pendings and
//! accounts say) and runs the ledger's invariants over accounts, pendings and changes. It reads the state once or twice
//! and holds accounts and pendings in memory, transfers only where an invariant needs them all.

mod places;
mod sets;
mod tree;

use farthing_ledger::invariants::{self, Violation};
use farthing_ledger::{Account, Pending, TransferId, TransferRow};

use super::digest::{self, Digest};
use super::error::Error;
use super::reader::{Change, Reader};
use super::scrub::Pace;
use places::Offsets;
use sets::SetSum;
use tree::Regrown;

/// Above so many transfers the invariants that need all of them in memory are left to the digest.
pub const TRANSFERS_IN_MEMORY_MAX: u64 = 4_000_000;

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The log index it is about.
    pub applied_index: u64,
    /// Accounts seen.
    pub accounts: u64,
    /// Transfers seen.
    pub transfers: u64,
    /// Refused ids seen.
    pub refused: u64,
    /// Pending transfers seen, whatever their status.
    pub pendings: u64,
    /// Other changes seen.
    pub events: u64,
    /// False when there were too many transfers to check every invariant.
    pub complete: bool,
    /// Everything that is wrong, in words; empty when nothing is.
    pub findings: Vec<String>,
}

impl Report {
    /// True when nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn expect(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(finding());
        }
    }

    fn invariant(&mut self, result: Result<(), Violation>) {
        if let Err(violation) = result {
            self.findings.push(violation.to_string());
        }
    }
}

/// The digest as recomputed from every row, after a look at the tree over the changes; `pace` is told of what is read.
pub(crate) fn digest(reader: &Reader, pace: Pace<'_>) -> Result<Digest, Error> {
    let mut digest = Digest::default();
    for account in reader.all_accounts()? {
        digest.add(digest::account(&account?));
        pace(Account::BYTES as u64)?;
    }
    for pending in reader.all_pendings()? {
        digest.add(digest::pending(&pending?));
        pace(Pending::BYTES as u64)?;
    }
    let mut tree = Regrown::new(reader);
    for change in reader.changes(1)? {
        let change = change?;
        tree.add(&change)?;
        if let Change::Transfer(row) = change {
            digest.add(digest::transfer(row.sequence, &row.to_bytes()));
            pace(TransferRow::BYTES as u64)?;
        }
    }
    if let Some(finding) = tree.finding() {
        return Err(Error::damaged("state", finding));
    }
    small_rows(reader, &mut digest)?;
    reader.each_refused(|id| digest.add(digest::refused(id)))?;
    Ok(digest)
}

fn small_rows(reader: &Reader, digest: &mut Digest) -> Result<(), Error> {
    for ledger in reader.ledgers()? {
        digest.add(digest::ledger(&ledger));
    }
    for record in reader.all_records()? {
        let (key, record) = record?;
        digest.add(digest::record(&key, &record));
    }
    for namespace in reader.all_namespaces()? {
        let (namespace, totals) = namespace?;
        digest.add(digest::namespace(namespace, &totals));
    }
    for setting in reader.all_settings()? {
        let (setting, value) = setting?;
        digest.add(digest::setting(setting, value));
    }
    Ok(())
}

/// Checks everything. Rows that cannot be read are errors; rows that can and are wrong are findings.
///
/// # Errors
/// When the disk fails or a row is damaged.
pub fn verify(reader: &Reader) -> Result<Report, Error> {
    let clock = reader.applied().clock;
    let complete = clock.transfer_count <= TRANSFERS_IN_MEMORY_MAX;
    let mut report = Report {
        applied_index: reader.applied_index(),
        accounts: 0,
        transfers: 0,
        refused: 0,
        pendings: 0,
        events: 0,
        complete,
        findings: vec![],
    };
    let mut digest = Digest::default();
    let mut accounts: Vec<Account> = reader.all_accounts()?.collect::<Result<_, _>>()?;
    let pendings: Vec<Pending> = reader.all_pendings()?.collect::<Result<_, _>>()?;
    accounts
        .iter()
        .for_each(|account| digest.add(digest::account(account)));
    pendings
        .iter()
        .for_each(|pending| digest.add(digest::pending(pending)));
    small_rows(reader, &mut digest)?;

    let (mut rows, mut events) = (vec![], vec![]);
    let (mut ids, mut touches) = (SetSum::default(), SetSum::default());
    let (mut values, mut created) = (SetSum::default(), SetSum::default());
    let mut tree = Regrown::new(reader);
    let mut offsets = Offsets::new(reader)?;
    let mut expected = 1;
    for change in reader.changes(1)? {
        let change = change?;
        tree.add(&change)?;
        report.expect(change.sequence() == expected, || {
            format!("sequence {} where {expected} belongs", change.sequence())
        });
        expected = change.sequence() + 1;
        let offset = offsets.of(&change)?;
        values.add_values(&change, offset);
        places::add_created(reader, &change, &mut created);
        match change {
            Change::Transfer(row) => {
                report.transfers += 1;
                digest.add(digest::transfer(row.sequence, &row.to_bytes()));
                ids.add_id(row.transfer.id.0, row.sequence, offset);
                touches.add_transfer(&row, offset);
                if complete {
                    rows.push(row);
                }
            }
            Change::Event(event) => {
                report.events += 1;
                touches.add_event(&event);
                if complete {
                    events.push(event);
                }
            }
        }
    }
    report.accounts = accounts.len() as u64;
    report.pendings = pendings.len() as u64;
    let mut refused = vec![];
    reader.each_refused(|id| refused.push(TransferId(id)))?;
    report.refused = refused.len() as u64;
    refused
        .iter()
        .for_each(|id| digest.add(digest::refused(id.0)));
    report.expect(expected == clock.sequence + 1, || {
        format!(
            "the last sequence is {}, the clock says {}",
            expected - 1,
            clock.sequence
        )
    });
    report.findings.extend(tree.finding());
    for (what, found, counted) in [
        ("accounts", report.accounts, clock.account_count),
        ("transfers", report.transfers, clock.transfer_count),
        ("refused ids", report.refused, clock.refused_count),
    ] {
        report.expect(found == counted, || {
            format!("{found} {what}, the clock counted {counted}")
        });
    }
    report.expect(digest == reader.applied().digest, || {
        "the rows do not have the digest of the state".into()
    });
    sets::check_ids(reader, &mut report, &ids, &refused)?;
    sets::check_history(reader, &mut report, touches)?;
    sets::check_values(reader, &mut report, &values)?;
    places::check_queue(reader, &mut report)?;
    places::check_account_times(reader, &mut report, &created)?;

    report.invariant(invariants::ledgers_balance(&accounts));
    report.invariant(invariants::balances_fit(&accounts));
    report.invariant(invariants::limits_hold(&accounts));
    if complete {
        accounts.sort_unstable_by_key(|account| account.timestamp);
        let transfer_ids = rows.iter().map(|row: &TransferRow| row.transfer.id);
        report.invariant(invariants::ids_are_unique(transfer_ids, refused));
        report.invariant(invariants::pendings_add_up(
            &accounts, &pendings, &rows, &events,
        ));
        report.invariant(invariants::order_holds(&accounts, &rows, &events));
        report.invariant(invariants::replay_agrees(&accounts, &rows, &events));
    }
    Ok(report)
}
