//! Reads a file on a thread of its own and hands out batches, ahead of the sending by a bounded number.

use farthing_ledger::{Account, Transfer};
use tokio::sync::mpsc;

use super::plan::Options;
use super::progress::{Fingerprint, Fingerprinter, Progress};
use super::rows::{BadRow, Row, Rows};
use crate::failure::{Code, Failure};
use crate::source::{self, Position};

/// Transfers in a batch: as many as one request may hold.
pub(super) const BATCH_ITEMS: usize = 8_189;
/// Bad rows kept for the report; the others are only counted.
const BAD_ROWS_LISTED: usize = 20;

/// Rows that are sent together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) transfers: Vec<Transfer>,
    /// The line of each transfer.
    pub(super) lines: Vec<u64>,
    /// Accounts that the file names for the first time here.
    pub(super) new_accounts: Vec<Account>,
    /// Rows of the file up to the end of this batch.
    pub(super) rows_after: u64,
    /// Their fingerprint.
    pub(super) fingerprint_after: Fingerprint,
}

/// What the reading thread found.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Rows read, the bad ones included.
    pub(super) rows: u64,
    /// Good rows.
    pub(super) payments: u64,
    /// Sum of their amounts, in the ledger's smallest unit.
    pub(super) amount: u128,
    /// Rows at the beginning that an earlier run had imported.
    pub(super) rows_passed_over: u64,
    /// Bad rows.
    pub(super) bad: u64,
    /// The first of them.
    pub(super) bad_rows: Vec<BadRow>,
    /// True when the reading stopped at a bad row instead of the end of the file.
    pub(super) stopped: bool,
    /// Names and ids of the accounts that pay and of those that are paid.
    pub(super) debits: Vec<(Box<str>, u128)>,
    pub(super) credits: Vec<(Box<str>, u128)>,
    /// True when there were too many accounts to remember all of them.
    pub(super) accounts_forgotten: bool,
}

/// The reading side.
pub(super) struct Reader {
    options: Options,
    rows: Rows,
    fingerprinter: Fingerprinter,
    summary: Summary,
    /// Accounts met since the last batch.
    new_accounts: Vec<Account>,
}

impl Reader {
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// [`Code::Io`] and [`Code::BadInput`], as for [`source::open`] and [`Rows::new`].
    pub(super) fn open(options: &Options) -> Result<(Self, Position), Failure> {
        let (input, position) = source::open(&options.file)?;
        let reader = Self {
            rows: Rows::new(input, options.plan.clone())?,
            options: options.clone(),
            fingerprinter: Fingerprinter::new(),
            summary: Summary::default(),
            new_accounts: Vec::new(),
        };
        Ok((reader, position))
    }

    /// Key of the file's progress record, by its first row; `None` for a file without rows.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub(super) fn progress_key(options: &Options) -> Result<Option<Vec<u8>>, Failure> {
        let (mut reader, _) = Self::open(options)?;
        reader.step()?;
        Ok(reader.fingerprinter.key())
    }

    /// Reads past the rows that `progress` speaks of; `false` when the file begins otherwise, and then this reader is
    /// of no use any more.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub(super) fn pass_over(&mut self, progress: &Progress) -> Result<bool, Failure> {
        while self.fingerprinter.rows < progress.rows {
            match self.step()? {
                Step::End => return Ok(false),
                Step::Bad if !self.options.skip_bad => return Ok(false),
                Step::Bad | Step::Payment(..) => {}
            }
        }
        self.new_accounts.clear();
        self.summary.rows_passed_over = progress.rows;
        Ok(progress.fits(self.fingerprinter.now()))
    }

    /// How many rows were read, and their fingerprint.
    pub(super) fn reached(&self) -> (u64, Fingerprint) {
        (self.fingerprinter.rows, self.fingerprinter.now())
    }

    /// Reads to the end, or to the first bad row unless those are skipped, and sends batches. Ends early, without a
    /// failure, when the receiver is gone.
    ///
    /// # Errors
    /// As [`Reader::open`]; [`Code::BadInput`] when the amounts together are beyond what an account can hold.
    pub(super) fn run(mut self, batches: &mpsc::Sender<Batch>) -> Result<Summary, Failure> {
        let mut transfers = Vec::with_capacity(BATCH_ITEMS);
        let mut lines = Vec::with_capacity(BATCH_ITEMS);
        loop {
            let step = self.step()?;
            if let Step::Payment(line, transfer) = step {
                transfers.push(transfer);
                lines.push(line);
            }
            self.summary.stopped = matches!(step, Step::Bad) && !self.options.skip_bad;
            let at_end = self.summary.stopped || matches!(step, Step::End);
            if transfers.len() == BATCH_ITEMS || (at_end && !transfers.is_empty()) {
                let batch = Batch {
                    transfers: std::mem::replace(&mut transfers, Vec::with_capacity(BATCH_ITEMS)),
                    lines: std::mem::replace(&mut lines, Vec::with_capacity(BATCH_ITEMS)),
                    new_accounts: std::mem::take(&mut self.new_accounts),
                    rows_after: self.fingerprinter.rows,
                    fingerprint_after: self.fingerprinter.now(),
                };
                if batches.blocking_send(batch).is_err() {
                    return Ok(self.finish());
                }
            }
            if at_end {
                break;
            }
        }
        if self.summary.stopped {
            self.list_further_bad_rows();
        }
        Ok(self.finish())
    }

    /// Reads one row into the fingerprint and the sums.
    fn step(&mut self) -> Result<Step, Failure> {
        let Some(row) = self.rows.next(&mut self.new_accounts)? else {
            return Ok(Step::End);
        };
        let summary = &mut self.summary;
        summary.rows += 1;
        match row {
            Row::Payment(line, transfer) => {
                self.fingerprinter.payment(&transfer);
                summary.payments += 1;
                summary.amount = summary.amount.checked_add(transfer.amount).ok_or_else(|| {
                    Failure::new(
                        Code::BadInput,
                        format!("line {line}: the amounts together are beyond 2^128 - 1"),
                    )
                })?;
                Ok(Step::Payment(line, transfer))
            }
            Row::Bad(bad) => {
                self.fingerprinter.bad(self.rows.last_bytes());
                summary.bad += 1;
                if summary.bad_rows.len() < BAD_ROWS_LISTED {
                    summary.bad_rows.push(bad);
                }
                Ok(Step::Bad)
            }
        }
    }

    /// Looks on for more bad rows, so that all can be mended at once. Nothing past the first is sent.
    fn list_further_bad_rows(&mut self) {
        let (rows, payments, amount) = (
            self.summary.rows,
            self.summary.payments,
            self.summary.amount,
        );
        while self.summary.bad_rows.len() < BAD_ROWS_LISTED {
            // Where rows cannot be told apart any more, the first bad row is still what to mend first.
            if matches!(self.step(), Ok(Step::End) | Err(_)) {
                break;
            }
        }
        self.summary.rows = rows;
        self.summary.payments = payments;
        self.summary.amount = amount;
    }

    fn finish(self) -> Summary {
        let mut summary = self.summary;
        summary.accounts_forgotten = self.rows.debits.forgot || self.rows.credits.forgot;
        summary.debits = self.rows.debits.into_names();
        summary.credits = self.rows.credits.into_names();
        summary
    }
}

enum Step {
    Payment(u64, Transfer),
    Bad,
    End,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::super::plan::Plan;
    use super::*;

    fn options(file: PathBuf, skip_bad: bool) -> Options {
        Options {
            file,
            plan: Plan::default(),
            skip_bad,
            in_flight: 4,
            top: 0,
            patience: Duration::from_secs(1),
        }
    }

    /// Rows from 0 with these bad among them, one cent each.
    fn file(dir: &Path, rows: u64, bad: &[u64]) -> PathBuf {
        let mut text = String::from("payment_id,time,customer_id,terminal_id,amount\n");
        for row in 0..rows {
            let amount = if bad.contains(&row) { "much" } else { "0.01" };
            writeln!(
                text,
                "{row},1970-01-01T00:00:00Z,{},{},{amount}",
                row % 7,
                row % 5
            )
            .unwrap();
        }
        let path = dir.join("payments.csv");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(reader: Reader) -> (Vec<Batch>, Summary) {
        let (sender, mut receiver) = mpsc::channel(100);
        let summary = reader.run(&sender).unwrap();
        drop(sender);
        let batches = std::iter::from_fn(|| receiver.blocking_recv()).collect();
        (batches, summary)
    }

    #[test]
    fn batches_are_full_and_name_accounts_once() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(file(dir.path(), 10_000, &[]), false);
        let (batches, summary) = read(Reader::open(&options).unwrap().0);
        let sizes: Vec<_> = batches.iter().map(|batch| batch.transfers.len()).collect();
        assert_eq!(sizes, [BATCH_ITEMS, 10_000 - BATCH_ITEMS]);
        let new: Vec<_> = batches
            .iter()
            .map(|batch| batch.new_accounts.len())
            .collect();
        assert_eq!(new, [12, 0]);
        assert_eq!(
            (summary.rows, summary.payments, summary.amount),
            (10_000, 10_000, 10_000)
        );
        assert_eq!((summary.debits.len(), summary.credits.len()), (7, 5));
        assert_eq!(batches[1].rows_after, 10_000);
        assert_eq!(batches[1].lines.last(), Some(&10_001));
    }

    #[test]
    fn a_bad_row_stops_before_money_moves_past_it_and_others_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), 100, &[10, 90]);
        let (batches, summary) = read(Reader::open(&options(path.clone(), false)).unwrap().0);
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].lines, (2..12).collect::<Vec<_>>());
        assert!(summary.stopped);
        assert_eq!(summary.payments, 10);
        let lines: Vec<_> = summary.bad_rows.iter().map(|bad| bad.line).collect();
        assert_eq!(lines, [12, 92]);

        let (batches, summary) = read(Reader::open(&options(path, true)).unwrap().0);
        assert_eq!(batches[0].transfers.len(), 98);
        assert!(!summary.stopped);
        assert_eq!((summary.rows, summary.bad), (100, 2));
    }

    #[test]
    fn rows_of_an_earlier_run_are_passed_over_only_when_they_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(file(dir.path(), 9_000, &[]), false);
        let (batches, whole) = read(Reader::open(&options).unwrap().0);
        let progress = Progress::new(batches[0].rows_after, batches[0].fingerprint_after, 0);

        let mut reader = Reader::open(&options).unwrap().0;
        assert!(reader.pass_over(&progress).unwrap());
        let (rest, summary) = read(reader);
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].transfers, batches[1].transfers);
        assert_eq!(rest[0].fingerprint_after, batches[1].fingerprint_after);
        assert!(rest[0].new_accounts.is_empty());
        assert_eq!((summary.amount, summary.rows), (whole.amount, whole.rows));

        let text = std::fs::read_to_string(&options.file).unwrap();
        std::fs::write(&options.file, text.replacen("0.01", "0.02", 1)).unwrap();
        assert!(
            !Reader::open(&options)
                .unwrap()
                .0
                .pass_over(&progress)
                .unwrap()
        );
    }

    #[test]
    fn a_file_shorter_than_the_record_is_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let options = options(file(dir.path(), 10, &[]), false);
        let mut fingerprinter = Fingerprinter::new();
        fingerprinter.bad(b"x");
        let progress = Progress::new(11, fingerprinter.now(), 0);
        assert!(
            !Reader::open(&options)
                .unwrap()
                .0
                .pass_over(&progress)
                .unwrap()
        );
    }

    #[test]
    fn the_key_is_that_of_the_first_row() {
        let dir = tempfile::tempdir().unwrap();
        let empty = options(file(dir.path(), 0, &[]), false);
        assert_eq!(Reader::progress_key(&empty).unwrap(), None);
        let some = options(file(dir.path(), 10, &[]), false);
        assert!(Reader::progress_key(&some).unwrap().is_some());
    }
}
