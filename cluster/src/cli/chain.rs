//! `farthing transfer chain`: several transfers that happen together or not at all.

use std::process::ExitCode;

use clap::{Args, Parser};
use farthing_client::Client;
use farthing_ledger::{CreateTransferStatus, TransferFlags};

use super::items::chosen_id;
use super::prompt::words;
use super::transfer::{Create, show};
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::Printer;

#[derive(Debug, Args)]
pub(super) struct Chain {
    /// A transfer in quotes: what `transfer create` takes, without dashes, such as "debit=1 credit=2 amount=5 ledger=840
    /// code=1".
    #[arg(required = true, num_args = 2.., value_name = "TRANSFER")]
    transfers: Vec<String>,
}

/// One transfer of the chain.
#[derive(Debug, Parser)]
#[command(name = "transfer", no_binary_name = true, disable_help_flag = true)]
struct Link {
    #[command(flatten)]
    create: Create,
}

fn parse(place: usize, text: &str) -> Result<Create, Failure> {
    let words = words::split(text).map_err(|why| wrong(place, &why))?;
    let words = words.iter().map(|word| format!("--{word}"));
    let link = Link::try_parse_from(words).map_err(|error| wrong(place, &error.to_string()))?;
    Ok(link.create)
}

fn wrong(place: usize, why: &str) -> Failure {
    // What clap says of usage would be that of another command.
    let why = why.split("\n\nUsage").next().unwrap_or(why).trim();
    let why = why.strip_prefix("error: ").unwrap_or(why);
    Failure::new(Code::Usage, format!("transfer {}: {why}", place + 1))
        .advise(
            "write each transfer in quotes, with what `farthing transfer create` takes: \"debit=1 credit=2 amount=5 \
             ledger=840 code=1\"",
        )
}

impl Chain {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        let links = self.transfers.iter().enumerate();
        let links: Vec<Create> = links
            .map(|(place, text)| parse(place, text))
            .collect::<Result<_, _>>()?;
        let (mut transfers, mut ids) = (Vec::new(), Vec::new());
        for (place, link) in links.iter().enumerate() {
            let id = chosen_id("transfer", link.id);
            let mut transfer = link.transfer(client, id).await?;
            if place + 1 != links.len() {
                transfer.flags = transfer.flags.with(TransferFlags::LINKED);
            }
            ids.push(id);
            transfers.push(transfer);
        }
        let outcomes = client.create_transfers(transfers).await.map_err(failure)?;
        let statuses: Vec<_> = outcomes.iter().map(|outcome| outcome.status).collect();
        accepted(&statuses, printer)?;
        show(client, printer, &ids).await
    }
}

/// Success when all were created, or the chain was sent before.
fn accepted(statuses: &[CreateTransferStatus], printer: Printer) -> Result<(), Failure> {
    use CreateTransferStatus::{Created, Exists, LinkedEventFailed};
    if statuses.iter().all(|status| *status == Created) {
        return Ok(());
    }
    let known = |status: &CreateTransferStatus| matches!(status, Exists | LinkedEventFailed);
    // A chain that is sent again: its first transfer exists, and no other was tried. Whether they exist shows below.
    if statuses.contains(&Exists) && statuses.iter().all(known) {
        return printer.say("The first transfer exists already, so nothing was done.");
    }
    let broke = statuses
        .iter()
        .position(|status| !matches!(status, Created | LinkedEventFailed))
        .unwrap_or(0);
    let status = statuses[broke];
    Err(Failure::new(
        Code::ItemRefused,
        format!(
            "the chain was refused at transfer {}: {} ({}); none of it happened",
            broke + 1,
            status.name(),
            status as u32
        ),
    )
    .advise(format!(
        "`farthing explain {}` tells what it means and what to do",
        status.name()
    )))
}
