//! `farthing events`: every change of the ledger, as it happens, and the proofs that none was changed or left out.

mod cursors;
mod export;
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
    /// Write events to a file that can be checked without the cluster.
    Export(export::Export),
    /// Show how far consumers are that keep their place in cursors.
    Cursors(cursors::Cursors),
    /// Show the newest checkpoint that a node has signed.
    Checkpoint,
    /// Print a proof that an event is in the tree of a checkpoint, or that the tree begins with an earlier one.
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
            Self::Export(export) => export.run(&client, printer).await,
            Self::Cursors(cursors) => cursors.run(&client, printer).await,
            Self::Checkpoint => prove::checkpoint(&client, printer).await,
            Self::Prove(prove) => prove.run(&client, printer).await,
        }
    }
}
