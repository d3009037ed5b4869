//! `farthing import`: payments from a file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::globals::Globals;
use super::values::duration;
use crate::failure::{Code, Failure};
use crate::import::{self, Columns, Options, Plan};
use crate::output::Printer;

/// Loads payments from a CSV file as ordinary transfers.
///
/// Ids are derived from the file's own names, so a second run changes nothing, and an import that was interrupted is
/// finished by running it again. It goes on by itself when the leader dies.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// CSV with a header line: plain, .zst or .gz (told by its content).
    file: PathBuf,
    /// Column that tells one payment from another.
    #[arg(
        long,
        default_value = "payment_id",
        value_name = "NAME",
        help_heading = "Columns"
    )]
    id_column: String,
    /// Column of the original time, kept in `user_data_64` (ns since 1970).
    #[arg(
        long,
        default_value = "time",
        value_name = "NAME",
        help_heading = "Columns"
    )]
    time_column: String,
    /// Column that names who pays.
    #[arg(
        long,
        default_value = "customer_id",
        value_name = "NAME",
        help_heading = "Columns"
    )]
    debit_column: String,
    /// Column that names who is paid.
    #[arg(
        long,
        default_value = "terminal_id",
        value_name = "NAME",
        help_heading = "Columns"
    )]
    credit_column: String,
    /// Column of the amount, decimal text in the ledger's unit.
    #[arg(
        long,
        default_value = "amount",
        value_name = "NAME",
        help_heading = "Columns"
    )]
    amount_column: String,
    /// Number of the ledger; created if it is not there.
    #[arg(long, default_value_t = 840, value_name = "NUMBER")]
    ledger: u32,
    /// Currency of the ledger.
    #[arg(long, default_value = "USD", value_name = "CODE")]
    currency: String,
    /// Decimals of the ledger, 0 to 38.
    #[arg(long, default_value_t = 2, value_name = "DIGITS")]
    scale: u8,
    /// Code of the transfers.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    code: u16,
    /// Code of accounts that pay.
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    debit_code: u16,
    /// Code of accounts that are paid.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    credit_code: u16,
    /// Sets the ids of this import apart from those of others.
    #[arg(long, default_value = "payments", value_name = "TEXT")]
    namespace: String,
    /// What accounts that pay are called when their ids are derived [default: the column without `_id`].
    #[arg(long, value_name = "TEXT")]
    debit_kind: Option<String>,
    /// The same for accounts that are paid.
    #[arg(long, value_name = "TEXT")]
    credit_kind: Option<String>,
    /// Leave out rows that are no payments, instead of stopping at the first.
    #[arg(long)]
    skip_bad: bool,
    /// Batches under way at once.
    #[arg(long, default_value_t = 4, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=64))]
    in_flight: u64,
    /// List the largest credit accounts.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    top: usize,
    /// How long to try again while the cluster has no leader or is overloaded.
    #[arg(long, default_value = "120s", value_parser = duration, value_name = "TIME")]
    patience: Duration,
}

impl ImportArgs {
    fn options(self) -> Options {
        let kind = |given: Option<String>, column: &str| {
            given.unwrap_or_else(|| Columns::kind_of(column).to_owned())
        };
        Options {
            plan: Plan {
                debit_kind: kind(self.debit_kind, &self.debit_column),
                credit_kind: kind(self.credit_kind, &self.credit_column),
                columns: Columns {
                    id: self.id_column,
                    time: self.time_column,
                    debit: self.debit_column,
                    credit: self.credit_column,
                    amount: self.amount_column,
                },
                ledger: self.ledger,
                currency: self.currency,
                scale: self.scale,
                code: self.code,
                debit_account_code: self.debit_code,
                credit_account_code: self.credit_code,
                namespace: self.namespace,
            },
            file: self.file,
            skip_bad: self.skip_bad,
            in_flight: self.in_flight as usize,
            top: self.top,
            patience: self.patience,
        }
    }

    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let client = globals.connect().await?;
        let outcome = import::run(&client, &self.options()).await?;
        printer.print(&outcome.report)?;
        if let Some(bad) = outcome.stopped_at {
            return Err(Failure::new(
                Code::BadInput,
                format!("line {} is no payment: {}", bad.line, bad.problem),
            )
            .because("the import stopped there; nothing after it was sent")
            .advise(
                "mend the file and run the import again, or leave such rows out with --skip-bad",
            ));
        }
        let refused = outcome.report.refused + outcome.report.refused_before;
        if refused > 0 {
            return Err(Failure::new(
                Code::ItemRefused,
                format!("the ledger refused {refused} of the payments"),
            )
            .advise(if outcome.report.another_file_has_the_ids() {
                "the ids belong to payments of another file: give this one ids of its own with --namespace NAME"
            } else {
                "the report lists their statuses and lines"
            }));
        }
        Ok(ExitCode::SUCCESS)
    }
}
