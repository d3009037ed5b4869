//! `farthing events`: every change of the ledger, as it happens, and the proofs that none was changed or left out.

mod line;
mod prove;
mod tail;

use std::process::ExitCode;

use clap::Subcommand;

use super::globals::Globals;
use crate::failure::Failure;
use crate::output::Printer;

#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// Show events, those there are and then those that come, until Ctrl-C.
    Tail(tail::Tail),
    /// Show the newest checkpoint that a node has signed.
    Checkpoint,
    /// Show an event with the proof that it is in the tree of a checkpoint.
    Prove(prove::Prove),
}

impl EventsCommand {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let client = globals.connect().await?;
        match self {
            Self::Tail(tail) => tail.run(&client, printer).await,
            Self::Checkpoint => prove::checkpoint(&client, printer).await,
            Self::Prove(prove) => prove.run(&client, printer).await,
        }
    }
}
