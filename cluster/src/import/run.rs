//! One import from beginning to end.

use std::time::{Duration, Instant};

use farthing_client::Client;
use farthing_ledger::{CreateLedgerStatus, Ledger, RecordKey};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::batches::{Reader, Summary};
use super::plan::Options;
use super::progress::{PROGRESS_NAMESPACE, Progress};
use super::report::ImportReport;
use super::rows::BadRow;
use super::sending::Sending;
use super::tally::Tally;
use super::top::largest;
use crate::connect::patiently;
use crate::display::Display;
use crate::failure::{Code, Failure};
use crate::output;

/// Batches read ahead of the sending.
const BATCHES_AHEAD: usize = 4;

/// How an import ended.
#[derive(Clone, Debug)]
pub struct ImportOutcome {
    /// What it did.
    pub report: ImportReport,
    /// The bad row it stopped at, when it did not reach the end of the file.
    pub stopped_at: Option<BadRow>,
}

/// Imports a file. When it returns a report, every good row up to the end (or up to the bad row it stopped at) was
/// answered: created, existing, or refused with a status.
///
/// # Errors
/// [`Code::Io`] and [`Code::BadInput`] for the file; [`Code::ItemRefused`] when the ledger or an account exists
/// otherwise; [`Code::NotReachable`] and [`Code::OutcomeUnknown`] when patience ran out, after which the import can be
/// run again.
pub async fn run(client: &Client, options: &Options) -> Result<ImportOutcome, Failure> {
    let patience = options.patience;
    let key = blocking({
        let options = options.clone();
        move || Reader::progress_key(&options)
    })
    .await?;
    ensure_ledger(client, options).await?;
    let earlier = match &key {
        Some(key) => read_progress(client, patience, key).await?,
        None => None,
    };

    let (mut reader, position) = Reader::open(options)?;
    if let Some(progress) = earlier.clone() {
        let (returned, fits) = blocking(move || {
            let fits = reader.pass_over(&progress)?;
            Ok((reader, fits))
        })
        .await?;
        reader = if fits {
            returned
        } else {
            Reader::open(options)?.0
        };
    }
    let begin = reader.reached();
    let refused_before = earlier
        .filter(|_| begin.0 > 0)
        .map_or(0, |progress| progress.refused);
    if begin.0 > 0 {
        output::tell(format!(
            "import: {} rows were imported before; going on after them",
            output::count(begin.0)
        ));
    }

    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let reading = spawn_blocking(move || reader.run(&sender));
    let mut sending = Sending {
        client,
        options,
        key,
        tally: Tally::default(),
        display: Display::new("import", "transfers", position.permille()),
        position,
        begun_at: 0,
        refused_before,
        answered_to: begin,
        recorded_at: Instant::now(),
    };
    let sent = sending.send_all(receiver).await;
    let Sending { tally, display, .. } = sending;
    drop(display);
    // A file that cannot be read further is the reason of everything that follows from it.
    let summary = joined(reading).await?;
    finish(client, options, summary, tally, refused_before, sent?).await
}

async fn ensure_ledger(client: &Client, options: &Options) -> Result<(), Failure> {
    let plan = &options.plan;
    let ledgers = [Ledger::new(plan.ledger, &plan.currency, plan.scale)];
    let outcomes = patiently(options.patience, |_| {}, || client.create_ledgers(&ledgers)).await?;
    match outcomes.first().map(|outcome| outcome.status) {
        Some(CreateLedgerStatus::Created | CreateLedgerStatus::Exists) => Ok(()),
        Some(status) => Err(Failure::new(
            Code::ItemRefused,
            format!("ledger {} cannot be {} with {} decimals: {}", plan.ledger, plan.currency, plan.scale, status.name()),
        )
        .because("the number is registered with another currency or scale")
        .advise("choose another number with --ledger, or the currency and scale it has (`farthing ledger list`)")),
        None => Err(no_answer()),
    }
}

fn no_answer() -> Failure {
    Failure::new(Code::Internal, "an item was not answered")
}

async fn read_progress(
    client: &Client,
    patience: Duration,
    key: &[u8],
) -> Result<Option<Progress>, Failure> {
    let Some(key) = RecordKey::new(PROGRESS_NAMESPACE, key) else {
        return Ok(None);
    };
    let keys = [key];
    let found = patiently(patience, |_| {}, || client.lookup_records(&keys)).await?;
    Ok(found
        .into_iter()
        .next()
        .flatten()
        .and_then(|record| Progress::from_value(&record.value)))
}

/// Runs work that reads files on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    joined(spawn_blocking(work)).await
}

async fn joined<T>(handle: JoinHandle<Result<T, Failure>>) -> Result<T, Failure> {
    handle.await.map_err(|error| {
        Failure::new(Code::Internal, "a thread of the import died").because(error)
    })?
}

async fn finish(
    client: &Client,
    options: &Options,
    summary: Summary,
    tally: Tally,
    refused_before: u64,
    elapsed: Duration,
) -> Result<ImportOutcome, Failure> {
    let plan = &options.plan;
    let top = largest(client, options, &summary).await?;
    let stopped_at = summary
        .bad_rows
        .first()
        .filter(|_| summary.stopped)
        .cloned();
    let report = ImportReport {
        file: options.file.display().to_string(),
        rows: summary.rows,
        rows_passed_over: summary.rows_passed_over,
        refused_before,
        bad: summary.bad,
        bad_rows: summary.bad_rows,
        created: tally.created,
        existed: tally.existed,
        refused: tally.refused,
        transfers_per_second: output::rate(tally.answered(), elapsed),
        refusals: tally.refusals,
        accounts_created: tally.accounts_created,
        amount: output::scaled(&summary.amount.to_string(), plan.scale),
        currency: plan.currency.clone(),
        debit_accounts: summary.debits.len() as u64,
        credit_accounts: summary.credits.len() as u64,
        elapsed_us: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        batch_latency_us: tally.latencies.percentiles(),
        top,
    };
    Ok(ImportOutcome { report, stopped_at })
}
