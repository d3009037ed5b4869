//! Items of several kinds in one request.

use farthing_ledger::{
    Account, CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, Ledger, RecordItem,
    Transfer, WriteRecordStatus,
};
use farthing_proto::packed;
use farthing_proto::v1::{Section, SectionKind};

use crate::batch::submit::SubmitPart;
use crate::client::{Client, outcomes};
use crate::error::Error;
use crate::outcome::Outcome;

/// Items of several kinds in one request, section by section. A chain of linked items may
/// run from one section into the next: money moves and the record beside it changes, or
/// neither.
///
/// ```no_run
/// # use farthing_client::*;
/// # async fn example(client: Client, payment: Transfer) -> Result<(), Error> {
/// let linked = Transfer { flags: payment.flags.with(TransferFlags::LINKED), ..payment };
/// let receipt = RecordItem {
///     operation_id: ids::new(),
///     expected_version: VERSION_ABSENT,
///     namespace: 7,
///     flags: RecordFlags::default(),
///     reserved: 0,
///     key: b"order-1",
///     value: b"paid",
/// };
/// let request = Request::new().transfers(&[linked]).records(&[receipt]);
/// let response = client.submit(request).await?;
/// println!("decided at log index {}", response.log_index);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Request {
    sections: Vec<Section>,
}

impl Request {
    /// A request without items.
    pub fn new() -> Self {
        Request::default()
    }

    /// Adds a section of accounts.
    pub fn accounts(self, accounts: &[Account]) -> Self {
        self.section(packed::accounts_section(accounts))
    }

    /// Adds a section of transfers.
    pub fn transfers(self, transfers: &[Transfer]) -> Self {
        self.section(packed::transfers_section(transfers))
    }

    /// Adds a section of ledgers.
    pub fn ledgers(self, ledgers: &[Ledger]) -> Self {
        self.section(packed::ledgers_section(ledgers))
    }

    /// Adds a section of record writes.
    pub fn records(self, records: &[RecordItem<'_>]) -> Self {
        self.section(packed::records_section(records))
    }

    fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// One for each section, in order.
    pub sections: Vec<SectionOutcomes>,
    /// Log index at which the request was decided.
    pub log_index: u64,
}

/// The outcomes of one section, one for each item in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionOutcomes {
    /// Of accounts.
    Accounts(Vec<Outcome<CreateAccountStatus>>),
    /// Of transfers.
    Transfers(Vec<Outcome<CreateTransferStatus>>),
    /// Of ledgers.
    Ledgers(Vec<Outcome<CreateLedgerStatus>>),
    /// Of record writes.
    Records(Vec<Outcome<WriteRecordStatus>>),
}

impl SectionOutcomes {
    /// True when every item was applied by this call.
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        match self {
            SectionOutcomes::Accounts(outcomes) => outcomes.iter().all(Outcome::is_success),
            SectionOutcomes::Transfers(outcomes) => outcomes.iter().all(Outcome::is_success),
            SectionOutcomes::Ledgers(outcomes) => outcomes.iter().all(Outcome::is_success),
            SectionOutcomes::Records(outcomes) => outcomes.iter().all(Outcome::is_success),
        }
    }
}

impl Response {
    /// True when every item of every section was applied by this call.
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        self.sections.iter().all(SectionOutcomes::all_succeeded)
    }
}

impl Client {
    /// Sends items of several kinds as one request; at most 8,189 items and 4 MiB.
    ///
    /// # Errors
    /// See [`Error`]. Refused items are outcomes, not errors.
    pub async fn submit(&self, request: Request) -> Result<Response, Error> {
        let kinds: Vec<SectionKind> = request.sections.iter().map(Section::kind).collect();
        if request.sections.iter().all(|section| section.count == 0) {
            let sections = kinds
                .into_iter()
                .map(|kind| read(kind, &[], 0))
                .collect::<Result<_, _>>()?;
            return Ok(Response {
                sections,
                log_index: 0,
            });
        }
        let settled = self.submit_part(SubmitPart::new(request.sections)?).await?;
        let sections = kinds
            .into_iter()
            .zip(&settled.results)
            .map(|(kind, results)| read(kind, results, settled.log_index))
            .collect::<Result<_, _>>()?;
        Ok(Response {
            sections,
            log_index: settled.log_index,
        })
    }
}

fn read(
    kind: SectionKind,
    results: &[crate::client::SettledItem],
    log_index: u64,
) -> Result<SectionOutcomes, Error> {
    Ok(match kind {
        SectionKind::Accounts => SectionOutcomes::Accounts(outcomes(results, log_index)?),
        SectionKind::Ledgers => SectionOutcomes::Ledgers(outcomes(results, log_index)?),
        SectionKind::Records => SectionOutcomes::Records(outcomes(results, log_index)?),
        SectionKind::Transfers | SectionKind::Unspecified => {
            SectionOutcomes::Transfers(outcomes(results, log_index)?)
        }
    })
}
