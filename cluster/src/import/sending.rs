//! Sends batches, a few at once, and takes in their answers.

use std::time::{Duration, Instant};

use farthing_client::{Client, Outcome, ids};
use farthing_ledger::{
    Account, AccountId, CreateAccountStatus, CreateTransferStatus, RecordFlags, RecordItem,
    VERSION_ANY,
};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use super::batches::{BATCH_ITEMS, Batch};
use super::plan::Options;
use super::progress::{Fingerprint, PROGRESS_NAMESPACE, Progress};
use super::tally::Tally;
use crate::connect::patiently;
use crate::display::{Display, Speaker};
use crate::failure::{Code, Failure};
use crate::output;
use crate::source::Position;

/// Time between two writes of the progress record.
const PROGRESS_PERIOD: Duration = Duration::from_secs(2);

/// The sending side of an import.
pub(super) struct Sending<'a> {
    pub(super) client: &'a Client,
    pub(super) options: &'a Options,
    pub(super) key: Option<Vec<u8>>,
    pub(super) tally: Tally,
    pub(super) display: Display,
    /// How far the file was read.
    pub(super) position: Position,
    /// The cluster's time when this run began to send, in ns.
    pub(super) begun_at: u64,
    /// Refused in an earlier run, among the rows passed over.
    pub(super) refused_before: u64,
    /// All rows up to here, with this fingerprint, were answered.
    pub(super) answered_to: (u64, Fingerprint),
    pub(super) recorded_at: Instant,
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
    ///
    /// # Errors
    /// As for [`super::run`].
    pub(super) async fn send_all(
        &mut self,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<Duration, Failure> {
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
                let sent = send(
                    self.client.clone(),
                    self.options.patience,
                    speaker.clone(),
                    batch,
                );
                // A task of its own goes on while others are waited for, and ends with this import.
                under_way.push_back(AbortOnDropHandle::new(tokio::spawn(sent)));
            }
            let room = under_way.len() < self.options.in_flight;
            tokio::select! {
                batch = batches.recv(), if more && room => match batch {
                    Some(batch) => next = Some(batch),
                    None => more = false,
                },
                Some(answered) = under_way.next(), if !under_way.is_empty() => {
                    self.take_in(answered.map_err(died)??).await?;
                }
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
        self.display
            .show(self.tally.answered(), self.position.permille());
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
    client: Client,
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

fn died(error: JoinError) -> Failure {
    Failure::new(Code::Internal, "a task of the import died").because(error)
}
