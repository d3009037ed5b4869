//! `farthing reconcile`: a bank's or a rail's statement against an account.

mod answer;
mod matching_flags;
mod statement_flags;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use farthing_ledger::AccountId;
use farthing_reconcile::{Class, Format, ReconcileError, reconcile_deriving};

use super::globals::Globals;
use super::values::{id, moment};
use crate::failure::{Code, Failure};
use crate::import::{Deriver, Plan};
use crate::output::Printer;
use crate::reconcile::{self, Gathered, Question};
use answer::Answer;
use matching_flags::MatchingFlags;
use statement_flags::{CamtFlags, CsvFlags, FormatFlag, ReadingFlags};

/// Flags of the command; what it does is said where it is one.
#[derive(Debug, Args)]
pub(super) struct ReconcileArgs {
    /// The statement, CSV or camt.053: plain, .zst or .gz (told by its content).
    #[arg(long, value_name = "FILE")]
    statement: PathBuf,
    /// The account that it is a statement of.
    #[arg(long, value_parser = id, value_name = "ID")]
    account: u128,
    /// What the file is in [default: told by its first bytes].
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatFlag>,
    /// Where the period begins that the statement covers: 2026-11-23T04:00:00Z, 2026-11-23, or nanoseconds since 1970
    /// [default: as the statement says, else its first entry].
    #[arg(long, value_parser = moment, value_name = "TIME")]
    from: Option<u64>,
    /// Where it ends, included. A day is its begin: November ends with 2026-12-01 [default: as the statement says, else
    /// its last entry].
    #[arg(long, value_parser = moment, value_name = "TIME")]
    to: Option<u64>,
    /// Which items are listed; the figures are always those of all.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "different,missing,extra,ambiguous",
        value_name = "CLASSES"
    )]
    items: Vec<ListedFlag>,
    /// Items in a table, at most; 0 = all. JSON and CSV have all.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    limit: usize,
    /// Entries of the statement, and transfers, at most.
    #[arg(long, default_value_t = 5_000_000, value_name = "COUNT")]
    entries_max: usize,
    #[command(flatten)]
    reading: ReadingFlags,
    #[command(flatten)]
    csv: CsvFlags,
    #[command(flatten)]
    camt: CamtFlags,
    #[command(flatten)]
    matching: MatchingFlags,
    /// References are names from which ids of this kind were derived, as `farthing id derive` and `farthing import` do:
    /// `transfer` for payments of an import.
    #[arg(long, value_name = "KIND", help_heading = "Matching")]
    derive: Option<String>,
    /// The namespace of those ids.
    #[arg(long, default_value_t = Plan::default().namespace, requires = "derive", value_name = "TEXT", help_heading = "Matching")]
    namespace: String,
}

/// A class of items, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListedFlag {
    Different,
    Missing,
    Extra,
    Ambiguous,
    Outside,
    Matched,
    All,
}

impl ListedFlag {
    const fn classes(self) -> &'static [Class] {
        match self {
            Self::Different => &[Class::Different],
            Self::Missing => &[Class::Missing],
            Self::Extra => &[Class::Extra],
            Self::Ambiguous => &[Class::Ambiguous],
            Self::Outside => &[Class::Outside],
            Self::Matched => &[Class::Matched],
            Self::All => &Class::ALL,
        }
    }
}

impl ReconcileArgs {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let question = Question {
            account: AccountId(self.account),
            file: self.statement,
            format: self.format.map(Format::from),
            csv: self.csv.options()?,
            camt: self.camt.options(),
            currency: self.reading.currency,
            skip_other_currencies: self.reading.skip_other_currencies,
            utc_offset_s: self.reading.utc_offset,
            from: self.from,
            to: self.to,
            options: self.matching.options(),
            entries_max: self.entries_max,
        };
        let client = globals.connect().await?;
        let gathered = reconcile::gather(&client, &question).await?;
        let deriver = self.derive.map(|kind| Deriver::new(&self.namespace, &kind));
        let Gathered {
            statement,
            transfers,
            options,
            origin,
        } = &gathered;
        let report = reconcile_deriving(statement, transfers, options, |reference| {
            deriver.as_ref().map(|deriver| deriver.id(reference))
        })
        .map_err(cannot_be_compared)?;
        let listed = self.items.iter().flat_map(|listed| listed.classes());
        let listed: Vec<Class> = listed.copied().collect();
        let answer = Answer {
            origin,
            report: &report,
            listed: &listed,
            limit: self.limit,
        };
        answer.print(printer)?;
        if report.agrees() {
            return Ok(ExitCode::SUCCESS);
        }
        Err(answer.disagreement())
    }
}

/// What was read of one account at one moment can be compared: anything else is a bug.
fn cannot_be_compared(error: ReconcileError) -> Failure {
    match error {
        ReconcileError::TooMany { .. } => Failure::new(Code::Usage, error.to_string()),
        _ => Failure::new(Code::Internal, error.to_string()),
    }
}
