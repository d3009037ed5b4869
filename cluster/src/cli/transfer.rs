//! `farthing transfer`: transfers made and shown.

use std::process::ExitCode;
use std::time::Duration;

use super::chain::Chain;
use super::globals::Globals;
use super::items::{UserData, chosen_id, created_or_refused, missing, missing_is_failure, scales};
use super::listing::TransferList;
use super::transfer_rows::Transfers;
use super::values::{duration, id};
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{Printer, uuid};
use clap::{ArgGroup, Args, Subcommand};
use farthing_client::Client;
use farthing_ledger::{AMOUNT_MAX, AccountId, Transfer, TransferFlags, TransferId, amount};

#[derive(Debug, Subcommand)]
pub(super) enum TransferCommand {
    /// Move an amount from one account to another, or post or void a pending transfer.
    Create(Box<Create>),
    /// Move amounts that belong together: all of them, or none.
    Chain(Chain),
    /// Show transfers by id.
    Get {
        /// Ids: UUID, hexadecimal or decimal.
        #[arg(required = true, value_parser = id)]
        ids: Vec<u128>,
    },
    /// List transfers by what they carry, oldest first.
    List(Box<TransferList>),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("phase").args(["pending", "post", "void"]))]
pub(super) struct Create {
    /// The account debited.
    #[arg(long, value_parser = id, required_unless_present_any = ["post", "void"], value_name = "ID")]
    debit: Option<u128>,
    /// The account credited.
    #[arg(long, value_parser = id, required_unless_present_any = ["post", "void"], value_name = "ID")]
    credit: Option<u128>,
    /// Decimal text in the ledger's unit; `all` with --post or --void; `max` (as much as possible) with --balancing-*.
    #[arg(long, required_unless_present_any = ["post", "void"], value_name = "AMOUNT")]
    amount: Option<String>,
    /// Number of the ledger of both accounts.
    #[arg(long, required_unless_present_any = ["post", "void"], value_name = "NUMBER")]
    ledger: Option<u32>,
    /// Why the money moves, from 1; yours to choose.
    #[arg(long, required_unless_present_any = ["post", "void"], value_name = "NUMBER")]
    code: Option<u16>,
    /// Its id [default: a new one, printed before it is sent].
    #[arg(long, value_parser = id, value_name = "ID")]
    pub(super) id: Option<u128>,
    /// Only reserve the amount; post or void it later.
    #[arg(long)]
    pending: bool,
    /// A pending transfer expires after this time; whole seconds.
    #[arg(long, value_parser = duration, requires = "pending", value_name = "TIME")]
    timeout: Option<Duration>,
    /// Post this pending transfer: the whole amount, or the one given.
    #[arg(long, value_parser = id, value_name = "ID")]
    post: Option<u128>,
    /// Void this pending transfer.
    #[arg(long, value_parser = id, value_name = "ID")]
    void: Option<u128>,
    /// Move at most what the debit account's credits allow.
    #[arg(long)]
    balancing_debit: bool,
    /// Move at most what the credit account's debits allow.
    #[arg(long)]
    balancing_credit: bool,
    /// Close the debit account (with --pending).
    #[arg(long, requires = "pending")]
    closing_debit: bool,
    /// Close the credit account (with --pending).
    #[arg(long, requires = "pending")]
    closing_credit: bool,
    #[command(flatten)]
    user_data: UserData,
}

impl Create {
    fn flags(&self) -> TransferFlags {
        let flags = [
            (self.pending, TransferFlags::PENDING),
            (self.post.is_some(), TransferFlags::POST_PENDING_TRANSFER),
            (self.void.is_some(), TransferFlags::VOID_PENDING_TRANSFER),
            (self.balancing_debit, TransferFlags::BALANCING_DEBIT),
            (self.balancing_credit, TransferFlags::BALANCING_CREDIT),
            (self.closing_debit, TransferFlags::CLOSING_DEBIT),
            (self.closing_credit, TransferFlags::CLOSING_CREDIT),
        ];
        flags
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .fold(TransferFlags::default(), |all, (_, flag)| all.with(flag))
    }

    /// The amount in the ledger's smallest unit. `scale` is asked only when it is needed.
    async fn amount(
        &self,
        scale: impl AsyncFnOnce() -> Result<u8, Failure>,
    ) -> Result<u128, Failure> {
        let balancing = self.balancing_debit || self.balancing_credit;
        match self.amount.as_deref() {
            // A void of zero voids the whole amount, a post of the largest number posts it.
            None | Some("all") if self.void.is_some() => Ok(0),
            None | Some("all") if self.post.is_some() => Ok(AMOUNT_MAX),
            Some("max") if balancing => Ok(AMOUNT_MAX),
            Some(text) => amount::parse(text, scale().await?).map_err(|error| {
                Failure::new(Code::Usage, format!("--amount {text}: {error}")).advise(
                    "write digits and at most as many decimals as the ledger has; `all` goes with --post or --void, \
                     `max` with --balancing-debit or --balancing-credit",
                )
            }),
            None => Err(Failure::new(Code::Usage, "--amount is missing")),
        }
    }

    fn timeout_s(&self) -> Result<u32, Failure> {
        let timeout = self.timeout.unwrap_or_default();
        let whole = timeout.subsec_nanos() == 0;
        u32::try_from(timeout.as_secs())
            .ok()
            .filter(|_| whole)
            .ok_or_else(|| {
                Failure::new(Code::Usage, "--timeout is whole seconds, at most 2^32 - 1")
            })
    }

    /// What is to be sent.
    pub(super) async fn transfer(&self, client: &Client, id: u128) -> Result<Transfer, Failure> {
        let pending_id = TransferId(self.post.or(self.void).unwrap_or(0));
        let amount = self
            .amount(async || {
                let ledger = match self.ledger {
                    Some(ledger) => ledger,
                    // A post may leave the ledger out: then it is that of the pending transfer.
                    None => ledger_of(client, pending_id).await?,
                };
                Ok(scales(client, [ledger].into_iter()).await?[&ledger])
            })
            .await?;
        Ok(Transfer {
            id: TransferId(id),
            debit_account_id: AccountId(self.debit.unwrap_or(0)),
            credit_account_id: AccountId(self.credit.unwrap_or(0)),
            amount,
            pending_id,
            user_data_128: self.user_data.user_data_128,
            user_data_64: self.user_data.user_data_64,
            user_data_32: self.user_data.user_data_32,
            timeout: self.timeout_s()?,
            ledger: self.ledger.unwrap_or(0),
            code: self.code.unwrap_or(0),
            flags: self.flags(),
            timestamp: 0,
        })
    }
}

async fn ledger_of(client: &Client, id: TransferId) -> Result<u32, Failure> {
    let found = client.lookup_transfers(&[id]).await.map_err(failure)?;
    found
        .into_iter()
        .flatten()
        .next()
        .map(|transfer| transfer.ledger)
        .ok_or_else(|| {
            Failure::new(
                Code::NotFound,
                format!("pending transfer {} is not there", uuid(id.0)),
            )
        })
}

impl TransferCommand {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let client = globals.connect().await?;
        match self {
            Self::Create(create) => {
                let id = chosen_id("transfer", create.id);
                let transfer = create.transfer(&client, id).await?;
                let outcomes = client
                    .create_transfers(vec![transfer])
                    .await
                    .map_err(failure)?;
                let answer = outcomes.first().map(|outcome| outcome.status.into());
                created_or_refused("transfer", printer, answer)?;
                show(&client, printer, &[id]).await
            }
            Self::Chain(chain) => chain.run(&client, printer).await,
            Self::Get { ids } => show(&client, printer, &ids).await,
            Self::List(list) => list.run(&client, printer).await,
        }
    }
}

/// Prints transfers as they are stored.
pub(super) async fn show(
    client: &Client,
    printer: Printer,
    ids: &[u128],
) -> Result<ExitCode, Failure> {
    let wanted: Vec<TransferId> = ids.iter().map(|id| TransferId(*id)).collect();
    let found = client.lookup_transfers(&wanted).await.map_err(failure)?;
    let missing = missing(ids, &found);
    let transfers: Vec<Transfer> = found.into_iter().flatten().collect();
    let scales = scales(client, transfers.iter().map(|transfer| transfer.ledger)).await?;
    printer.print(&Transfers::new(&transfers, &scales))?;
    missing_is_failure("transfer", &missing)
}
