//! The node's part of `farthing verify`: a full scan of its own state at one cut.

use std::collections::BTreeMap;

use bytes::Bytes;
use farthing_proto::v1;
use farthing_proto::v1::verify_reply::Step;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::context::storage_failed;
use crate::storage;
use crate::storage::{Error, Reader};

/// Accounts between two reports of progress.
const PROGRESS_ROWS: u64 = 65_536;

type Replies = mpsc::Sender<Result<v1::VerifyReply, Status>>;

/// Scans on a thread of its own and reports as it goes; ends early when the caller is gone.
pub(super) fn run(storage: storage::Handle) -> BoxStream<'static, Result<v1::VerifyReply, Status>> {
    let (replies, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let result = storage.reader().and_then(|reader| scan(&reader, &replies));
        let last = match result {
            Ok(report) => Ok(v1::VerifyReply {
                step: Some(Step::Report(report)),
            }),
            Err(error) => Err(storage_failed(&storage, &error).into()),
        };
        let _ = replies.blocking_send(last);
    });
    ReceiverStream::new(receiver).boxed()
}

fn progress(
    replies: &Replies,
    phase: &str,
    rows_checked: u64,
    rows_total: u64,
) -> Result<(), Error> {
    let step = Step::Progress(v1::VerifyProgress {
        phase: phase.into(),
        rows_checked,
        rows_total,
    });
    replies
        .blocking_send(Ok(v1::VerifyReply { step: Some(step) }))
        .map_err(|_| Error::Cancelled("the caller of verify is gone"))
}

fn scan(reader: &Reader, replies: &Replies) -> Result<v1::VerifyReport, Error> {
    let applied = reader.applied().clone();
    let ledgers = totals(reader, replies, applied.clock.account_count)?;
    let unbalanced: Vec<String> = ledgers
        .iter()
        .filter(|sums| sums.debits_posted != sums.credits_posted || sums.debits_pending != sums.credits_pending)
        .map(|sums| {
            format!(
                "ledger {}: debits posted {} and credits posted {}, debits pending {} and credits pending {}",
                sums.ledger, sums.debits_posted, sums.credits_posted, sums.debits_pending, sums.credits_pending
            )
        })
        .collect();
    progress(replies, "rows", 0, applied.clock.transfer_count)?;
    let report = storage::verify::verify(reader)?;
    let rows =
        report.accounts + report.transfers + report.refused + report.pendings + report.events;
    let checks = vec![
        v1::VerifyCheck {
            name: "debits_equal_credits".into(),
            ok: unbalanced.is_empty(),
            rows_checked: report.accounts,
            findings: unbalanced,
        },
        v1::VerifyCheck {
            name: "rows_digest_and_invariants".into(),
            ok: report.is_sound(),
            rows_checked: rows,
            findings: report.findings,
        },
    ];
    Ok(v1::VerifyReport {
        ok: checks.iter().all(|check| check.ok),
        index: report.applied_index,
        digest: Bytes::copy_from_slice(&applied.comparable_digest().to_be_bytes()),
        checks,
        ledgers,
        account_count: report.accounts,
        transfer_count: report.transfers,
        pending_count: report.pendings,
    })
}

/// Sums that may be longer than 128 bits: the low part and how often it wrapped.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Wide {
    low: u128,
    wraps: u128,
}

impl Wide {
    fn add(&mut self, amount: u128) {
        let (low, wrapped) = self.low.overflowing_add(amount);
        self.low = low;
        self.wraps += u128::from(wrapped);
    }

    /// Decimal text by long division: a ledger's sum may exceed every integer type.
    fn text(self) -> String {
        const BILLION: u128 = 1_000_000_000;
        // Base 2^64 digits, most significant first.
        let mut digits = [self.wraps, self.low >> 64, self.low & u128::from(u64::MAX)];
        let mut groups = Vec::new();
        while digits.iter().any(|digit| *digit != 0) {
            let mut rest = 0;
            for digit in &mut digits {
                let value = (rest << 64) | *digit;
                *digit = value / BILLION;
                rest = value % BILLION;
            }
            groups.push(rest);
        }
        match groups.split_last() {
            None => "0".into(),
            Some((first, others)) => others
                .iter()
                .rev()
                .fold(first.to_string(), |text, group| format!("{text}{group:09}")),
        }
    }
}

#[derive(Default)]
struct Sums {
    accounts: u64,
    debits_posted: Wide,
    credits_posted: Wide,
    debits_pending: Wide,
    credits_pending: Wide,
}

fn totals(
    reader: &Reader,
    replies: &Replies,
    accounts_total: u64,
) -> Result<Vec<v1::LedgerTotals>, Error> {
    let mut by_ledger: BTreeMap<u32, Sums> = BTreeMap::new();
    let mut seen = 0;
    for account in reader.all_accounts()? {
        let account = account?;
        let sums = by_ledger.entry(account.ledger).or_default();
        sums.accounts += 1;
        sums.debits_posted.add(account.debits_posted);
        sums.credits_posted.add(account.credits_posted);
        sums.debits_pending.add(account.debits_pending);
        sums.credits_pending.add(account.credits_pending);
        seen += 1;
        if seen % PROGRESS_ROWS == 0 {
            progress(replies, "accounts", seen, accounts_total)?;
        }
    }
    let mut totals = Vec::with_capacity(by_ledger.len());
    for (number, sums) in by_ledger {
        let ledger = reader.ledger(number)?;
        totals.push(v1::LedgerTotals {
            ledger: number,
            currency: ledger
                .as_ref()
                .and_then(|ledger| ledger.currency())
                .unwrap_or_default()
                .to_owned(),
            scale: ledger.as_ref().map_or(0, |ledger| u32::from(ledger.scale)),
            account_count: sums.accounts,
            debits_posted: sums.debits_posted.text(),
            credits_posted: sums.credits_posted.text(),
            debits_pending: sums.debits_pending.text(),
            credits_pending: sums.credits_pending.text(),
        });
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_longer_than_any_integer_are_exact() {
        let mut sum = Wide::default();
        assert_eq!(sum.text(), "0");
        sum.add(u128::MAX);
        assert_eq!(sum.text(), u128::MAX.to_string());
        sum.add(1);
        assert_eq!(sum.text(), "340282366920938463463374607431768211456");
        sum.add(u128::MAX);
        assert_eq!(sum.text(), "680564733841876926926749214863536422911");
        let mut small = Wide::default();
        small.add(1_000_000_007);
        assert_eq!(small.text(), "1000000007");
    }
}
