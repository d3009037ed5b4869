//! Sends what the reading thread hands out.

use std::time::{Duration, Instant};

use farthing_client::{Client, Outcome, ids};
use farthing_ledger::{
    Account, AccountId, CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, Ledger,
    RecordFlags, RecordItem, RecordKey, VERSION_ANY,
};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::batches::{BATCH_ITEMS, Batch, Reader, Summary};
use super::display::{Display, Speaker};
use super::plan::Options;
use super::progress::{Fingerprint, PROGRESS_NAMESPACE, Progress};
use super::report::{ImportReport, TopAccount};
use super::rows::BadRow;
use super::tally::Tally;
use crate::connect::patiently;
use crate::failure::{Code, Failure};
use crate::output;

/// Batches read ahead of the sending.
const BATCHES_AHEAD: usize = 4;
/// Time between two writes of the progress record.
const PROGRESS_PERIOD: Duration = Duration::from_secs(2);

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
        display: Display::new(position),
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

struct Sending<'a> {
    client: &'a Client,
    options: &'a Options,
    key: Option<Vec<u8>>,
    tally: Tally,
    display: Display,
    /// The cluster's time when this run began to send, in ns.
    begun_at: u64,
    /// Refused in an earlier run, among the rows passed over.
    refused_before: u64,
    /// All rows up to here, with this fingerprint, were answered.
    answered_to: (u64, Fingerprint),
    recorded_at: Instant,
}

/// A batch with its answers.
struct Answered {
    batch: Batch,
    outcomes: Vec<Outcome<CreateTransferStatus>>,
    latency: Duration,
}

impl Sending<'_> {
    /// Sends every batch, a few at once; answers are taken in the order of the file, so that "answered up to here"
    /// always speaks of a beginning of it. Returns the time from the first batch to the last answer.
    async fn send_all(&mut self, mut batches: mpsc::Receiver<Batch>) -> Result<Duration, Failure> {
        let Some(first) = batches.recv().await else {
            return Ok(Duration::ZERO);
        };
        self.begun_at = self.record_progress().await?;
        let begun = Instant::now();
        let mut next = Some(first);
        let mut more = true;
        let mut under_way = FuturesOrdered::new();
        let speaker = self.display.speaker();
        loop {
            if let Some(batch) = next.take() {
                // Accounts come into being before any transfer that names them is sent.
                self.create_accounts(&batch.new_accounts).await?;
                under_way.push_back(send(
                    self.client,
                    self.options.patience,
                    speaker.clone(),
                    batch,
                ));
            }
            let room = under_way.len() < self.options.in_flight;
            tokio::select! {
                batch = batches.recv(), if more && room => match batch {
                    Some(batch) => next = Some(batch),
                    None => more = false,
                },
                Some(answered) = under_way.next(), if !under_way.is_empty() => self.take_in(answered?).await?,
                else => break,
            }
        }
        let elapsed = begun.elapsed();
        self.record_progress().await?;
        Ok(elapsed)
    }

    async fn take_in(&mut self, answered: Answered) -> Result<(), Failure> {
        let Answered {
            batch,
            outcomes,
            latency,
        } = answered;
        self.tally
            .batch(&batch.lines, &outcomes, self.begun_at, latency);
        self.answered_to = (batch.rows_after, batch.fingerprint_after);
        self.display.show(self.tally.answered());
        if self.recorded_at.elapsed() >= PROGRESS_PERIOD {
            self.recorded_at = Instant::now();
            self.record_progress().await?;
        }
        Ok(())
    }

    async fn create_accounts(&mut self, accounts: &[Account]) -> Result<(), Failure> {
        for chunk in accounts.chunks(BATCH_ITEMS) {
            let outcomes = patiently(
                self.options.patience,
                |_| {},
                || self.client.create_accounts(chunk.to_vec()),
            )
            .await?;
            for (account, outcome) in chunk.iter().zip(outcomes) {
                match outcome.status {
                    CreateAccountStatus::Created => self.tally.accounts_created += 1,
                    CreateAccountStatus::Exists if outcome.timestamp > self.begun_at => {
                        self.tally.accounts_created += 1;
                    }
                    CreateAccountStatus::Exists => {}
                    status => return Err(account_refused(account.id, status)),
                }
            }
        }
        Ok(())
    }

    /// Writes down how far the file was imported; returns the cluster's time.
    async fn record_progress(&self) -> Result<u64, Failure> {
        let Some(key) = &self.key else {
            return Ok(0);
        };
        let (rows, fingerprint) = self.answered_to;
        let progress = Progress::new(rows, fingerprint, self.refused_before + self.tally.refused);
        let value = progress.to_value();
        // Whatever is there now, this is true as well; so a write that comes late or twice does no harm.
        let write = RecordItem {
            operation_id: ids::new(),
            expected_version: VERSION_ANY,
            namespace: PROGRESS_NAMESPACE,
            flags: RecordFlags::default(),
            reserved: 0,
            key,
            value: &value,
        };
        let writes = [write];
        let outcomes = patiently(
            self.options.patience,
            |_| {},
            || self.client.write_records(&writes),
        )
        .await?;
        match outcomes.first() {
            Some(outcome) if outcome.is_success_or_exists() => Ok(outcome.timestamp),
            other => Err(Failure::new(
                Code::ItemRefused,
                format!("the progress record was refused: {other:?}"),
            )),
        }
    }
}

/// Sends one batch until it is answered.
async fn send(
    client: &Client,
    patience: Duration,
    speaker: Speaker,
    batch: Batch,
) -> Result<Answered, Failure> {
    let begun = Instant::now();
    let outcomes = patiently(
        patience,
        |error| speaker.say(&format!("import: waiting, {error}")),
        || client.create_transfers(batch.transfers.clone()),
    )
    .await?;
    Ok(Answered {
        batch,
        outcomes,
        latency: begun.elapsed(),
    })
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

fn account_refused(id: AccountId, status: CreateAccountStatus) -> Failure {
    Failure::new(
        Code::ItemRefused,
        format!(
            "account {} was refused: {}",
            output::uuid(id.0),
            status.name()
        ),
    )
    .because("an account with the derived id exists with another ledger or code")
    .advise("use the flags of the first import, or another --namespace")
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

/// The accounts with the largest posted credits among those the file names, as the ledger has them.
async fn largest(
    client: &Client,
    options: &Options,
    summary: &Summary,
) -> Result<Vec<TopAccount>, Failure> {
    if options.top == 0 {
        return Ok(Vec::new());
    }
    if summary.accounts_forgotten {
        output::tell("import: too many accounts to list the largest of all of them");
    }
    let mut found = Vec::new();
    for names in summary.credits.chunks(BATCH_ITEMS) {
        let ids: Vec<AccountId> = names.iter().map(|(_, id)| AccountId(*id)).collect();
        let accounts = patiently(options.patience, |_| {}, || client.lookup_accounts(&ids)).await?;
        for ((name, id), account) in names.iter().zip(accounts) {
            if let Some(account) = account {
                found.push((account.credits_posted, name, *id));
            }
        }
        // Largest first; equal ones by name, so that every run lists the same.
        found.sort_unstable_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        found.truncate(options.top);
    }
    let plan = &options.plan;
    Ok(found
        .into_iter()
        .map(|(credits_posted, name, id)| TopAccount {
            name: format!("{} {name}", plan.credit_kind),
            id: output::uuid(id),
            credits_posted: output::scaled(&credits_posted.to_string(), plan.scale),
        })
        .collect())
}
