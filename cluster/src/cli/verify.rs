//! `farthing verify`: the books of every node.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::globals::Globals;
use super::values::duration;
use crate::failure::{Code, Failure};
use crate::output::Printer;
use crate::verify;

/// Checks the books on every node of the cluster: each node reads its whole state and checks the invariants, debits
/// must equal credits on every ledger, and all nodes must have the same digest at the same applied index.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// How long to try to catch the nodes at equal indexes.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    wait: Duration,
}

impl VerifyArgs {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let client = globals.connect().await?;
        let members = verify::members(&client).await?;
        let report = verify::verify(&client, &members, self.wait).await?;
        printer.print(&report)?;
        if report.ok {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::new(Code::CheckFailed, "the books are not right")
            .because(report.findings.join("; "))
            .advise("stop writing to the cluster, keep every node's directory as it is, and find out which node differs"))
    }
}
